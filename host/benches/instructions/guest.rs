//! One run of a guest after the other, on this thread.

use std::sync::Arc;

use clockbox::{
    Cause, JobId, LogLine, Outcome, PluginName, PluginSpec, RunId, Timestamp,
    sandbox::{Allocator, CancelToken, Plugin, RunRequest, RunSink, Sandbox, SandboxOptions},
};

use crate::bare::{self, Bare};

/// A job component that does nothing.
const NOOP: &[u8] = include_bytes!("../figures/guests/tiny.wat");
/// Instances that there is room for: under valgrind there is little address space.
pub(crate) const INSTANCES: u32 = 5;

/// Where nothing goes, at a time that stands still.
struct Quiet(Timestamp);

impl RunSink for Quiet {
    fn now(&self) -> Timestamp {
        self.0
    }
    fn log(&self, _: LogLine) {}
    fn progress(&self, _: u64, _: Option<u64>, _: Option<String>) {}
}

pub(crate) fn in_the_sandbox(runs: usize) {
    let plugin = plugin();
    let now: Timestamp = "2030-01-01T00:00:00Z".parse().expect("a time");
    let request = RunRequest {
        job: JobId::new("no-op").expect("a name"),
        run: RunId::next(None, now),
        attempt: 1,
        scheduled_at: now,
        previous_success: Some(now),
        cause: Cause::Trigger,
        args: "null".into(),
    };
    let sink = Arc::new(Quiet(now));
    runtime().block_on(async {
        for _ in 0..runs {
            let report = plugin.run(request.clone(), sink.clone(), CancelToken::new()).await;
            assert_eq!(report.outcome, Outcome::Succeeded);
        }
    });
}

pub(crate) fn in_bare_wasmtime(runs: usize) {
    let bare = Bare::job(&bare::engine(INSTANCES, None), NOOP);
    runtime().block_on(async {
        for _ in 0..runs {
            bare.run().await;
        }
    });
}

/// The guest in a sandbox of its own.
pub(crate) fn plugin() -> Plugin {
    let options = SandboxOptions { max_instances: INSTANCES, ..SandboxOptions::default() };
    let sandbox = Sandbox::new(options).expect("a sandbox");
    // What is allocated on demand costs so much more that nothing could be compared.
    assert_eq!(sandbox.allocator(), Allocator::Pooling, "there is no address space for a pool");
    let spec = PluginSpec::new(PluginName::new("no-op").expect("a name"), "no-op.wat");
    sandbox.load(NOOP, &spec).expect("a guest that loads")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
