//! The floor: wasmtime alone, with the engine settings of the sandbox. A run is a `wasmtime::Store`, a WASI context,
//! instantiation, the call, and the end of it all; there is no deadline, limit, log or report.

use std::path::Path;

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, InstancePre, Module,
    PoolingAllocationConfig, Store, UpdateDeadline, WasmBacktraceDetails,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, p1::WasiP1Ctx};

use bindings::JobPre;

mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "job", exports: { default: async } });
}

/// The engine of [`clockbox::sandbox::Sandbox`], with a pool of so many instances and a cache where a folder is given.
pub(crate) fn engine(instances: u32, cache: Option<&Path>) -> Engine {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances * 4)
        .total_memories(instances * 2)
        .total_tables(instances * 2)
        .max_core_instances_per_component(64)
        .max_memories_per_component(4)
        .max_tables_per_component(64)
        .total_stacks(instances)
        .total_gc_heaps(instances)
        .table_elements(100_000)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .shared_memory(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    if let Some(folder) = cache {
        let mut kept = CacheConfig::new();
        kept.with_directory(folder);
        config.cache(Some(Cache::new(kept).expect("a cache")));
    }
    Engine::new(&config).expect("an engine")
}

/// Compiles a component, or takes it from the engine's cache; the code is dropped.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Component {
    Component::new(engine, bytes).expect("a component")
}

/// A guest that is ready to run.
#[derive(Clone)]
pub(crate) enum Bare {
    /// A job component.
    Job(JobPre<Guest>),
    /// A preview-1 module.
    Module(InstancePre<WasiP1Ctx>),
}

/// What a component has on the host's side.
pub(crate) struct Guest {
    table: ResourceTable,
    wasi: WasiCtx,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Bare {
    /// A job component, binary or text.
    pub(crate) fn job(engine: &Engine, bytes: &[u8]) -> Self {
        let component = compile(engine, bytes);
        let mut linker = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI 0.2");
        linker.define_unknown_imports_as_traps(&component).expect("imports");
        Self::Job(JobPre::new(linker.instantiate_pre(&component).expect("a link")).expect("a job"))
    }

    /// A preview-1 module, binary or text.
    pub(crate) fn module(engine: &Engine, bytes: &[u8]) -> Self {
        let module = Module::new(engine, bytes).expect("a module");
        let mut linker = wasmtime::Linker::new(engine);
        wasmtime_wasi::p1::add_to_linker_async(&mut linker, |wasi: &mut WasiP1Ctx| wasi).expect("preview 1");
        Self::Module(linker.instantiate_pre(&module).expect("a link"))
    }

    /// One run, from a new `wasmtime::Store` to its end.
    pub(crate) async fn run(&self) {
        match self {
            Self::Job(pre) => {
                let guest = Guest { table: ResourceTable::new(), wasi: WasiCtx::builder().build() };
                let mut store = Store::new(pre.engine(), guest);
                set_deadline(&mut store);
                let job = pre.instantiate_async(&mut store).await.expect("an instance");
                let answer = job.clockbox_job_runner().call_run(&mut store, "null").await;
                assert!(answer.expect("a call").is_ok());
            }
            Self::Module(pre) => {
                let mut store = Store::new(pre.module().engine(), WasiCtx::builder().build_p1());
                set_deadline(&mut store);
                let instance = pre.instantiate_async(&mut store).await.expect("an instance");
                let start = instance.get_typed_func::<(), ()>(&mut store, "_start").expect("a command");
                start.call_async(&mut store, ()).await.expect("a call");
            }
        }
    }
}

fn set_deadline<T>(store: &mut Store<T>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))));
}
