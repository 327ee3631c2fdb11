//! 1,000 jobs, each once a second, with durable records: how late they start, against a timer alone.

use std::{
    collections::HashMap,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use clockbox::{
    Event, Job, JobId, LogStream, Outcome, PluginName, Pool, PoolName, RunId, Scheduler, Subscription,
    Timestamp, store::RunFilter,
};

use crate::{
    bare::{self, Bare},
    guests,
    options::Options,
    report::{Figure, Limit, Report},
    support::{self, Sample},
};

const JOBS: usize = 1_000;
/// So many of them have a guest that says a line: when that line came is when the guest ran.
const TELLING: usize = 100;
const SPINNERS: usize = 16;
/// The time from the last fire on that all runs may take to end; what has not ended by then is lost.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn run(report: &mut Report, options: &Options) {
    let (seconds, half, others) = if options.quick { (10, 3, 5) } else { (60, 15, 20) };
    let mut tally = Tally::default();

    // In turns: half of the floor before and half of it after.
    let mut floor = timer(half);
    let spread = load(seconds, Spread::Even, 0, &mut tally);
    floor.merge(timer(half));
    let wake_up = floor.cpu_micros;
    let floor: Sample = floor.late.into_iter().collect();
    say(report, "spread over the second", &spread);
    report.note(format!(
        "bare sleep_until loop, the same deadlines: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        floor.p50(),
        floor.p99(),
        floor.max()
    ));
    report.figure(Figure {
        name: "lateness p99, 1,000 jobs/s spread: released to start".to_owned(),
        ours: format!("{:.2} ms", spread.released.p99()),
        beside: format!("bare timer loop p99 {:.2} ms", floor.p99()),
        ratio: Some(spread.released.p99() / floor.p99()),
        limit: Limit::AtMost(3.0),
    });
    against_limit(report, "lateness p99, 1,000 jobs/s spread: released to start", &spread.released, 5.0);
    report.figure(Figure {
        name: "lateness p99, 1,000 jobs/s spread: guest code runs".to_owned(),
        ours: format!("{:.2} ms", spread.guest.p99()),
        beside: format!("bare timer loop p99 {:.2} ms", floor.p99()),
        ratio: Some(spread.guest.p99() / floor.p99()),
        limit: Limit::None,
    });

    let beside = load(others, Spread::Even, SPINNERS, &mut tally);
    say(report, "the same beside 16 spinning guests", &beside);
    against_limit(report, "lateness p99 beside 16 spinning guests: guest code runs", &beside.guest, 50.0);
    against_limit(
        report,
        "lateness p99 beside 16 spinning guests: released to start",
        &beside.released,
        50.0,
    );

    let mut bare = herd(others / 2);
    let herd_of_ours = load(others, Spread::Herd, 0, &mut tally);
    bare.merge(herd(others / 2));
    say(report, "a herd: all 1,000 due at one instant, each second", &herd_of_ours);
    let floor: Sample = bare.late.into_iter().collect();
    report.note(format!(
        "bare herd: end of a run p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms after it was due; {:.0} µs CPU a run",
        floor.p50(),
        floor.p99(),
        floor.max(),
        bare.cpu_micros
    ));
    for (what, ours) in [("guest code runs", &herd_of_ours.guest), ("end is durable", &herd_of_ours.ended)] {
        report.figure(Figure {
            name: format!("herd of 1,000 at one instant, p99: {what}"),
            ours: format!("{:.1} ms", ours.p99()),
            beside: format!("1,000 bare runs spawned at one instant {:.1} ms", floor.p99()),
            ratio: Some(ours.p99() / floor.p99()),
            limit: Limit::None,
        });
    }
    for (what, ours) in [("spread", &spread), ("herd", &herd_of_ours)] {
        report.figure(Figure {
            name: format!("CPU a run, SQLite, 1,000 jobs/s ({what})"),
            ours: format!("{:.0} µs, {:.0} % of a core", ours.cpu_micros, ours.cpu_share * 100.0),
            beside: format!("bare {wake_up:.0} µs a timer, {:.0} µs a run in the herd", bare.cpu_micros),
            ratio: Some(ours.cpu_micros / (wake_up + bare.cpu_micros)),
            limit: Limit::None,
        });
    }
    report.note(tally.to_string());
    if tally.lost != 0 || tally.events_lost != 0 || tally.unexpected != 0 {
        report.broken(tally.to_string());
    }
}

fn say(report: &mut Report, what: &str, load: &Load) {
    let line = |sample: &Sample| {
        format!("p50 {:.2}, p99 {:.2}, max {:.2} ms", sample.p50(), sample.p99(), sample.max())
    };
    report.note(format!("{what}: {} runs, {} s", load.released.len(), load.seconds));
    report.note(format!("  released to start (record durable): {}", line(&load.released)));
    report.note(format!("  guest code runs ({} runs): {}", load.guest.len(), line(&load.guest)));
    report.note(format!("  end is durable: {}", line(&load.ended)));
    if load.coalesced + load.other > 0 {
        report.note(format!(
            "  the machine did not keep up: {} fires coalesced, {} skipped or missed",
            load.coalesced, load.other
        ));
    }
}

