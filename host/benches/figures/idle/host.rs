//! A host with many jobs: adding them, starting again, memory.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::Datelike;
use clockbox::{Job, Scheduler, Timestamp, store::JobStore};
use clockbox_core::timetable::{Input, Timetable};
use serde_json::{Value, json};

use crate::{guests, support};

/// Jobs added in one transaction.
const BATCH: usize = 1_000;
/// Jobs added one by one.
const SINGLE: usize = 200;

/// The nth idle job: no two are alike, half of them have a cron trigger and half an interval, and none fires for the
/// next days.
pub(super) fn idle(n: usize) -> Job {
    let trigger = if n.is_multiple_of(2) {
        // In January or July, whichever is farther.
        let (minute, hour, month) = (n / 2 % 60, n / 120 % 24, if is_winter() { 7 } else { 1 });
        format!(r#"{{ "cron": "{minute} {hour} 28 {month} *" }}"#)
    } else {
        let start = now() + Duration::from_secs(86_400 * 2 + n as u64 % 86_400);
        format!(r#"{{ "interval": "{}s", "start": "{}" }}"#, 86_400 + n % 3600, start.to_rfc3339())
    };
    let job = support::job(&format!("idle-{n:07}"), "noop", support::trigger(&trigger));
    Job { args: format!(r#"{{"number":{n}}}"#).into(), ..job }
}

fn now() -> Timestamp {
    clockbox::Clock::system().now()
}

/// Whether it is nearer to January than to July.
fn is_winter() -> bool {
    !(5..=10).contains(&now().month())
}

/// A host on this database, with a plugin, but without jobs of its own.
fn start(store: Arc<dyn JobStore>) -> Scheduler {
    let plugin = support::load(&support::sandbox(1_000), "noop", guests::NOOP);
    let noop = support::spec("noop").name;
    Scheduler::builder().store(store).plugin(noop, plugin).start().expect("a scheduler that starts")
}

fn stop(scheduler: &Scheduler) {
    scheduler.shutdown(Duration::ZERO).wait().expect("a scheduler that stops");
}

/// Adds so many jobs to a new database, and then some one by one.
pub(super) fn add(jobs: usize, database: &Path) -> Value {
    let scheduler = start(support::sqlite(database));
    scheduler.ping().wait().expect("an answer");
    let without = support::resident();
    let mut took = Duration::ZERO;
    for batch in 0..jobs.div_ceil(BATCH) {
        let batch: Vec<Job> = (batch * BATCH..jobs.min((batch + 1) * BATCH)).map(idle).collect();
        // What it costs to make a job is the caller's.
        took += support::timed(|| scheduler.add_jobs(batch, Default::default()).wait().expect("jobs")).1;
    }
    let with = support::resident();
    let ((), single) = support::timed(|| {
        for n in 0..SINGLE {
            let job = support::job(&format!("single-{n}"), "noop", support::never());
            scheduler.add_job(job).wait().expect("a job that is added");
        }
    });
    for n in 0..SINGLE {
        let job = format!("single-{n}").parse().expect("a name");
        scheduler.remove_job(job, Default::default()).wait().expect("a job that is removed");
    }
    stop(&scheduler);
    json!({
        "seconds": took.as_secs_f64(),
        "resident": with - without,
        "one_by_one": support::rate(SINGLE, single),
    })
}

/// Starts a host on a database until it answers.
pub(super) fn restart(database: &Path) -> Value {
    let (scheduler, took) = support::timed(|| {
        let scheduler = start(support::sqlite(database));
        scheduler.ping().wait().expect("an answer");
        scheduler
    });
    let (resident, peak) = (support::resident(), support::peak_resident());
    let jobs = scheduler.jobs().wait().expect("an answer").len();
    stop(&scheduler);
    json!({ "seconds": took.as_secs_f64(), "resident": resident, "peak": peak, "jobs": jobs })
}

/// The nth of the jobs that programs add by themselves: once, at a date of its own.
fn dated(n: usize) -> Job {
    let at = now() + Duration::from_secs(86_400 * 2 + n as u64);
    let trigger = format!(r#"{{ "date": "{}" }}"#, at.format("%Y-%m-%d %H:%M:%S"));
    Job { trigger: support::trigger(&trigger), ..idle(n) }
}

/// The nth of the jobs of a manifest: a cron trigger that many others have as well.
fn nightly(n: usize) -> Job {
    let trigger = format!(r#"{{ "cron": "{} 3 28 {} *" }}"#, n % 50, if is_winter() { 7 } else { 1 });
    Job { trigger: support::trigger(&trigger), ..idle(n) }
}

/// The timetable alone, with so many jobs of a kind.
pub(super) fn core(jobs: usize, kind: &str) -> Value {
    let job = match kind {
        "dated" => dated,
        "nightly" => nightly,
        _ => idle,
    };
    let mut timetable = Timetable::new();
    let without = support::resident();
    for batch in 0..jobs.div_ceil(BATCH) {
        let batch = batch * BATCH..jobs.min((batch + 1) * BATCH);
        let jobs = batch.map(|n| Arc::new(job(n))).collect();
        // The writes and events are for others to keep.
        timetable.handle(now(), Input::AddJobs { jobs, conflict: Default::default() }).expect("jobs");
    }
    let with = support::resident();
    assert_eq!(timetable.jobs().count(), jobs);
    json!({ "resident": with - without })
}
