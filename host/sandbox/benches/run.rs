//! What a run costs in clockbox, against bare wasmtime in the same process: `cargo bench -p clockbox-sandbox`.
//!
//! Both sides make a fresh instance of the same no-op job for each run, with the same engine settings: a
//! `wasmtime::Store`, a WASI context, instantiation, the call, and the end of it all. What clockbox adds is the
//! memory limit, the deadline, the log, the rights and the report. The two take turns, so that a noisy machine is
//! noisy for both.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

mod bare;
#[path = "../tests/sandbox/support.rs"]
#[expect(dead_code, reason = "the bench needs the maker of job components alone")]
mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bare::Bare;
use clockbox_core::model::{LogLine, Outcome, Timestamp};
use clockbox_sandbox::{CancelToken, Plugin, RunRequest, RunSink};

const ROUNDS: usize = 100;
const RUNS_A_ROUND: usize = 200;

struct Quiet;

impl RunSink for Quiet {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    fn log(&self, _: LogLine) {}
    fn progress(&self, _: u64, _: Option<u64>, _: Option<String>) {}
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
    let guest = Bare::load(&bytes, 100).expect("the bare guest");
    let plugin = support::load(&bytes);
    let (sink, request) = (Arc::new(Quiet), support::request("null"));
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        for round in 0..=ROUNDS {
            for _ in 0..RUNS_A_ROUND {
                let start = Instant::now();
                guest.run().await.expect("a bare run");
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
