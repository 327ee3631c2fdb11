//! Whole-host figures, each beside its floor or limit, in one run: `cargo bench -p clockbox --bench host`.
//! `CLOCKBOX_BENCH_SECONDS` sets how long the steady load lasts (60).

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use clockbox::{
    Event, Job, JobId, Limits, Outcome, PluginName, PluginSpec, Policy, PoolName, Rights, Scheduler, Source,
    Timestamp, Trigger, TriggerSpec,
    sandbox::{Plugin, Sandbox, SandboxOptions},
    store::{Access, JobStore, RunFilter},
};

const JOBS: usize = 1_000;
const PLUGINS: usize = 20;
const GUEST: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

fn main() {
    let seconds =
        std::env::var("CLOCKBOX_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let folder = tempfile::tempdir().expect("a temporary folder");
    start(folder.path());
    load(folder.path(), seconds);
}

/// Start with 20 plugins: cold, and with the compile cache warm; memory with 1,000 idle jobs.
fn start(folder: &Path) {
    let real = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/prebuilt/hello.wasm"))
        .expect("hello.wasm");
    let mut took = Vec::new();
    for round in ["cold", "warm"] {
        let begin = clock();
        let sandbox = sandbox(folder);
        let plugins: Vec<Plugin> = (0..PLUGINS)
            .map(|n| {
                // A custom section of its own makes each a file of its own.
                let mut bytes = real.clone();
                bytes.extend([0, 3, 1, b'x', n as u8]);
                sandbox.load(&bytes, &spec(n)).expect("a plugin that loads")
            })
            .collect();
        let database = folder.join(format!("{round}.db"));
        let mut builder = Scheduler::builder().store(store(&database));
        for (n, plugin) in plugins.into_iter().enumerate() {
            builder = builder.plugin(spec(n).name, plugin);
        }
        let soon = trigger(r#"{ "date": "2020-01-01T00:00:00Z" }"#);
        let forever = Policy { misfire_grace: clockbox::Grace::Forever, ..Policy::default() };
        builder = builder.job(Job { policy: forever.into(), ..job("first", soon) });
        let yearly = trigger(r#"{ "cron": "0 0 1 1 *" }"#);
        for n in 0..JOBS {
            builder = builder.job(job(&format!("idle-{n}"), yearly.clone()));
        }
        let scheduler = builder.start().expect("a scheduler that starts");
        wait_for_first(&scheduler);
        took.push(begin.elapsed());
        println!(
            "start to the end of the first run, {PLUGINS} plugins of {} KiB, {} jobs, cache {round}: {:.0} ms{}",
            real.len() / 1024,
            JOBS + 1,
            ms(begin.elapsed()),
            if round == "warm" { " (limit 1000 ms)" } else { "" },
        );
        if round == "warm" {
            println!(
                "resident memory with {PLUGINS} plugins and {JOBS} idle jobs: {:.1} MiB (limit 100 MiB)",
                resident_mib()
            );
        }
        scheduler.shutdown(Duration::from_secs(1)).wait().expect("a scheduler that stops");
    }
    println!("cold against warm: {:.1} x", took[0].as_secs_f64() / took[1].as_secs_f64());
}

/// 1,000 jobs that fire every second, each in an instance of its own, every fire and outcome durable.
fn load(folder: &Path, seconds: u64) {
    let floor = bare_timer(seconds.min(10));
    let sandbox = sandbox(folder);
    let plugin = sandbox.load(GUEST.as_bytes(), &spec(0)).expect("a guest that loads");
    let database = folder.join("load.db");
    let store = store(&database);
    let scheduler = Scheduler::builder()
        .store(Arc::clone(&store))
        .plugin(spec(0).name, plugin)
        .pool(clockbox::Pool { name: PoolName::default_pool(), max_instances: 100, queue: 10_000 })
        .start()
        .expect("a scheduler that starts");
    let mut events = scheduler.subscribe();
    let first = scheduler.clock().now() + Duration::from_secs(2);
    let last = first + Duration::from_secs(seconds - 1);
    let cpu = cpu_seconds();
    for n in 0..JOBS {
        let (start, end) = (first.to_rfc3339(), last.to_rfc3339());
        let trigger = trigger(&format!(r#"{{ "interval": "1s", "start": "{start}", "end": "{end}" }}"#));
        scheduler.add_job(job(&format!("every-second-{n}"), trigger)).wait().expect("a job that is added");
    }
    let expected = JOBS * seconds as usize;
    let (mut finished, mut lost_events, mut together) = (0, 0, 0);
    let mut late = Vec::with_capacity(expected);
    while finished < expected {
        match events.next_blocking() {
            Some(Ok(happening)) => match happening.event {
                // On a machine that cannot keep up, one run may stand for several fires.
                Event::Fired { coalesced, .. } => {
                    finished += coalesced as usize;
                    together += coalesced as usize;
                }
                Event::RunStarted { scheduled_at, .. } => late.push(happening.at - scheduled_at),
                Event::RunFinished { outcome: Outcome::Succeeded, .. } => finished += 1,
                Event::RunFinished { .. } | Event::Missed { .. } | Event::Skipped { .. } => {
                    println!("unexpected: {happening:?}");
                    finished += 1;
                }
                _ => {}
            },
            Some(Err(lost)) => lost_events += lost,
            None => break,
        }
    }
    let cpu = cpu_seconds() - cpu;
    scheduler.shutdown(Duration::from_secs(5)).wait().expect("a scheduler that stops");
    let on_record = store.runs(&RunFilter::default()).expect("a history");
    let succeeded = on_record.iter().filter(|run| run.outcome == Some(Outcome::Succeeded)).count();
    let mut late: Vec<f64> =
        late.iter().map(|late| late.num_microseconds().unwrap_or(0) as f64 / 1000.0).collect();
    late.sort_by(f64::total_cmp);
    println!(
        "{JOBS} jobs every second for {seconds} s, SQLite (WAL, synchronous=FULL): {expected} fires, {} on record, \
         {succeeded} succeeded, {} lost, {lost_events} events lost",
        on_record.len(),
        expected - on_record.len() - together,
    );
    println!(
        "lateness (record durable, instance released): p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms; bare timer loop p99 \
         {:.2} ms: {:.1} x",
        at(&late, 0.5),
        at(&late, 0.99),
        late.last().copied().unwrap_or(0.0),
        floor,
        at(&late, 0.99) / floor,
    );
    println!(
        "CPU used: {:.0} % of one core, {:.0} us a run",
        cpu / seconds as f64 * 100.0,
        cpu / expected as f64 * 1e6
    );
}

/// The p99 lateness in ms of a loop that does nothing but sleep until the next tenth of a second.
fn bare_timer(seconds: u64) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut late: Vec<f64> = runtime.block_on(async {
        let mut late = Vec::new();
        let begin = clock() + Duration::from_millis(10);
        for n in 0..seconds * 10 {
            let due = begin + Duration::from_millis(n * 100);
            tokio::time::sleep_until(due.into()).await;
            late.push(ms(due.elapsed()));
        }
        late
    });
    late.sort_by(f64::total_cmp);
    at(&late, 0.99)
}

fn wait_for_first(scheduler: &Scheduler) {
    // The run may be over before anybody listens, so the store is asked as well.
    let mut events = scheduler.subscribe();
    let done = || {
        let runs = scheduler.store().runs(&RunFilter::default()).expect("a history");
        runs.iter().any(|run| run.outcome.is_some())
    };
    while !done() {
        events.next_blocking();
    }
}

fn sandbox(folder: &Path) -> Sandbox {
    let options = SandboxOptions { cache_dir: Some(folder.join("cache")), ..SandboxOptions::default() };
    Sandbox::new(options).expect("a sandbox")
}

fn store(path: &Path) -> Arc<dyn JobStore> {
    let opened_at = "2030-01-01T00:00:00Z".parse::<Timestamp>().expect("a time");
    let access = Access::ReadWrite { opened_at };
    clockbox::store::open(&format!("sqlite:{}", path.display()), Path::new(""), access).expect("a store")
}

fn spec(n: usize) -> PluginSpec {
    PluginSpec {
        name: PluginName::new(format!("plugin-{n}")).expect("a name"),
        path: "bench".into(),
        sha256: None,
        rights: Rights::default(),
        limits: Limits::default(),
        config: Default::default(),
    }
}

fn trigger(spec: &str) -> Trigger {
    let spec: TriggerSpec = serde_json::from_str(spec).expect("a trigger");
    Trigger::new(spec, chrono_tz::UTC).expect("a trigger")
}

fn job(name: &str, trigger: Trigger) -> Job {
    Job {
        id: JobId::new(name).expect("a name"),
        plugin: spec(0).name,
        pool: PoolName::default_pool(),
        trigger,
        args: "null".into(),
        policy: Policy::default().into(),
        source: Source::Api,
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn clock() -> Instant {
    Instant::now()
}

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// A quantile of sorted figures.
fn at(sorted: &[f64], quantile: f64) -> f64 {
    let n = (sorted.len() as f64 * quantile) as usize;
    sorted.get(n.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

fn resident_mib() -> f64 {
    let field = |text: String| text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(field)
        .map_or(f64::NAN, |pages| pages * 4096.0 / 1048576.0)
}

/// User and system time of this process so far.
fn cpu_seconds() -> f64 {
    let ticks = |text: String| {
        let rest = text.rsplit_once(") ")?.1.to_owned();
        let field = |n: usize| rest.split(' ').nth(n).and_then(|ticks| ticks.parse::<f64>().ok());
        Some((field(11)? + field(12)?) / 100.0)
    };
    std::fs::read_to_string("/proc/self/stat").ok().and_then(ticks).unwrap_or(f64::NAN)
}
