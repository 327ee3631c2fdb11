//! The sandbox: engines, compile cache, and the way from a file to a plugin.

use std::{
    borrow::Cow,
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use clockbox_core::model::{CompileLimits, PluginSpec, Timestamp};

use crate::{
    Allocator, Compilation, Compiler, CoreDumps, Inspection, Plugin, PluginError, PluginKind, Resolver,
    SandboxError,
    cache::{Cache, Name},
    compile::{Compilers, Job},
    cores::Cores,
    engine::{EngineSettings, Machine},
    hex,
    inspect::{LONGEST_TEXT, Source, assemble, inspect_binary, sha256, source},
    jobs::Rates,
    machines::Machines,
    plugin::Compiled,
    ticker::Ticker,
};

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where compiled code is kept, so that the next start need not compile again; `None` keeps none. It is made,
    /// readable by this user alone, where it does not exist.
    pub cache_dir: Option<PathBuf>,
    /// What compiling plugins may use up.
    pub compile: CompileLimits,
    /// Where plugins are compiled.
    pub compiler: Compiler,
    /// For how many runs at one time memory is reserved (address space, not RAM). A run beyond it ends as
    /// `host-error`: keep it above the sum of all pools.
    pub max_instances: u32,
    /// Where the core dumps of guests that trap go; `None` makes none. They hold the memory of guests, and with it secrets.
    pub cores: Option<CoreDumps>,
    /// Asks the time, for when and how long plugins were compiled and which of them were used last. Without a clock none
    /// of it is known, and the cache forgets what was compiled first.
    pub clock: Option<fn() -> Timestamp>,
    /// Looks up the names that guests connect to.
    pub resolver: Resolver,
}

impl Default for SandboxOptions {
    /// No cache, 64 MiB a plugin, 1,000 instances, no core dumps; plugins are compiled in this process.
    fn default() -> Self {
        Self {
            cache_dir: None,
            compile: CompileLimits::default(),
            compiler: Compiler::default(),
            max_instances: 1_000,
            cores: None,
            clock: None,
            resolver: Resolver::default(),
        }
    }
}

/// So many plugins that are too dear to compile are remembered.
const MOST_REFUSALS: usize = 256;

/// Loads plugins. Clones share everything; the engines and their deadline thread end with the last clone and the last
/// plugin.
#[derive(Clone)]
pub struct Sandbox(pub(crate) Arc<Inner>);

/// What the cache of compiled code has been good for since its sandbox was made. A plugin whose code is in use already is
/// not looked for there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheUse {
    /// How often it had the code of a plugin.
    pub hits: u64,
    /// How often it had not, so that the plugin was compiled.
    pub misses: u64,
    /// The bytes of its entries, whoever made them.
    pub bytes: u64,
}

/// How often the cache had what was wanted, and how often not.
#[derive(Debug, Default)]
struct Looks {
    hits: AtomicU64,
    misses: AtomicU64,
}

