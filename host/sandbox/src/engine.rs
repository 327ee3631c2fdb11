//! The WebAssembly engines: how they are set up.

use clockbox_core::model::Limits;
use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails,
    component::Linker,
};

use crate::{
    SandboxError,
    error::{LARGEST_TABLE, MOST_MEMORIES, MOST_MODULES, MOST_TABLES},
    guest::Guest,
    imports,
};

/// How the memory of instances is had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocator {
    /// From slots that are reserved when the sandbox is made: a run costs the least.
    Pooling,
    /// From the operating system, for each run: for machines that are short of address space.
    OnDemand,
}

/// What of a plugin's limits is a property of the engine that runs it: plugins that differ in it need engines of their
/// own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct EngineSettings {
    /// Whether its code counts fuel.
    pub(crate) fuel: bool,
    /// The size of a guest's call stack in bytes, where it is not the usual one.
    pub(crate) stack: Option<u64>,
}

impl EngineSettings {
    pub(crate) fn of(limits: &Limits) -> Self {
        Self { fuel: limits.fuel.is_some(), stack: limits.stack }
    }

    /// The settings of engine and compiler, apart from how instances get their memory.
    fn config(self, coredumps: bool) -> Config {
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .consume_fuel(self.fuel)
            // Guests are lifted synchronously; without the support for concurrent ones a run costs less than half.
            .concurrency_support(false)
            .wasm_backtrace_details(WasmBacktraceDetails::Enable)
            .coredump_on_trap(coredumps)
            .shared_memory(false);
        if let Some(stack) = self.stack {
            let stack = usize::try_from(stack).unwrap_or(usize::MAX);
            config.max_wasm_stack(stack).async_stack_size(stack.saturating_add(HOST_STACK));
        }
        config
    }

    /// An engine that compiles and runs nothing. Code is the same whether core dumps are made or not: they are taken by
    /// the engine that runs it.
    pub(crate) fn compiler(self) -> wasmtime::Result<Engine> {
        let mut config = self.config(false);
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    }
}

/// The stack that calls of the host have beyond that of the guest: as much as wasmtime's own defaults leave.
const HOST_STACK: usize = 3 << 19;

/// What stands for all that code depends on beside the WebAssembly that it is compiled from: the version and the settings
/// of the compiler, and this machine's processor.
pub(crate) fn compatibility(engine: &Engine) -> [u8; 32] {
    struct Digest(Sha256);
    impl std::hash::Hasher for Digest {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        // Nobody asks: the whole digest is taken.
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut digest = Digest(Sha256::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut digest);
    digest.0.finalize().into()
}

/// An engine with everything that guests may import.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    /// For components.
    pub(crate) linker: Linker<Guest>,
    /// For preview-1 modules.
    pub(crate) preview_1: wasmtime::Linker<Guest>,
    pub(crate) allocator: Allocator,
    pub(crate) settings: EngineSettings,
    /// What its code is known by.
    pub(crate) compatibility: [u8; 32],
}

impl Machine {
    /// Builds an engine for `max_instances` runs at one time.
    ///
    /// Instances come from a pool if the machine lets it. Each pool takes terabytes of address space: engines for stacks
    /// of another size, of which there may be several, do without.
    pub(crate) fn new(
        settings: EngineSettings,
        max_instances: u32,
        coredumps: bool,
    ) -> Result<Self, SandboxError> {
        let bad = |e| SandboxError::Engine(format!("{e:#}"));
        let mut config = settings.config(coredumps);
        let mut pooling = None;
        if settings.stack.is_none() {
            config.allocation_strategy(pool(max_instances));
            match Engine::new(&config) {
                Ok(engine) => pooling = Some(engine),
                Err(e) => {
                    tracing::warn!(
                        "instances are allocated on demand, because no pool can be reserved: {e:#}"
                    );
                }
            }
        }
        let (engine, allocator) = match pooling {
            Some(engine) => (engine, Allocator::Pooling),
            None => {
                config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
                (Engine::new(&config).map_err(bad)?, Allocator::OnDemand)
            }
        };
        let linker = imports::linker(&engine).map_err(bad)?;
        let preview_1 = imports::preview_1(&engine).map_err(bad)?;
        let compatibility = compatibility(&engine);
        Ok(Self { engine, linker, preview_1, allocator, settings, compatibility })
    }
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
        .max_core_instances_per_component(MOST_MODULES)
        .max_memories_per_component(MOST_MEMORIES)
        .max_tables_per_component(MOST_TABLES)
        .total_stacks(max_instances)
        .total_gc_heaps(max_instances)
        .table_elements(LARGEST_TABLE)
        // Pages that a guest touched stay with its slot, found by a scan of the page map: this halves the cost of a
        // run, and without the scan it would raise it.
        .linear_memory_keep_resident(1 << 20)
        // Likewise the tables, of which most fit a page: giving one back interrupts every core that runs this process.
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_a_compiler_without_a_pool_fits_engines_with_one() {
        for fuel in [false, true] {
            let settings = EngineSettings { fuel, stack: None };
            let machine = Machine::new(settings, 1, true).unwrap();
            assert_eq!(compatibility(&settings.compiler().unwrap()), machine.compatibility);
            let dumps = Engine::new(&settings.config(true)).unwrap();
            let none = Engine::new(&settings.config(false)).unwrap();
            assert_eq!(compatibility(&dumps), compatibility(&none), "core dumps are no matter of code");
            let deep = EngineSettings { stack: Some(4 << 20), ..settings };
            assert_eq!(
                compatibility(&deep.compiler().unwrap()),
                machine.compatibility,
                "a stack is no matter of code"
            );
        }
        let plain = EngineSettings::default().compiler().unwrap();
        let fuelled = EngineSettings { fuel: true, stack: None }.compiler().unwrap();
        assert_ne!(compatibility(&plain), compatibility(&fuelled));
    }
}
