//! A plugin that is ready to run.

use std::sync::Arc;

use clockbox_core::model::{Allow, PluginSpec, Report};
use wasmtime::{Engine, ExternType, InstancePre, Module};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi_config::WasiConfigVariables;

use crate::{
    CancelToken, Compilation, Inspection, PluginError, PluginKind, RunRequest, RunSink,
    bindings::JobPre,
    code::Code,
    engine::{EngineSettings, Machine},
    guest::Guest,
    http::Client,
    jobs::Rate,
    log::Redactor,
    run, sandbox, wasi,
};

/// What the engine speaks of when it has no room for code that is valid.
const POOL: &str = "pooling allocator";

/// A loaded plugin under its rights, limits and config. Clones are cheap and share the code.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) sandbox: Arc<sandbox::Inner>,
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) spec: Arc<PluginSpec>,
    /// The spec's `config` as `wasi:config` has it.
    pub(crate) config: Arc<WasiConfigVariables>,
    /// The HTTP of all its runs.
    pub(crate) client: Arc<Client>,
    /// Hides its secrets.
    pub(crate) redactor: Arc<Redactor>,
    /// How many changes of jobs its runs ask for.
    pub(crate) job_rate: Arc<Rate>,
    from_cache: bool,
    /// Whether a job's own `allow` cut its rights down.
    pub(crate) is_narrowed: bool,
}

/// The code of a plugin: what its digest stands for, whatever rights it runs under.
pub(crate) struct Compiled {
    digest: String,
    kind: PluginKind,
    inspection: Inspection,
    compilation: Compilation,
    pub(crate) entry: Entry,
    /// An engine lives as long as a plugin that runs on it.
    machine: Arc<Machine>,
}

/// What a run calls.
pub(crate) enum Entry {
    Job(JobPre<Guest>),
    Command(CommandPre<Guest>),
    Module(InstancePre<Guest>),
}

impl Compiled {
    /// Links a component or module.
    pub(crate) fn new(
        machine: Arc<Machine>,
        kind: PluginKind,
        digest: &str,
        inspection: Inspection,
        code: &Code,
        compilation: Compilation,
    ) -> Result<Self, PluginError> {
        let link = |e: wasmtime::Error| PluginError::Link(format!("{e:#}"));
        let invalid = |e: wasmtime::Error| match format!("{e:#}") {
            // The engine has no type for it.
            text if text.contains(POOL) => {
                let cause = e.root_cause().to_string();
                PluginError::NoRoom(cause.trim_end_matches(POOL).trim_end_matches(" in the").to_owned())
            }
            text => PluginError::Invalid(text),
        };
        let component = || {
            let component = code.component(&machine.engine).map_err(invalid)?;
            machine.linker.instantiate_pre(&component).map_err(link)
        };
        let entry = match kind {
            PluginKind::Job => Entry::Job(JobPre::new(component()?).map_err(link)?),
            PluginKind::Command => Entry::Command(CommandPre::new(component()?).map_err(link)?),
            PluginKind::Module => {
                let module = code.module(&machine.engine).map_err(invalid)?;
                check_start(&module)?;
                Entry::Module(machine.preview_1.instantiate_pre(&module).map_err(link)?)
            }
        };
        Ok(Self { digest: digest.to_owned(), kind, inspection, compilation, entry, machine })
    }
}

impl Compiled {
    pub(crate) fn engine(&self) -> &Engine {
        match &self.entry {
            Entry::Job(pre) => pre.engine(),
            Entry::Command(pre) => pre.engine(),
            Entry::Module(pre) => pre.module().engine(),
        }
    }
}

/// Whether `_start` is a function without parameters and results.
fn check_start(module: &Module) -> Result<(), PluginError> {
    match module.get_export("_start") {
        Some(ExternType::Func(start)) if start.params().len() == 0 && start.results().len() == 0 => Ok(()),
        _ => Err(PluginError::Link("`_start` is not a function without parameters and results".to_owned())),
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.spec.name)
            .field("kind", &self.compiled.kind)
            .field("digest", &self.compiled.digest)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    pub(crate) fn new(
        sandbox: Arc<sandbox::Inner>,
        compiled: Arc<Compiled>,
        from_cache: bool,
        spec: &PluginSpec,
    ) -> Result<Self, PluginError> {
        compiled.inspection.check_rights(&spec.rights)?;
        let client = Client::new(&spec.http, sandbox.options.resolver.clone()).map_err(PluginError::Host)?;
        Ok(Self {
            job_rate: sandbox.job_rates.of(&spec.name),
            sandbox,
            compiled,
            spec: Arc::new(spec.clone()),
            config: Arc::new(wasi::config(spec)),
            client: Arc::new(client),
            redactor: Arc::new(Redactor::new(&spec.rights.secrets)),
            from_cache,
            is_narrowed: false,
        })
    }

    /// The SHA-256 of the file, in lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.compiled.digest
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> PluginKind {
        self.compiled.kind
    }

    /// The size of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.compiled.inspection.size
    }

    /// The spec that it runs under.
    #[must_use]
    pub fn spec(&self) -> &PluginSpec {
        &self.spec
    }

    /// When its code was compiled, and how long that took; by an earlier host perhaps, where it came from the cache.
    #[must_use]
    pub fn compilation(&self) -> Compilation {
        self.compiled.compilation
    }

    /// Whether it was loaded without compiling: its code was in the cache, or in use already.
    #[must_use]
    pub fn from_cache(&self) -> bool {
        self.from_cache
    }

    /// The same code under other rights, limits and config. Cheap; this plugin and its runs stay as they are.
    ///
    /// # Errors
    /// When the other spec pins another file or does not grant an import, and
    /// [`PluginError::OtherEngine`] when its limits need another engine: then the file must be loaded again.
    pub fn with_spec(&self, spec: &PluginSpec) -> Result<Self, PluginError> {
        sandbox::check_pin(spec, &self.compiled.digest)?;
        if EngineSettings::of(&spec.limits) != self.compiled.machine.settings {
            return Err(PluginError::OtherEngine);
        }
        Self::new(self.sandbox.clone(), self.compiled.clone(), true, spec)
    }

    /// The same with its rights cut down to what `allow` lists.
    #[must_use]
    pub fn narrowed(&self, allow: &Allow) -> Self {
        let rights = self.spec.rights.narrowed(allow);
        let spec = Arc::new(PluginSpec { rights, ..PluginSpec::clone(&self.spec) });
        Self { config: Arc::new(wasi::config(&spec)), spec, is_narrowed: true, ..self.clone() }
    }

    /// Runs it once, in an instance of its own, on the tokio runtime of the caller (with time and I/O enabled).
    ///
    /// Whatever happens becomes a report. The run ends at `limits.timeout` at the latest; dropping the future ends it
    /// too, without one.
    pub async fn run(&self, request: RunRequest, sink: Arc<dyn RunSink>, cancel: CancelToken) -> Report {
        run::run(self, request, sink, cancel).await
    }
}