pub(crate) struct Inner {
    pub(crate) ticker: Ticker,
    machines: Machines,
    cache: Option<Cache>,
    /// How often the cache had what was wanted, and how often not.
    looks: Looks,
    pub(crate) cores: Option<Cores>,
    compilers: Compilers,
    pub(crate) options: SandboxOptions,
    /// What is compiled and in use.
    compiled: Mutex<HashMap<Job, Weak<Compiled>>>,
    /// What took more than compiling may take, and how much that was.
    too_dear: Mutex<HashMap<Job, PluginError>>,
    /// How many changes of jobs the runs of each plugin ask for.
    pub(crate) job_rates: Rates,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("options", &self.0.options).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Makes a sandbox: engine, compile cache and the thread that keeps deadlines.
    ///
    /// # Errors
    /// When the folder of the cache or of core dumps cannot be used, or the engine does not work on this machine.
    pub fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let SandboxOptions { cache_dir, compile, compiler, max_instances, cores, clock, resolver: _ } =
            &options;
        let open = |folder: &PathBuf| Cache::open(folder, compile.cache, *clock);
        let cache = cache_dir.as_ref().map(open).transpose()?;
        let cores = cores.as_ref().map(Cores::open).transpose()?;
        let ticker = Ticker::start().map_err(SandboxError::Ticker)?;
        let machines = Machines::new(*max_instances, cores.is_some(), &ticker)?;
        let compilers = Compilers::new(compiler.clone(), compile.clone());
        Ok(Self(Arc::new(Inner {
            ticker,
            machines,
            cache,
            looks: Looks::default(),
            cores,
            compilers,
            options,
            compiled: Mutex::default(),
            too_dear: Mutex::default(),
            job_rates: Rates::default(),
        })))
    }

    /// How instances get their memory.
    #[must_use]
    pub fn allocator(&self) -> Allocator {
        self.0.machines.usual.allocator
    }

    /// The largest plugin file that it takes, in bytes.
    #[must_use]
    pub fn max_size(&self) -> u64 {
        self.0.options.compile.max_size
    }

    /// What the cache of compiled code has been good for, and how full it is; `None` without one. It reads the folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn cache_use(&self) -> io::Result<Option<CacheUse>> {
        let Some(cache) = &self.0.cache else { return Ok(None) };
        let Looks { hits, misses } = &self.0.looks;
        let (hits, misses, bytes) = (hits.load(Relaxed), misses.load(Relaxed), cache.size()?);
        Ok(Some(CacheUse { hits, misses, bytes }))
    }

    /// Tries plugins again that took more time or memory than compiling may take. Until then they are refused at once, so
    /// that one of them does not keep the machine busy at each reload.
    pub fn forget_refusals(&self) {
        lock(&self.0.too_dear).clear();
    }

    /// Loads a plugin: checks size, pin, kind, imports and where its output comes from, and compiles it or takes what was compiled before.
    ///
    /// It blocks, for seconds when a large plugin is compiled: call it off the async threads.
    ///
    /// # Errors
    /// When the plugin is refused; see [`PluginError`].
    pub fn load(&self, bytes: &[u8], spec: &PluginSpec) -> Result<Plugin, PluginError> {
        let plugin = self.prepare(bytes, spec)?;
        plugin.kind().check_output(spec.output)?;
        Ok(plugin)
    }

    /// The same, whatever its output is to be.
    fn prepare(&self, bytes: &[u8], spec: &PluginSpec) -> Result<Plugin, PluginError> {
        let (size, max) = (bytes.len() as u64, self.max_size());
        if size > max {
            return Err(PluginError::TooLarge { size, max });
        }
        if bytes.is_empty() {
            return Err(PluginError::Empty);
        }
        let digest = sha256(bytes);
        check_pin(spec, &digest)?;
        let job = (digest, EngineSettings::of(&spec.limits));
        if let Some(compiled) = self.find(&job) {
            return Plugin::new(self.0.clone(), compiled, true, spec);
        }
        if let Some(refusal) = lock(&self.0.too_dear).get(&job) {
            return Err(refusal.clone());
        }
        let loaded = self.compile(bytes, &job, spec);
        if let Err(refusal @ (PluginError::CompileTimeout { .. } | PluginError::CompileMemory { .. })) =
            &loaded
        {
            let mut refused = lock(&self.0.too_dear);
            if refused.len() < MOST_REFUSALS {
                refused.insert(job, refusal.clone());
            }
        }
        loaded
    }

    /// Takes what the cache has, or compiles it.
    fn compile(&self, bytes: &[u8], job: &Job, spec: &PluginSpec) -> Result<Plugin, PluginError> {
        let mut turn = None;
        let binary = match source(bytes)? {
            Source::Binary(binary) => Cow::Borrowed(binary),
            Source::Text(text) if text.len() <= LONGEST_TEXT => Cow::Owned(assemble(text)?),
            Source::Text(text) => {
                let machine = self.0.machines.get(job.1, &self.0.ticker)?;
                let turn = turn.insert(self.0.compilers.turn(job)?);
                // Somebody else may have had a turn meanwhile.
                if let Some(compiled) = self.find(job) {
                    return Plugin::new(self.0.clone(), compiled, true, spec);
                }
                Cow::Owned(self.0.compilers.assemble(&machine, job, text, turn)?)
            }
        };
        let inspection = Inspection { size: bytes.len() as u64, ..inspect_binary(&binary)? };
        let kind = inspection.check(&spec.rights)?;
        let machine = self.0.machines.get(job.1, &self.0.ticker)?;
        if let Some(compiled) = self.cached(&machine, kind, job, &inspection) {
            return Plugin::new(self.0.clone(), compiled, true, spec);
        }
        let turn = match turn {
            Some(turn) => turn,
            None => self.0.compilers.turn(job)?,
        };
        // Somebody else may have had a turn meanwhile.
        let found = self.find(job).or_else(|| self.cached(&machine, kind, job, &inspection));
        if let Some(compiled) = found {
            return Plugin::new(self.0.clone(), compiled, true, spec);
        }
        self.0.looks.misses.fetch_add(1, Relaxed);
        let begun = self.now();
        let code = self.0.compilers.compile(&machine, job, kind.is_component(), &binary, &turn)?;
        let at = self.now();
        let took = begun.zip(at).map(|(begun, at)| (at - begun).to_std().unwrap_or_default());
        let compilation = Compilation { at, took };
        let name = name(&machine, kind, job);
        let compiled = Compiled::new(machine, kind, &job.0, inspection, &code, compilation)?;
        if let (Some(cache), Some(name)) = (&self.0.cache, name) {
            cache.put(&name, compilation, &code);
        }
        let compiled = self.remember(job.clone(), compiled);
        drop(turn);
        Plugin::new(self.0.clone(), compiled, false, spec)
    }

    /// What is in use.
    fn find(&self, job: &Job) -> Option<Arc<Compiled>> {
        lock(&self.0.compiled).get(job)?.upgrade()
    }

    /// What the cache has. Code that does not fit is compiled again, like code that nothing vouches for.
    fn cached(
        &self,
        machine: &Arc<Machine>,
        kind: PluginKind,
        job: &Job,
        inspection: &Inspection,
    ) -> Option<Arc<Compiled>> {
        let (code, compilation) = self.0.cache.as_ref()?.get(&name(machine, kind, job)?)?;
        match Compiled::new(machine.clone(), kind, &job.0, inspection.clone(), &code, compilation) {
            Ok(compiled) => {
                self.0.looks.hits.fetch_add(1, Relaxed);
                Some(self.remember(job.clone(), compiled))
            }
            Err(e) => {
                tracing::debug!("cached code of {}: {e}", job.0);
                None
            }
        }
    }

    fn remember(&self, job: Job, compiled: Compiled) -> Arc<Compiled> {
        let compiled = Arc::new(compiled);
        let mut all = lock(&self.0.compiled);
        all.retain(|_, compiled| compiled.strong_count() > 0);
        all.insert(job, Arc::downgrade(&compiled));
        compiled
    }

    fn now(&self) -> Option<Timestamp> {
        self.0.options.clock.map(|clock| clock())
    }
}

/// What code is called in the cache.
fn name(machine: &Machine, kind: PluginKind, job: &Job) -> Option<Name> {
    let digest = hex::decode(&job.0)?;
    Some(Name { digest, compatibility: machine.compatibility, component: kind.is_component() })
}

/// Whether the file is the one that the spec pins.
pub(crate) fn check_pin(spec: &PluginSpec, digest: &str) -> Result<(), PluginError> {
    match &spec.sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(digest) => {
            Err(PluginError::DigestMismatch { expected: expected.clone(), actual: digest.to_owned() })
        }
        _ => Ok(()),
    }
}

/// What these locks guard is changed in one step, so that a panic elsewhere cannot leave it half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