/// A limit in milliseconds.
fn against_limit(report: &mut Report, name: &str, sample: &Sample, limit: f64) {
    report.figure(Figure {
        name: format!("{name} (absolute)"),
        ours: format!("{:.2} ms", sample.p99()),
        beside: format!("limit {limit} ms"),
        ratio: Some(sample.p99() / limit),
        limit: Limit::AtMost(1.0),
    });
}

/// What became of every fire, over all loads.
#[derive(Default)]
struct Tally {
    fires: usize,
    on_record: usize,
    coalesced: usize,
    lost: usize,
    events_lost: u64,
    /// Runs that did not succeed.
    unexpected: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { fires, on_record, coalesced, lost, events_lost, unexpected } = self;
        write!(
            f,
            "{fires} fires, {on_record} on record, {coalesced} counted on another's record, {unexpected} failed, \
             {lost} lost, {events_lost} events lost"
        )
    }
}

/// When the jobs of a load are due.
#[derive(Clone, Copy, PartialEq)]
enum Spread {
    /// Job n at n ms of each second.
    Even,
    /// All of them at each full second.
    Herd,
}

/// What a load came to; lateness in milliseconds after the scheduled time.
struct Load {
    seconds: u64,
    /// The record is durable and the run is handed to the pool.
    released: Sample,
    /// The guest ran: its line arrived.
    guest: Sample,
    /// The outcome is durable.
    ended: Sample,
    cpu_micros: f64,
    cpu_share: f64,
    coalesced: usize,
    /// Skipped or missed by policy.
    other: usize,
}

/// 1,000 jobs that fire once a second, each run in an instance of its own, every fire and outcome durable.
fn load(seconds: u64, spread: Spread, spinners: usize, tally: &mut Tally) -> Load {
    let folder = support::folder();
    let sandbox = support::sandbox(2_000);
    let store = support::sqlite(&folder.path().join("load.db"));
    let spinning = PoolName::new("spinning").expect("a name");
    let scheduler = Scheduler::builder()
        .store(Arc::clone(&store))
        .plugin(name("noop"), support::load(&sandbox, "noop", guests::NOOP))
        .plugin(name("say"), support::load(&sandbox, "say", guests::SAY))
        .plugin(name("spin"), support::load(&sandbox, "spin", guests::SPIN))
        .pool(support::pool(1_000))
        .pool(Pool { max_instances: 100, ..Pool::new(spinning.clone()) })
        .start()
        .expect("a scheduler that starts");
    for n in 0..spinners {
        let spinner = support::job(&format!("spinner-{n}"), "spin", support::never());
        let id = spinner.id.clone();
        scheduler.add_job(Job { pool: spinning.clone(), ..spinner }).wait().expect("a job that is added");
        scheduler.run_now(id, None).wait().expect("a run");
    }
    let listener = Listener::start(scheduler.subscribe());
    let first = scheduler.clock().now() + Duration::from_secs(2);
    let last = first + Duration::from_secs(seconds - 1);
    let jobs = (0..JOBS).map(|n| {
        let offset = match spread {
            Spread::Even => Duration::from_millis(n as u64),
            Spread::Herd => Duration::ZERO,
        };
        let (start, end) = ((first + offset).to_rfc3339(), (last + offset).to_rfc3339());
        let trigger =
            support::trigger(&format!(r#"{{ "interval": "1s", "start": "{start}", "end": "{end}" }}"#));
        let plugin = if n % (JOBS / TELLING) == 0 { "say" } else { "noop" };
        support::job(&format!("every-second-{n}"), plugin, trigger)
    });
    scheduler.add_jobs(jobs, Default::default()).wait().expect("jobs that are added");
    until(&scheduler, first);
    let (cpu, begin) = (support::cpu_seconds(), support::clock());
    until(&scheduler, last + Duration::from_secs(1));
    let (cpu, span) = (support::cpu_seconds() - cpu, begin.elapsed());
    drain(&scheduler, spinners);
    let active = scheduler.active_runs().wait().expect("an answer");
    // What spins is stopped, and is none of the fires.
    scheduler.shutdown(Duration::ZERO).wait().expect("a scheduler that stops");
    let heard = listener.end();

    let is_ours = |job: &JobId| job.as_str().starts_with("every-second-");
    let on_record = store.runs(&RunFilter::default()).expect("a history");
    let on_record: Vec<_> = on_record.into_iter().filter(|run| is_ours(&run.job)).collect();
    let expected = JOBS * usize::try_from(seconds).expect("a few seconds");
    let coalesced: usize = on_record.iter().map(|run| run.coalesced as usize).sum();
    let cut_off = active.iter().filter(|run| is_ours(&run.job)).count();
    let failed = |run: &&clockbox::Run| run.outcome.is_some_and(|outcome| outcome != Outcome::Succeeded);
    tally.fires += expected;
    tally.on_record += on_record.len();
    tally.coalesced += coalesced;
    tally.lost += expected.saturating_sub(on_record.len() + coalesced) + cut_off;
    tally.events_lost += heard.lost;
    tally.unexpected += on_record.iter().filter(failed).count();

    let guest = on_record.iter().filter(|run| run.plugin == name("say")).filter_map(|run| {
        let lines = store.logs(run.id, None).expect("a log");
        let line = lines.into_iter().find(|(_, line)| line.stream == LogStream::Stdout)?;
        Some(late(run.scheduled_at, line.1.at))
    });
    Load {
        seconds,
        guest: guest.collect(),
        released: heard.released.into_iter().collect(),
        ended: heard.ended.into_iter().collect(),
        cpu_micros: cpu / expected as f64 * 1e6,
        cpu_share: cpu / span.as_secs_f64(),
        coalesced,
        other: on_record.iter().filter(|run| run.outcome.is_none()).count(),
    }
}

fn name(plugin: &str) -> PluginName {
    PluginName::new(plugin).expect("a name")
}

/// Milliseconds from `due` to `at`.
fn late(due: Timestamp, at: Timestamp) -> f64 {
    (at - due).num_microseconds().map_or(f64::NAN, |micros| micros as f64 / 1e3)
}

fn until(scheduler: &Scheduler, at: Timestamp) {
    if let Ok(left) = (at - scheduler.clock().now()).to_std() {
        thread::sleep(left);
    }
}

/// Waits until the jobs are gone, as they are once their last run has ended; only spinners stay.
fn drain(scheduler: &Scheduler, spinners: usize) {
    let begin = support::clock();
    while scheduler.jobs().wait().expect("an answer").len() > spinners && begin.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(200));
    }
}

