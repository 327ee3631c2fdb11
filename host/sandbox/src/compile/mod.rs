//! Compilation: what a stranger's plugin may make the compiler do, and where.
//!
//! Compiling is the one thing that is done for a plugin before any of its limits hold, and it is outside of what wasmtime
//! promises to do in bounded time. So it takes place in a process of its own, which has a priority, a memory and a time of
//! its own, and only so many at one time.

mod child;
mod in_process;
mod message;
mod precompile;
mod process;
mod turns;

use std::{ffi::OsString, path::PathBuf, sync::Arc};

use clockbox_core::model::CompileLimits;

pub use self::child::compile_plugin;
use self::{
    message::{Request, Work},
    turns::Turns,
};
use crate::{
    PluginError,
    code::Code,
    engine::{EngineSettings, Machine},
};

/// Where plugins are compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Compiler {
    /// On a thread of this process. Nothing bounds its memory, and a compilation that takes too long cannot be stopped: the
    /// plugin is refused, while the thread goes on and keeps its place among those that compile at one time.
    #[default]
    InProcess,
    /// In a process of its own, which is killed when its time is over and cannot take more memory than it may. The program
    /// hands the arguments that follow these to [`compile_plugin`].
    Process {
        /// The program. It has to be made with the same version of this crate; another one is refused.
        program: PathBuf,
        /// Its first arguments.
        args: Vec<OsString>,
    },
}

/// What is compiled: a file's digest, for an engine of these settings.
pub(crate) type Job = (String, EngineSettings);

/// Compiles, so many at one time.
#[derive(Debug)]
pub(crate) struct Compilers {
    compiler: Compiler,
    limits: CompileLimits,
    turns: Arc<Turns<Job>>,
}

/// The turn to compile something, which ends with the last that holds it.
pub(crate) type Turn = Arc<turns::Turn<Job>>;

impl Compilers {
    pub(crate) fn new(compiler: Compiler, limits: CompileLimits) -> Self {
        let turns = Turns::new(limits.at_once);
        Self { compiler, limits, turns }
    }

    /// Waits for a turn.
    pub(crate) fn turn(&self, job: &Job) -> Result<Turn, PluginError> {
        let turn = self.turns.take(job).map(Arc::new);
        turn.ok_or(PluginError::CompilerBusy { at_once: self.limits.at_once })
    }

    /// Compiles a binary in this turn. Blocks.
    pub(crate) fn compile(
        &self,
        machine: &Machine,
        job: &Job,
        component: bool,
        binary: &[u8],
        turn: &Turn,
    ) -> Result<Code, PluginError> {
        let work = if component { Work::Component } else { Work::Module };
        self.work(machine, job, work, binary, turn).map(Code::compiled)
    }

    /// Assembles a text in this turn. Blocks.
    pub(crate) fn assemble(
        &self,
        machine: &Machine,
        job: &Job,
        text: &str,
        turn: &Turn,
    ) -> Result<Vec<u8>, PluginError> {
        self.work(machine, job, Work::Assemble, text.as_bytes(), turn).map_err(|e| match e {
            PluginError::Invalid(account) => PluginError::Text(account),
            e => e,
        })
    }

    fn work(
        &self,
        machine: &Machine,
        job: &Job,
        work: Work,
        plugin: &[u8],
        turn: &Turn,
    ) -> Result<Vec<u8>, PluginError> {
        let CompileLimits { timeout, memory, .. } = self.limits;
        match &self.compiler {
            Compiler::InProcess => {
                let code = in_process::compile(&machine.engine, work, plugin, timeout, turn.clone());
                if let Err(PluginError::CompileTimeout { .. }) = code {
                    self.turns.overdue(job);
                }
                code
            }
            Compiler::Process { program, args } => {
                let compatibility = machine.compatibility;
                let request = Request { work, settings: machine.settings, memory, compatibility };
                process::compile(program, args, &request, plugin, timeout)
            }
        }
    }
}
