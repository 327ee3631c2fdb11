//! What a fire costs among so many jobs, with the memory store: what grows with their number is the timetable's part,
//! which a disk would hide.

use std::time::Duration;

use clockbox::{Conflict, Event, Job, Scheduler, Subscription, Timestamp};
use serde_json::{Value, json};

use super::host::idle;
use crate::{
    guests,
    support::{self, Sample},
};

const ON_DEMAND: usize = 2_000;
const AT_ONCE: usize = 1_000;
const ROUNDS: usize = 5;
const STEADY: usize = 500;
const STEADY_SECONDS: u64 = 4;

/// Fires among so many idle jobs: microseconds each.
pub(super) fn among(jobs: usize) -> Value {
    let plugin = support::load(&support::sandbox(2_000), "noop", guests::NOOP);
    let noop = support::spec("noop").name;
    let scheduler = Scheduler::builder()
        .store(support::memory())
        .plugin(noop, plugin)
        .pool(support::pool(1_000))
        .start()
        .expect("a scheduler that starts");
    for batch in 0..jobs.div_ceil(1_000) {
        add(&scheduler, (batch * 1_000..jobs.min((batch + 1) * 1_000)).map(idle));
    }
    let answer = json!({
        "on_demand": on_demand(&scheduler),
        "at_once": at_once(&scheduler),
        "steady": steady(&scheduler),
    });
    scheduler.shutdown(Duration::ZERO).wait().expect("a scheduler that stops");
    answer
}

fn add(scheduler: &Scheduler, jobs: impl IntoIterator<Item = Job>) {
    scheduler.add_jobs(jobs, Conflict::Error).wait().expect("jobs that are added");
}

/// From the request to the end on record, one after another; the median.
fn on_demand(scheduler: &Scheduler) -> f64 {
    add(scheduler, [support::job("probe", "noop", support::never())]);
    let mut events = scheduler.subscribe();
    let mut run = || {
        let begin = support::clock();
        scheduler.run_now("probe".parse().expect("a name"), None).wait().expect("a run");
        last_end(&mut events, 1);
        support::micros(begin.elapsed())
    };
    let warm_up = ON_DEMAND / 10;
    let sample: Sample = (0..warm_up + ON_DEMAND).map(|_| run()).skip(warm_up).collect();
    sample.p50()
}

/// 1,000 jobs due at one instant: a thousandth of the time until the end of the last; the median of some rounds.
fn at_once(scheduler: &Scheduler) -> f64 {
    let mut events = scheduler.subscribe();
    let round = |round: usize| {
        let due = scheduler.clock().now() + Duration::from_secs(1);
        let trigger = support::trigger(&format!(r#"{{ "date": "{}" }}"#, due.to_rfc3339()));
        let jobs = (0..AT_ONCE).map(|n| support::job(&format!("due-{round}-{n}"), "noop", trigger.clone()));
        add(scheduler, jobs);
        assert!(scheduler.clock().now() < due, "adding 1,000 jobs took a second");
        let end = last_end(&mut events, AT_ONCE);
        (end - due).num_microseconds().expect("a short time") as f64 / AT_ONCE as f64
    };
    let sample: Sample = (0..ROUNDS).map(round).collect();
    sample.p50()
}

/// 500 jobs that fire once a second, spread: the CPU time of all threads by the number of fires.
fn steady(scheduler: &Scheduler) -> f64 {
    let first = scheduler.clock().now() + Duration::from_secs(1);
    let last = first + Duration::from_secs(STEADY_SECONDS - 1);
    let jobs = (0..STEADY).map(|n| {
        let offset = Duration::from_millis((1_000 / STEADY * n) as u64);
        let (start, end) = ((first + offset).to_rfc3339(), (last + offset).to_rfc3339());
        let trigger = format!(r#"{{ "interval": "1s", "start": "{start}", "end": "{end}" }}"#);
        support::job(&format!("steady-{n}"), "noop", support::trigger(&trigger))
    });
    let mut events = scheduler.subscribe();
    add(scheduler, jobs);
    assert!(scheduler.clock().now() < first, "adding 500 jobs took a second");
    let cpu = support::cpu_seconds();
    let fires = STEADY * STEADY_SECONDS as usize;
    last_end(&mut events, fires);
    (support::cpu_seconds() - cpu) / fires as f64 * 1e6
}

/// Waits for so many ends; when the last of them was told.
fn last_end(events: &mut Subscription, count: usize) -> Timestamp {
    let mut left = count;
    loop {
        let happening = events.next_blocking().expect("a scheduler that goes on").expect("no lost events");
        if matches!(happening.event, Event::RunFinished { .. }) {
            left -= 1;
        }
        if left == 0 {
            return happening.at;
        }
    }
}
