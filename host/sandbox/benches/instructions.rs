//! Runs of a guest that does nothing, whose instructions are counted: see the host's bench of this name.

mod bare;
#[path = "../../benches/instructions/scenarios.rs"]
mod scenarios;
#[path = "../tests/sandbox/support.rs"]
#[expect(dead_code, reason = "the bench needs the maker of job components alone")]
mod support;

use std::{process::ExitCode, sync::Arc};

use clockbox_core::model::{LogLine, Outcome, Timestamp};
use clockbox_sandbox::{Allocator, CancelToken, RunSink, Sandbox, SandboxOptions};
use scenarios::Scenario;

/// The address space that valgrind leaves is too small for the pool of a host.
const INSTANCES: u32 = 2;

struct Quiet;

impl RunSink for Quiet {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    fn log(&self, _: LogLine) {}
    fn progress(&self, _: u64, _: Option<u64>, _: Option<String>) {}
}

fn main() -> ExitCode {
    scenarios::main(&[
        Scenario {
            name: "run",
            what: "a no-op job component in the sandbox, from instance to report",
            run: ours,
        },
        Scenario {
            name: "bare",
            what: "the same component in bare wasmtime with the same engine settings",
            run: bare,
        },
    ])
}

fn guest() -> Vec<u8> {
    support::job("(call $none)")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn ours(runs: usize) {
    let options = SandboxOptions { max_instances: INSTANCES, ..SandboxOptions::default() };
    let sandbox = Sandbox::new(options).expect("a sandbox");
    // What is allocated on demand costs far more: a count of that would be of no use.
    assert_eq!(sandbox.allocator(), Allocator::Pooling, "there is no address space for a pool");
    let plugin = sandbox.load(&guest(), &support::spec("no-op")).expect("a guest that loads");
    let (sink, request) = (Arc::new(Quiet), support::request("null"));
    runtime().block_on(async {
        for _ in 0..runs {
            let report = plugin.run(request.clone(), sink.clone(), CancelToken::new()).await;
            assert_eq!(report.outcome, Outcome::Succeeded);
        }
    });
}

fn bare(runs: usize) {
    let bare = bare::Bare::load(&guest(), INSTANCES).expect("a guest that loads");
    runtime().block_on(async {
        for _ in 0..runs {
            bare.run().await.expect("a run");
        }
    });
}
