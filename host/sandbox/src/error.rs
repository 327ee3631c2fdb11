//! Why a sandbox cannot be had, and why a plugin is refused.

use std::{path::PathBuf, time::Duration};

use clockbox_core::model::{format_duration, format_size};

/// The most core modules, memories and tables that one instance consists of.
pub(crate) const MOST_MODULES: u32 = 64;
pub(crate) const MOST_MEMORIES: u32 = 4;
pub(crate) const MOST_TABLES: u32 = 64;
/// The most elements of one table: interpreters that are compiled to WebAssembly have tens of thousands of functions in one.
pub(crate) const LARGEST_TABLE: usize = 100_000;

/// Why a sandbox cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The folder of the compile cache cannot be made or used.
    #[error("the compile cache {path} cannot be used: {reason}", path = path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The folder of core dumps cannot be made.
    #[error("the folder {path} of core dumps cannot be used: {reason}", path = path.display())]
    CoreDumps {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The engine does not work on this machine.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
    /// The thread that keeps deadlines cannot be started.
    #[error("the deadline thread cannot be started: {0}")]
    Ticker(std::io::Error),
}

/// Why a plugin is refused. The text says what is wrong; [`hint`](Self::hint) says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The file is larger than the sandbox takes.
    #[error("the file has {} and is larger than the {} that are allowed (scheduler.compile.max_size)", format_size(*size), format_size(*max))]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The most that is allowed, in bytes.
        max: u64,
    },
    /// The file ends in the middle.
    #[error("the file ends in the middle, after {size} bytes")]
    Truncated {
        /// Its size in bytes.
        size: u64,
    },
    /// The file is something else.
    #[error("the file is not WebAssembly: it starts with {start}")]
    NotWasm {
        /// Its first bytes, readable.
        start: String,
    },
    /// The file holds machine code that was compiled ahead of time.
    #[error("the file holds precompiled machine code, which is never loaded")]
    NativeCode,
    /// The WebAssembly text has a mistake.
    #[error("the WebAssembly text has a mistake: {0}")]
    Text(String),
    /// The WebAssembly text is longer than what is assembled without a compiler to do it.
    #[error("the WebAssembly text has {} and is looked into up to {}", format_size(*size), format_size(*max))]
    LongText {
        /// Its size in bytes.
        size: u64,
        /// The most that is assembled, in bytes.
        max: u64,
    },
    /// The file is damaged or uses what the engine does not support.
    #[error("the file is not valid WebAssembly: {0}")]
    Invalid(String),
    /// The plugin is valid, and larger than any instance may be.
    #[error(
        "the plugin needs more than an instance has room for ({MOST_MODULES} core modules, {MOST_MEMORIES} memories of 4 GiB and \
         {MOST_TABLES} tables of {LARGEST_TABLE} elements, which no key raises): {0}"
    )]
    NoRoom(String),
    /// The SHA-256 differs from the pin.
    #[error("the SHA-256 of the file is {actual}, yet {expected} is pinned")]
    DigestMismatch {
        /// The pin.
        expected: String,
        /// What the file has.
        actual: String,
    },
    /// The plugin exports nothing that can be run.
    #[error("the {what} has nothing that can be run: it exports {}", list(exports))]
    WrongWorld {
        /// `component` or `module`.
        what: &'static str,
        /// The names of its exports.
        exports: Vec<String>,
    },
    /// An interface is known, the version is not.
    #[error("the plugin {} {name}, a version that is not supported; {supported} is", if *import { "imports" } else { "exports" })]
    WrongVersion {
        /// Whether it is an import (else an export).
        import: bool,
        /// The interface with the version that the plugin has.
        name: String,
        /// The interface with the version that is supported.
        supported: String,
    },
    /// The plugin needs something that nobody here provides.
    #[error("the plugin imports {import}, which is not provided")]
    UnknownImport {
        /// What it imports.
        import: String,
    },
    /// A core module has an import or export of a job, and only a component can be one.
    #[error("the module {} {name}, as a job does, and only a component can be a job", if *import { "imports" } else { "exports" })]
    BareJob {
        /// Whether it is an import (else an export).
        import: bool,
        /// What it imports or exports.
        name: String,
    },
    /// The plugin needs something that it has not been granted.
    #[error("the plugin imports {import}, which needs the right `allow.{right}`, and that is not granted")]
    NotGranted {
        /// What it imports.
        import: String,
        /// The right, as written under `allow`.
        right: &'static str,
    },
    /// Its output is to be the last line of stdout, and it is no command.
    #[error(
        "the plugin is a job component, whose output is what its `run` returns: `output = \"last-line\"` is for commands"
    )]
    ReturnsOutput,
    /// The imports or exports have other types than expected.
    #[error("the plugin does not fit its interfaces: {0}")]
    Link(String),
    /// Another engine is needed, because of limits that are a matter of the engine.
    #[error("`limits.fuel` was switched on or off, or `limits.stack` changed: the file must be loaded again")]
    OtherEngine,
    /// Plugins with too many different limits are in use.
    #[error(
        "plugins with {most} different settings of `limits.stack` and `limits.fuel` are in use, and each takes an engine of its own"
    )]
    TooManyEngines {
        /// The most that there may be.
        most: usize,
    },
    /// Compiling it took too long.
    #[error("the plugin could not be compiled within {} (scheduler.compile.timeout)", format_duration(*limit))]
    CompileTimeout {
        /// The most that it may take.
        limit: Duration,
    },
    /// Compiling it took too much memory.
    #[error("the plugin could not be compiled with {} of memory (scheduler.compile.memory)", format_size(*limit))]
    CompileMemory {
        /// The most that the compiler may take, in bytes.
        limit: u64,
    },
    /// All places are taken by compilations that do not end.
    #[error(
        "the compiler is still at plugins that take longer than they may ({at_once} at one time, scheduler.compile.at_once)"
    )]
    CompilerBusy {
        /// How many may be compiled at one time.
        at_once: u32,
    },
    /// The compiler failed, not the plugin.
    #[error("the plugin could not be compiled: {0}")]
    Compiler(String),
    /// The host failed, not the plugin.
    #[error("the plugin cannot be loaded here: {0}")]
    Host(String),
}

