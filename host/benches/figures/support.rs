//! What the sections share: the clock, quantiles, what the process uses, and the parts of a scheduler.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use clockbox::{
    Job, JobId, Limits, PluginName, PluginSpec, Policy, Pool, PoolName, Source, Timestamp, Trigger,
    TriggerSpec,
    sandbox::{Plugin, Sandbox, SandboxOptions},
    store::{Access, JobStore, MemoryStore},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

/// What the work returns, and how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = clock();
    let done = work();
    (done, begin.elapsed())
}

pub(crate) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

pub(crate) fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

/// How much of something happened in a second.
pub(crate) fn rate(count: usize, span: Duration) -> f64 {
    count as f64 / span.as_secs_f64()
}

/// Measurements, sorted.
#[derive(Debug, Clone)]
pub(crate) struct Sample(Vec<f64>);

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

impl Sample {
    /// A quantile; NaN when nothing was measured.
    pub(crate) fn at(&self, quantile: f64) -> f64 {
        let place = (self.0.len() as f64 * quantile) as usize;
        self.0.get(place.min(self.0.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn p50(&self) -> f64 {
        self.at(0.5)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.at(0.99)
    }

    pub(crate) fn max(&self) -> f64 {
        self.at(1.0)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The resident bytes of this process; NaN where `/proc` does not tell.
pub(crate) fn resident() -> f64 {
    status("VmRSS:")
}

/// The most that they have been so far.
pub(crate) fn peak_resident() -> f64 {
    status("VmHWM:")
}

fn status(name: &str) -> f64 {
    let kib = |text: String| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?.trim().to_owned();
        line.split(' ').next()?.parse::<f64>().ok()
    };
    std::fs::read_to_string("/proc/self/status").ok().and_then(kib).map_or(f64::NAN, |kib| kib * 1024.0)
}

/// The CPU seconds that the threads of now have used; NaN where `/proc` does not tell.
pub(crate) fn cpu_seconds() -> f64 {
    let nanos = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(entry.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    std::fs::read_dir("/proc/self/task")
        .map_or(f64::NAN, |threads| threads.filter_map(nanos).sum::<f64>() / 1e9)
}

/// As many threads as the pool of a scheduler has.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// A runtime like that of a scheduler's guests.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads())
        .enable_all()
        .build()
        .expect("a runtime")
}

/// A folder on the disk that the build is on: `/tmp` may be in memory, where a durable commit costs nothing.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder")
}

/// A sandbox for so many instances, without a cache.
pub(crate) fn sandbox(max_instances: u32) -> Sandbox {
    Sandbox::new(SandboxOptions { max_instances, ..SandboxOptions::default() }).expect("a sandbox")
}

pub(crate) fn spec(name: &str) -> PluginSpec {
    PluginSpec {
        // A guest that sleeps or spins is to do so until it is stopped.
        limits: Limits { timeout: Duration::from_secs(7200), ..Limits::default() },
        ..PluginSpec::new(PluginName::new(name).expect("a name"), "bench")
    }
}

pub(crate) fn load(sandbox: &Sandbox, name: &str, bytes: &[u8]) -> Plugin {
    sandbox.load(bytes, &spec(name)).expect("a plugin that loads")
}

/// A trigger from its JSON, in UTC.
pub(crate) fn trigger(spec: &str) -> Trigger {
    let spec: TriggerSpec = serde_json::from_str(spec).expect("a trigger");
    Trigger::new(spec, chrono_tz::UTC).expect("a trigger")
}

/// A trigger that does not fire while a bench goes on.
pub(crate) fn never() -> Trigger {
    trigger(r#"{ "date": "2999-01-01T00:00:00Z" }"#)
}

pub(crate) fn job(name: &str, plugin: &str, trigger: Trigger) -> Job {
    Job {
        id: JobId::new(name).expect("a name"),
        plugin: PluginName::new(plugin).expect("a name"),
        pool: PoolName::default_pool(),
        trigger,
        args: "null".into(),
        policy: Arc::new(Policy::default()),
        source: Source::Api,
    }
}

/// The default pool with so many instances, and a queue that nothing fills.
pub(crate) fn pool(max_instances: u32) -> Pool {
    Pool { name: PoolName::default_pool(), max_instances, queue: 1_000_000 }
}

pub(crate) fn memory() -> Arc<dyn JobStore> {
    Arc::new(MemoryStore::new())
}

/// The database at `path`, new or not: WAL, synchronous=FULL, as every host opens it.
pub(crate) fn sqlite(path: &Path) -> Arc<dyn JobStore> {
    let opened_at = "2030-01-01T00:00:00Z".parse::<Timestamp>().expect("a time");
    let access = Access::ReadWrite { opened_at };
    clockbox::store::open(&format!("sqlite:{}", path.display()), Path::new(""), access).expect("a store")
}

/// What a section's `child` answers to these words in a fresh process: for resident memory, which no earlier section
/// may have touched.
pub(crate) fn child(section: &str, words: &[&str]) -> serde_json::Value {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--child", section])
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("a process");
    assert!(output.status.success(), "the child {section} {words:?} ended with {}", output.status);
    serde_json::from_slice(&output.stdout).expect("an answer in JSON")
}
