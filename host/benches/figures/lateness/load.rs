//! 1,000 jobs that fire once a second, through a scheduler.

use std::{
    collections::HashMap,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use clockbox::{
    Event, Job, JobId, LogStream, Outcome, PluginName, Pool, PoolName, RunId, Scheduler, Subscription,
    Timestamp, store::RunFilter,
};

use super::JOBS;
use crate::{
    guests,
    support::{self, Sample},
};

/// So many of the jobs have a guest that says a line: when that line came is when the guest ran.
const TELLING: usize = 100;
/// The time from the last fire on that all runs may take to end; what has not ended by then is lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of every fire, over all loads.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) fires: usize,
    pub(super) on_record: usize,
    pub(super) coalesced: usize,
    pub(super) lost: usize,
    pub(super) events_lost: u64,
    /// Runs that did not succeed.
    pub(super) unexpected: usize,
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
pub(super) enum Spread {
    /// Job n at n ms of each second.
    Even,
    /// All of them at each full second.
    Herd,
}

/// What a load came to; lateness in milliseconds after the scheduled time.
pub(super) struct Load {
    pub(super) seconds: u64,
    /// The record is durable and the run is handed to the pool.
    pub(super) released: Sample,
    /// The guest ran: its line arrived.
    pub(super) guest: Sample,
    /// The outcome is durable.
    pub(super) ended: Sample,
    pub(super) cpu_micros: f64,
    pub(super) cpu_share: f64,
    pub(super) coalesced: usize,
    /// Skipped or missed by policy.
    pub(super) other: usize,
}

/// 1,000 jobs that fire once a second, each run in an instance of its own, every fire and outcome durable.
pub(super) fn load(seconds: u64, spread: Spread, spinners: usize, tally: &mut Tally) -> Load {
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