/// What events told of the load's own jobs.
#[derive(Default)]
struct Heard {
    released: Vec<f64>,
    ended: Vec<f64>,
    lost: u64,
}

/// Hears events on a thread of its own until the scheduler has stopped.
struct Listener(JoinHandle<Heard>);

impl Listener {
    fn start(mut events: Subscription) -> Self {
        Self(thread::spawn(move || {
            let mut heard = Heard::default();
            let mut due: HashMap<RunId, Timestamp> = HashMap::new();
            while let Some(happening) = events.next_blocking() {
                match happening {
                    Ok(happening) => match happening.event {
                        Event::RunStarted { run, scheduled_at, .. } => {
                            due.insert(run, scheduled_at);
                            heard.released.push(late(scheduled_at, happening.at));
                        }
                        Event::RunFinished { run, outcome: Outcome::Succeeded, .. } => {
                            heard.ended.extend(due.remove(&run).map(|due| late(due, happening.at)));
                        }
                        _ => {}
                    },
                    Err(lost) => heard.lost += lost,
                }
            }
            heard
        }))
    }

    fn end(self) -> Heard {
        self.0.join().expect("a listener that ends in order")
    }
}

/// How late a loop is, in milliseconds, that does nothing but sleep until each of the same deadlines: one each ms.
fn timer(seconds: u64) -> Floor {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (begin, cpu) = (support::clock() + Duration::from_millis(10), support::cpu_seconds());
        let mut late = Vec::new();
        for n in 0..seconds * JOBS as u64 {
            let due = begin + Duration::from_millis(n);
            tokio::time::sleep_until(due.into()).await;
            late.push(support::millis(due.elapsed()));
        }
        Floor::new(late, support::cpu_seconds() - cpu)
    })
}

/// What a floor came to.
struct Floor {
    /// In milliseconds after each was due.
    late: Vec<f64>,
    /// For each.
    cpu_micros: f64,
}

impl Floor {
    fn new(late: Vec<f64>, cpu_seconds: f64) -> Self {
        Self { cpu_micros: cpu_seconds / late.len() as f64 * 1e6, late }
    }

    fn merge(&mut self, other: Self) {
        self.late.extend(other.late);
        self.cpu_micros = f64::midpoint(self.cpu_micros, other.cpu_micros);
    }
}

/// A loop that at each full second spawns 1,000 bare runs, on as many threads as a scheduler has for guests.
fn herd(rounds: u64) -> Floor {
    let bare = Bare::job(&bare::engine(2_000, None), guests::NOOP);
    let runtime = support::runtime();
    let mut late = Vec::new();
    let cpu = support::cpu_seconds();
    for _ in 0..rounds {
        let due = support::clock() + Duration::from_secs(1);
        thread::sleep(due.saturating_duration_since(support::clock()));
        let runs: Vec<_> = (0..JOBS)
            .map(|_| {
                let bare = bare.clone();
                runtime.spawn(async move {
                    bare.run().await;
                    since(due)
                })
            })
            .collect();
        for run in runs {
            late.push(runtime.block_on(run).expect("a run"));
        }
    }
    Floor::new(late, support::cpu_seconds() - cpu)
}

fn since(due: Instant) -> f64 {
    support::millis(due.elapsed())
}
