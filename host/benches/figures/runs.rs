//! Section `runs`: what one run costs from end to end, and how many there are in a second.

use std::{sync::Arc, time::Duration};

use clockbox::{
    Event, Happening, Job, Outcome, Policy, Scheduler, Subscription, Timestamp, WhenDone,
    sandbox::{Plugin, Sandbox},
    store::JobStore,
};
use tokio::runtime::Runtime;

use crate::{
    apscheduler,
    bare::{self, Bare},
    guests,
    options::Options,
    raw_rows,
    report::{Figure, Limit, Report},
    support::{self, Sample, clock, cpu_seconds, folder, micros, rate},
};

/// Instances that the sandbox has room for; the threads decide how many there are.
const INSTANCES: u32 = 1_000;
/// Places for all that is due at once: no fire waits for one, which would be a further row.
const PLACES: u32 = 100_000;

pub(crate) fn run(report: &mut Report, options: &Options) {
    let engine = bare::engine(INSTANCES, None);
    let sandbox = support::sandbox(INSTANCES);
    let runtime = support::runtime();
    let tiny = (Bare::job(&engine, guests::TINY), support::load(&sandbox, "tiny", guests::TINY));
    let bare = Bare::job(&engine, guests::NOOP);
    let plugin = support::load(&sandbox, "noop", guests::NOOP);
    one(report, options, "one run", Limit::AtMost(1.5), &bare, &plugin, &runtime);
    let name = "one run of the smallest component there is";
    one(report, options, name, Limit::None, &tiny.0, &tiny.1, &runtime);
    concurrent(report, options, &bare, &sandbox, &plugin);
    many(report, options, &bare, &plugin, &runtime);
}

/// One run at a time.
fn one(
    report: &mut Report,
    options: &Options,
    name: &str,
    limit: Limit,
    bare: &Bare,
    plugin: &Plugin,
    runtime: &Runtime,
) {
    let (rounds, runs) = if options.quick { (10, 100) } else { (50, 200) };
    let scheduler = scheduler(support::memory(), plugin, 1);
    scheduler.add_job(always("one", support::never())).wait().expect("a job");
    let (mut alone, mut next, mut handed, mut asked) = (vec![], vec![], vec![], vec![]);
    // The first round warms everything, and does not count.
    for round in 0..=rounds {
        let bare_runs = runtime.block_on(runtime.spawn({
            let bare = bare.clone();
            async move { repeat(&bare, runs).await }
        }));
        let ours = back_to_back(&scheduler, runs);
        let (mut to_runtime, mut to_scheduler) = (vec![], vec![]);
        for _ in 0..runs / 10 {
            to_runtime.push(hand_over(bare, runtime));
            to_scheduler.push(ask_and_hear(&scheduler));
        }
        if round > 0 {
            alone.extend(bare_runs.expect("bare runs"));
            next.extend(ours);
            handed.extend(to_runtime);
            asked.extend(to_scheduler);
        }
    }
    stop(&scheduler);
    let [alone, next, handed, asked] = [alone, next, handed, asked].map(Sample::from_iter);
    report.figure(Figure {
        name: format!("{name} end to end, memory store, p50"),
        ours: format!("{:.1} µs (p99 {:.1})", next.p50(), next.p99()),
        beside: format!("bare wasmtime {:.1} µs (p99 {:.1})", alone.p50(), alone.p99()),
        ratio: Some(next.p50() / alone.p50()),
        limit,
    });
    report.figure(Figure {
        name: format!("{name} asked for and heard of by another thread, p50"),
        ours: format!("{:.1} µs (p99 {:.1})", asked.p50(), asked.p99()),
        beside: format!("bare wasmtime spawned and awaited {:.1} µs (p99 {:.1})", handed.p50(), handed.p99()),
        ratio: Some(asked.p50() / handed.p50()),
        limit: Limit::None,
    });
}

/// The times of bare runs, one after the other.
async fn repeat(bare: &Bare, runs: usize) -> Vec<f64> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let begin = clock();
        bare.run().await;
        times.push(micros(begin.elapsed()));
    }
    times
}

/// The times from the record of one run's end to that of the next, with one place: decided, recorded, run in an
/// instance, recorded and published.
fn back_to_back(scheduler: &Scheduler, runs: usize) -> Vec<f64> {
    let mut events = scheduler.subscribe();
    scheduler.pause(None, None).wait().expect("a pause");
    let job = || "one".parse().expect("a name");
    let asked: Vec<_> = (0..runs).map(|_| scheduler.run_now(job(), None)).collect();
    asked.into_iter().for_each(|run| _ = run.wait().expect("a run on record"));
    scheduler.resume().wait().expect("a resumption");
    let ends = ends(&mut events, runs);
    let micros = |span: chrono::TimeDelta| span.num_microseconds().unwrap_or(i64::MAX) as f64;
    ends.windows(2).map(|pair| micros(pair[1] - pair[0])).collect()
}

