//! The floor: the same guests in bare wasmtime, on an engine set up as the sandbox's is.

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, UpdateDeadline,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use bindings::JobPre;

mod bindings {
    wasmtime::component::bindgen!({ path: "../../wit", world: "job", exports: { default: async } });
}

/// What a guest without any rights needs of its host.
pub(crate) struct Guest {
    table: ResourceTable,
    wasi: WasiCtx,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A job component, ready to run.
pub(crate) struct Bare(JobPre<Guest>);

impl Bare {
    /// Compiles the component on an engine with a pool for `max_instances` runs at one time.
    pub(crate) fn load(bytes: &[u8], max_instances: u32) -> wasmtime::Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(max_instances)
            .total_core_instances(4 * max_instances)
            .total_memories(max_instances)
            .total_tables(2 * max_instances)
            .total_stacks(max_instances)
            .table_elements(100_000)
            .linear_memory_keep_resident(1 << 20)
            .pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .concurrency_support(false)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;
        let component = Component::from_binary(&engine, bytes)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        linker.define_unknown_imports_as_traps(&component)?;
        Ok(Self(JobPre::new(linker.instantiate_pre(&component)?)?))
    }

    /// Runs it once, in an instance of its own.
    pub(crate) async fn run(&self) -> wasmtime::Result<()> {
        let guest = Guest { table: ResourceTable::new(), wasi: WasiCtx::builder().build() };
        let mut store = Store::new(self.0.engine(), guest);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        let job = self.0.instantiate_async(&mut store).await?;
        let answer = job.clockbox_job_runner().call_run(&mut store, "null").await?;
        assert!(answer.is_ok());
        Ok(())
    }
}
