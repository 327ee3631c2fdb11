//! What a run costs in clockbox, against bare wasmtime in the same process: `cargo bench -p clockbox-sandbox`.
//!
//! Both sides make a fresh instance of the same no-op job for each run, with the same engine settings: a
//! `wasmtime::Store`, a WASI context, instantiation, the call, and the end of it all. What clockbox adds is the
//! memory limit, the deadline, the log, the rights and the report. The two take turns, so that a noisy machine is
//! noisy for both.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

#[path = "../tests/sandbox/support.rs"]
#[expect(dead_code, reason = "the bench needs the maker of job components alone")]
mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clockbox_core::model::{LogLine, Outcome, Timestamp};
use clockbox_sandbox::{CancelToken, Plugin, RunRequest, RunSink};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, UpdateDeadline,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use bindings::JobPre;

const ROUNDS: usize = 100;
const RUNS_A_ROUND: usize = 200;

mod bindings {
    wasmtime::component::bindgen!({ path: "../../wit", world: "job", exports: { default: async } });
}

struct Bare {
    table: ResourceTable,
    wasi: WasiCtx,
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

struct Quiet;

impl RunSink for Quiet {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    fn log(&self, _: LogLine) {}
    fn progress(&self, _: u64, _: Option<u64>, _: Option<String>) {}
}

/// The guest on an engine set up as the sandbox's is.
fn bare(bytes: &[u8]) -> wasmtime::Result<JobPre<Bare>> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(100)
        .total_core_instances(400)
        .total_memories(100)
        .total_tables(200)
        .total_stacks(100)
        .table_elements(100_000)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
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
    JobPre::new(linker.instantiate_pre(&component)?)
}

async fn run_bare(pre: &JobPre<Bare>) -> wasmtime::Result<()> {
    let guest = Bare { table: ResourceTable::new(), wasi: WasiCtx::builder().build() };
    let mut store = Store::new(pre.engine(), guest);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))));
    let job = pre.instantiate_async(&mut store).await?;
    let answer = job.clockbox_job_runner().call_run(&mut store, "null").await?;
    assert!(answer.is_ok());
    Ok(())
}

async fn run_ours(plugin: &Plugin, request: &RunRequest, sink: &Arc<Quiet>) {
    let report = plugin.run(request.clone(), sink.clone(), CancelToken::new()).await;
    assert_eq!(report.outcome, Outcome::Succeeded);
}

fn print(name: &str, times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    let (p50, p99) = (at(0.5), at(0.99));
    println!("{name:<22} p50 {p50:>7.1} µs   p99 {p99:>7.1} µs");
    (p50, p99)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bytes = support::job("(call $none)");
    let pre = bare(&bytes).expect("the bare guest");
    let plugin = support::load(&bytes);
    let (sink, request) = (Arc::new(Quiet), support::request("null"));
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        for round in 0..=ROUNDS {
            for _ in 0..RUNS_A_ROUND {
                let start = Instant::now();
                run_bare(&pre).await.expect("a bare run");
                bare.push(start.elapsed());
            }
            for _ in 0..RUNS_A_ROUND {
                let start = Instant::now();
                run_ours(&plugin, &request, &sink).await;
                ours.push(start.elapsed());
            }
            // The first round warms the caches and the pool.
            if round == 0 {
                bare.clear();
                ours.clear();
            }
        }
    });
    println!("{} no-op runs each, allocator: {:?}", ours.len(), support::sandbox().allocator());
    let floor = print("bare wasmtime", &mut bare);
    let cost = print("Plugin::run", &mut ours);
    println!("{:<22} p50 {:>7.2}      p99 {:>7.2}", "ratio", cost.0 / floor.0, cost.1 / floor.1);
}