/// When each of so many runs ended: all must succeed. It looks each millisecond, as a listener that sleeps until the next
/// event would be woken, and paid for, at each run.
fn ends(events: &mut Subscription, runs: usize) -> Vec<Timestamp> {
    let mut ends = Vec::with_capacity(runs);
    while ends.len() < runs {
        match events.try_next() {
            Some(happening) => ends.extend(end(&happening.expect("all events"))),
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    ends
}

/// Waits for the end of so many runs. Of very many that are due at once, more may be told than is kept for a listener:
/// then it asks until nothing is due and nothing runs.
fn all_ended(scheduler: &Scheduler, events: &mut Subscription, runs: usize) {
    let is_idle = || {
        let status = scheduler.status().wait().expect("a status");
        let is_due = status.next_wake.is_some_and(|next| next <= scheduler.clock().now());
        status.running + status.waiting == 0 && !is_due
    };
    let (mut ended, mut is_lossy) = (0, false);
    while ended < runs {
        match events.try_next() {
            Some(Ok(happening)) => ended += usize::from(end(&happening).is_some()),
            Some(Err(_)) => is_lossy = true,
            None if is_lossy && is_idle() => return,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// When a run ended, where this says so.
fn end(happening: &Happening) -> Option<Timestamp> {
    match happening.event {
        Event::RunFinished { outcome: Outcome::Succeeded, .. } => Some(happening.at),
        Event::RunFinished { .. } | Event::Missed { .. } | Event::Skipped { .. } => {
            panic!("unexpected: {happening:?}")
        }
        _ => None,
    }
}

/// A bare run as a task of another thread, until this one hears of its end.
fn hand_over(bare: &Bare, runtime: &Runtime) -> f64 {
    let bare = bare.clone();
    let begin = clock();
    let run = runtime.spawn(async move { bare.run().await });
    runtime.block_on(run).expect("a run");
    micros(begin.elapsed())
}

fn ask_and_hear(scheduler: &Scheduler) -> f64 {
    let mut events = scheduler.subscribe();
    let begin = clock();
    let asked = scheduler.run_now("one".parse().expect("a name"), None);
    while end(&events.next_blocking().expect("a scheduler that runs").expect("all events")).is_none() {}
    let took = micros(begin.elapsed());
    asked.wait().expect("a run on record");
    took
}

/// Throughput by the number of places, for the growth plot.
fn concurrent(report: &mut Report, options: &Options, bare: &Bare, sandbox: &Sandbox, plugin: &Plugin) {
    let jobs = if options.quick { 2_000 } else { 10_000 };
    debug_assert_eq!(sandbox.allocator(), clockbox::sandbox::Allocator::Pooling);
    for places in [1, 2, 4, 16, 64, 256] {
        let scheduler = scheduler(support::memory(), plugin, places);
        let ours = due(&scheduler, jobs, 0);
        stop(&scheduler);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(support::threads().min(places as usize))
            .enable_all()
            .build()
            .expect("a runtime");
        let floor = bare_rate(bare, &runtime, jobs, support::threads().min(places as usize));
        report.plot_point("throughput: clockbox", f64::from(places), rate(jobs, ours.took));
        report.plot_point("throughput: bare wasmtime", f64::from(places), floor.0);
    }
}

/// As many runs as the machine can do.
fn many(report: &mut Report, options: &Options, bare: &Bare, plugin: &Plugin, runtime: &Runtime) {
    let (rounds, jobs) = if options.quick { (2, 5_000) } else { (5, 20_000) };
    let place = folder();
    let memory = scheduler(support::memory(), plugin, PLACES);
    let durable = scheduler(support::sqlite(&place.path().join("runs.db")), plugin, PLACES);
    let [mut bare_rates, mut memory_rates, mut durable_rates, mut raw_rates] = [const { Vec::new() }; 4];
    let mut both_rates = Vec::new();
    let [mut bare_cpu, mut memory_cpu, mut durable_cpu] = [const { Vec::new() }; 3];
    // They take turns, so that whatever else the machine does weighs on all alike.
    for round in 0..rounds {
        let (floor, cpu) = bare_rate(bare, runtime, jobs, support::threads());
        bare_rates.push(floor);
        bare_cpu.push(cpu);
        for (scheduler, rates, cpus) in
            [(&memory, &mut memory_rates, &mut memory_cpu), (&durable, &mut durable_rates, &mut durable_cpu)]
        {
            let Took { took, cpu } = due(scheduler, jobs, round);
            rates.push(rate(jobs, took));
            cpus.push(cpu);
        }
        raw_rates.push(rate(jobs, raw_rows::write(place.path(), jobs)));
        let runs = || _ = bare_rate(bare, runtime, jobs, support::threads());
        both_rates.push(rate(jobs, raw_rows::write_beside(place.path(), jobs, runs)));
    }
    stop(&memory);
    stop(&durable);
    let [bare_rate, memory_rate, durable_rate, raw_rate] =
        [bare_rates, memory_rates, durable_rates, raw_rates].map(|rates| Sample::from_iter(rates).p50());
    let [bare_cpu, memory_cpu, durable_cpu] =
        [bare_cpu, memory_cpu, durable_cpu].map(|cpu| Sample::from_iter(cpu).p50());
    let peer = apscheduler::peer(options);
    let against = |name: &str, ours: f64, cpu: f64, beside: String, floor: f64, limit: Limit| Figure {
        name: name.to_owned(),
        ours: format!("{ours:.0} runs/s ({cpu:.0} µs CPU a run)"),
        beside,
        ratio: Some(ours / floor),
        limit,
    };
    let floor = format!("bare wasmtime on the same threads {bare_rate:.0}/s ({bare_cpu:.0} µs CPU)");
    let name = "no-op runs, memory store";
    report.figure(against(name, memory_rate, memory_cpu, floor, bare_rate, Limit::AtLeast(0.6)));
    let calls = format!("{} calls plain functions {:.0}/s", peer.name, peer.memory);
    report.figure(against(name, memory_rate, memory_cpu, calls, peer.memory, Limit::AtLeast(1.2)));
    let name = "durable no-op runs, SQLite (WAL, synchronous=FULL)";
    let calls = format!("{} with its SQLite store {:.0}/s", peer.name, peer.sqlite);
    report.figure(against(name, durable_rate, durable_cpu, calls, peer.sqlite, Limit::AtLeast(50.0)));
    let rows = format!("rusqlite alone, the same rows in batches of 1,000: {raw_rate:.0}/s");
    report.figure(against(name, durable_rate, durable_cpu, rows, raw_rate, Limit::AtLeast(0.5)));
    let both = Sample::from_iter(both_rates).p50();
    let beside = format!("bare wasmtime and rusqlite alone at the same time: {both:.0}/s");
    report.figure(against(name, durable_rate, durable_cpu, beside, both, Limit::None));
    let stores = format!("with the memory store {memory_rate:.0}/s");
    report.figure(against(name, durable_rate, durable_cpu, stores, memory_rate, Limit::None));
}

/// How long so many runs took, and the CPU time of each in microseconds.
struct Took {
    took: Duration,
    cpu: f64,
}

/// So many jobs that are due at once, from the word to the last end on record.
fn due(scheduler: &Scheduler, jobs: usize, round: usize) -> Took {
    scheduler.pause(None, None).wait().expect("a pause");
    let now = scheduler.clock().now().to_rfc3339();
    let trigger = support::trigger(&format!(r#"{{ "date": "{now}" }}"#));
    let all: Vec<Job> = (0..jobs).map(|n| always(&format!("job-{round}-{n:05}"), trigger.clone())).collect();
    scheduler.add_jobs(all, clockbox::Conflict::Error).wait().expect("jobs");
    let mut events = scheduler.subscribe();
    let cpu = cpu_seconds();
    let begin = clock();
    scheduler.resume().wait().expect("a resumption");
    all_ended(scheduler, &mut events, jobs);
    Took { took: begin.elapsed(), cpu: (cpu_seconds() - cpu) / jobs as f64 * 1e6 }
}

/// Bare runs a second on so many threads, and the CPU time of each in microseconds.
fn bare_rate(bare: &Bare, runtime: &Runtime, runs: usize, threads: usize) -> (f64, f64) {
    let cpu = cpu_seconds();
    let begin = clock();
    let tasks: Vec<_> = (0..threads)
        .map(|_| {
            let bare = bare.clone();
            runtime.spawn(async move {
                for _ in 0..runs / threads {
                    bare.run().await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    tasks.into_iter().for_each(|task| runtime.block_on(task).expect("bare runs"));
    let took = begin.elapsed();
    (rate(runs, took), (cpu_seconds() - cpu) / runs as f64 * 1e6)
}

fn scheduler(store: Arc<dyn JobStore>, plugin: &Plugin, places: u32) -> Scheduler {
    let name = "noop".parse().expect("a name");
    let builder = Scheduler::builder().store(store).plugin(name, plugin.clone()).pool(support::pool(places));
    builder.start().expect("a scheduler that starts")
}

/// A job of the no-op plugin that may run any number of times at once.
fn always(name: &str, trigger: clockbox::Trigger) -> Job {
    // It stays, as those of a manifest do.
    let when_done = Some(WhenDone::Keep);
    let policy = Policy { max_instances: INSTANCES, when_done, ..Policy::default() };
    Job { policy: Arc::new(policy), ..support::job(name, "noop", trigger) }
}

fn stop(scheduler: &Scheduler) {
    scheduler.shutdown(Duration::from_secs(5)).wait().expect("a scheduler that stops");
}
