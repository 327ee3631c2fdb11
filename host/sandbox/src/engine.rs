//! The WebAssembly engines: how they are set up, and where their compiled code is kept.

use std::path::Path;

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    WasmBacktraceDetails, component::Linker,
};

use crate::{SandboxError, guest::Guest, imports};

/// How the memory of instances is had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocator {
    /// From slots that are reserved when the sandbox is made: a run costs the least.
    Pooling,
    /// From the operating system, for each run: for machines that are short of address space.
    OnDemand,
}

/// An engine with everything that guests may import.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    /// For components.
    pub(crate) linker: Linker<Guest>,
    /// For preview-1 modules.
    pub(crate) preview_1: wasmtime::Linker<Guest>,
    pub(crate) allocator: Allocator,
    /// Whether its code counts fuel.
    pub(crate) fuel: bool,
}

impl Machine {
    /// Builds an engine, pooling if the machine lets it. With `fuel` its code counts what it uses.
    pub(crate) fn new(max_instances: u32, fuel: bool, cache: Option<Cache>) -> Result<Self, SandboxError> {
        let mut config = config(fuel);
        config.cache(cache);
        config.allocation_strategy(pool(max_instances));
        let (engine, allocator) = match Engine::new(&config) {
            Ok(engine) => (engine, Allocator::Pooling),
            Err(e) => {
                tracing::warn!("instances are allocated on demand, because no pool can be reserved: {e:#}");
                config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
                let engine = Engine::new(&config).map_err(|e| SandboxError::Engine(format!("{e:#}")))?;
                (engine, Allocator::OnDemand)
            }
        };
        let bad = |e| SandboxError::Engine(format!("{e:#}"));
        let linker = imports::linker(&engine).map_err(bad)?;
        let preview_1 = imports::preview_1(&engine).map_err(bad)?;
        Ok(Self { engine, linker, preview_1, allocator, fuel })
    }
}

/// The settings that decide how a guest runs, apart from allocation and cache.
fn config(fuel: bool) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(fuel)
        // Guests are lifted synchronously; without the support for concurrent ones a run costs less than half.
        .concurrency_support(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .shared_memory(false);
    config
}

/// Slots for `max_instances` runs at one time, for guests that consist of several modules (a component that Rust made
/// has three).
fn pool(max_instances: u32) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(max_instances)
        .total_core_instances(max_instances.saturating_mul(4))
        .total_memories(max_instances.saturating_mul(2))
        .total_tables(max_instances.saturating_mul(2))
        // One guest must not take what all the others need.
        .max_core_instances_per_component(64)
        .max_memories_per_component(4)
        .max_tables_per_component(64)
        .total_stacks(max_instances)
        .total_gc_heaps(max_instances)
        // Interpreters that are compiled to WebAssembly have tens of thousands of functions in a table.
        .table_elements(100_000)
        // Pages that a guest touched stay with its slot, found by a scan of the page map: this halves the cost of a
        // run, and without the scan it would raise it.
        .linear_memory_keep_resident(1 << 20)
        // Likewise the tables, of which most fit a page: giving one back interrupts every core that runs this process.
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}

/// Opens the compile cache in `folder`, which is made for this user alone where it does not exist.
///
/// What lies in it is native code that is trusted when it is read back.
pub(crate) fn open_cache(folder: &Path) -> Result<Cache, SandboxError> {
    let bad = |reason: String| SandboxError::Cache { path: folder.to_owned(), reason };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|e| bad(e.to_string()))?;
    let folder = folder.canonicalize().map_err(|e| bad(e.to_string()))?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &folder.metadata().map_err(|e| bad(e.to_string()))?.permissions(),
        );
        if mode & 0o022 != 0 {
            return Err(bad(format!(
                "others may write to it (mode {:o}), and what it holds is run as native code; run `chmod go-w` on it",
                mode & 0o777
            )));
        }
    }
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    Cache::new(config).map_err(|e| bad(format!("{e:#}")))
}