impl PluginError {
    /// What to do about it, where there is something to say.
    ///
    /// ```
    /// use clockbox_sandbox::PluginError;
    /// assert!(PluginError::Empty.hint().unwrap().contains("copied"));
    /// ```
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Empty | Self::Truncated { .. } => "is it still being copied, or was a build interrupted?",
            Self::TooLarge { size, .. } => {
                return Some(format!(
                    "build with optimisation for size and strip debug information; if it is meant, set `compile = {{ max_size = \
                     \"{}MiB\" }}` in [scheduler]",
                    (size >> 20) + 1
                ));
            }
            Self::NotWasm { .. } => "a plugin is a .wasm component, a WASI command module, or .wat text",
            Self::NativeCode => "give the .wasm file that it was compiled from",
            Self::Text(_) => "a .wat file holds one (component …) or (module …)",
            Self::Invalid(_) => "build it again; the engine supports WebAssembly 3.0 and WASI 0.2",
            Self::NoRoom(_) => "build it of fewer or smaller parts",
            Self::DigestMismatch { actual, .. } => {
                return Some(format!("if the new file is meant, set `sha256 = \"{actual}\"`"));
            }
            Self::WrongWorld { what: "module", .. } => {
                "a module must be a WASI preview-1 command (export `_start`): build a program, not a library, or \
                 build for wasm32-wasip2"
            }
            Self::WrongWorld { .. } => {
                "a component must export `clockbox:job/runner@0.1.0` (a job) or `wasi:cli/run@0.2.x` (a command)"
            }
            Self::WrongVersion { supported, .. } => {
                return Some(format!(
                    "build it against {supported}, or use a clockbox that knows the newer version"
                ));
            }
            Self::BareJob { .. } => {
                "make it a component: `clockbox build` does, of a module without `_start` (in Go: -buildmode=c-shared), where the \
                 project has a clockbox-build.toml as `clockbox new` makes one"
            }
            Self::UnknownImport { import } if import.starts_with("clockbox:") => {
                "it may need a newer clockbox; see `clockbox plugins inspect`"
            }
            Self::UnknownImport { .. } => {
                "build it without that import, or link the component that provides it into it (wac, wasm-compose)"
            }
            Self::NotGranted { right: "http", .. } => {
                "grant the origins it may reach: `allow = { http = [\"https://api.example.com\"] }`"
            }
            Self::NotGranted { right: "state", .. } => {
                "let its jobs remember something from run to run: `allow = { state = true }`"
            }
            Self::NotGranted { right: "jobs", .. } => {
                "let its runs add and change jobs of its own: `allow = { jobs = true }`, or \
                 `allow = { jobs = { plugins = [\"other\"], max_jobs = 100, per_minute = 60 } }`"
            }
            Self::NotGranted { .. } => "grant it in the plugin's `allow` table",
            Self::ReturnsOutput => {
                "leave `output` out; if its sidecar or description says it, write `output = \"returned\"`"
            }
            Self::LongText { .. } => "assemble it: `wasm-tools parse x.wat -o x.wasm`",
            Self::Link(_) => {
                "build it with the WIT of this version of clockbox, and a module for wasm32-wasip1"
            }
            Self::OtherEngine => "load it again",
            Self::TooManyEngines { .. } => "give plugins the same `limits.stack`, or leave it out",
            Self::CompileTimeout { limit } => {
                return Some(format!(
                    "a plugin that takes so long is broken, hostile or very large; if it is meant, set `compile = {{ timeout = \"{}\" \
                     }}` in [scheduler]",
                    format_duration(limit.saturating_mul(2))
                ));
            }
            Self::CompileMemory { limit } => {
                return Some(format!(
                    "a plugin that takes so much is broken, hostile or very large; if it is meant, set `compile = {{ memory = \"{}MiB\" \
                     }}` in [scheduler]",
                    (limit.saturating_mul(2) >> 20).max(1)
                ));
            }
            Self::CompilerBusy { .. } => {
                "try again later, or compile in a process of its own, which can be stopped"
            }
            Self::Compiler(_) => {
                "load it again; if it fails each time, the compiler cannot cope with this plugin"
            }
            Self::Host(_) => return None,
        };
        Some(text.to_owned())
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names if names.len() > 8 => format!("{} and {} more", names[..8].join(", "), names.len() - 8),
        names => names.join(", "),
    }
}
