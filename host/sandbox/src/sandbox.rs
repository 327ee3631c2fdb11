//! The sandbox: engines, compile cache, and the way from a file to a plugin.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use clockbox_core::model::PluginSpec;
use wasmtime::Cache;

use crate::{
    Allocator, Plugin, PluginError, SandboxError,
    engine::{Machine, open_cache},
    inspect::{binary, inspect_binary, sha256},
    plugin::Compiled,
    ticker::Ticker,
};

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where compiled code is kept, so that the next start need not compile again; `None` keeps none. It is made,
    /// readable by this user alone, where it does not exist.
    pub cache_dir: Option<PathBuf>,
    /// The largest plugin file, in bytes.
    pub max_plugin_size: u64,
    /// For how many runs at one time memory is reserved (address space, not RAM). A run beyond it ends as
    /// `host-error`: keep it above the sum of all pools.
    pub max_instances: u32,
}

impl Default for SandboxOptions {
    /// No cache, 64 MiB a plugin, 1,000 instances.
    fn default() -> Self {
        Self { cache_dir: None, max_plugin_size: 64 << 20, max_instances: 1_000 }
    }
}

/// Loads plugins. Clones share everything; the engines and their deadline thread end with the last clone and the last
/// plugin.
#[derive(Clone)]
pub struct Sandbox(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) ticker: Ticker,
    pub(crate) plain: Machine,
    /// For plugins with `limits.fuel`; made when the first one comes.
    fuelled: OnceLock<Machine>,
    cache: Option<Cache>,
    options: SandboxOptions,
    /// What is compiled and in use, by digest and fuel.
    compiled: Mutex<HashMap<(String, bool), Weak<Compiled>>>,
    /// One compilation at a time: each uses every core as it is.
    compiler: Mutex<()>,
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
    /// When the cache folder cannot be used, or the engine does not work on this machine.
    pub fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let cache = options.cache_dir.as_deref().map(open_cache).transpose()?;
        let plain = Machine::new(options.max_instances, false, cache.clone())?;
        let ticker = Ticker::start().map_err(SandboxError::Ticker)?;
        ticker.add(&plain.engine);
        Ok(Self(Arc::new(Inner {
            ticker,
            plain,
            fuelled: OnceLock::new(),
            cache,
            options,
            compiled: Mutex::default(),
            compiler: Mutex::default(),
        })))
    }

    /// How instances get their memory.
    #[must_use]
    pub fn allocator(&self) -> Allocator {
        self.0.plain.allocator
    }

    /// Loads a plugin: checks size, pin, kind and imports, and compiles it or takes what was compiled before.
    ///
    /// It blocks, for seconds when a large plugin is compiled: call it off the async threads.
    ///
    /// # Errors
    /// When the plugin is refused; see [`PluginError`].
    pub fn load(&self, bytes: &[u8], spec: &PluginSpec) -> Result<Plugin, PluginError> {
        let (size, max) = (bytes.len() as u64, self.0.options.max_plugin_size);
        if size > max {
            return Err(PluginError::TooLarge { size, max });
        }
        if bytes.is_empty() {
            return Err(PluginError::Empty);
        }
        let digest = sha256(bytes);
        check_pin(spec, &digest)?;
        let key = (digest, spec.limits.fuel.is_some());
        if let Some(compiled) = self.find(&key) {
            return Plugin::new(self.0.clone(), compiled, true, spec);
        }
        let binary = binary(bytes)?;
        let inspection = inspect_binary(&binary)?;
        let kind = inspection.check(&spec.rights)?;
        let machine = self.machine(key.1)?;

        let turn = lock(&self.0.compiler);
        if let Some(compiled) = self.find(&key) {
            return Plugin::new(self.0.clone(), compiled, true, spec);
        }
        let hits = self.0.cache.as_ref().map(Cache::cache_hits);
        let compiled = Arc::new(Compiled::new(machine, kind, &key.0, inspection, &binary)?);
        let from_cache = self.0.cache.as_ref().map(Cache::cache_hits) > hits;
        let mut all = lock(&self.0.compiled);
        all.retain(|_, compiled| compiled.strong_count() > 0);
        all.insert(key, Arc::downgrade(&compiled));
        drop((all, turn));
        Plugin::new(self.0.clone(), compiled, from_cache, spec)
    }

    fn find(&self, key: &(String, bool)) -> Option<Arc<Compiled>> {
        lock(&self.0.compiled).get(key)?.upgrade()
    }

    fn machine(&self, fuel: bool) -> Result<&Machine, PluginError> {
        if !fuel {
            return Ok(&self.0.plain);
        }
        if let Some(machine) = self.0.fuelled.get() {
            return Ok(machine);
        }
        let _turn = lock(&self.0.compiler);
        if self.0.fuelled.get().is_none() {
            let machine = Machine::new(self.0.options.max_instances, true, self.0.cache.clone())
                .map_err(|e| PluginError::Host(e.to_string()))?;
            self.0.ticker.add(&machine.engine);
            return Ok(self.0.fuelled.get_or_init(|| machine));
        }
        self.0
            .fuelled
            .get()
            .ok_or_else(|| PluginError::Host("the engine that counts fuel is missing".to_owned()))
    }
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
