//! Very many jobs that are to run once: added together, and taken up again at a start.

use std::sync::Arc;

use chrono::TimeDelta;
use clockbox_core::{
    model::*,
    timetable::*,
    trigger::{Trigger, TriggerSpec},
};
use clockbox_store::{Access, JobStore, Snapshot, SqliteStore};

const JOBS: u32 = 100_000;

fn start() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

/// The order with this number is cancelled unless it is paid in half an hour.
fn job(n: u32) -> Arc<Job> {
    let date = start() + TimeDelta::minutes(30) + TimeDelta::milliseconds(i64::from(n));
    Arc::new(Job {
        id: JobId::new(format!("cancel-order-{n}")).unwrap(),
        plugin: PluginName::new("orders").unwrap(),
        pool: PoolName::default_pool(),
        trigger: Trigger::new(TriggerSpec::date(&date.to_rfc3339()), chrono_tz::UTC).unwrap(),
        args: format!("{{\"order\":{n}}}").into(),
        policy: Policy::default().into(),
        source: Source::Api,
    })
}

fn writes(actions: Vec<Action>) -> Vec<Write> {
    actions
        .into_iter()
        .filter_map(|action| match action {
            Action::Write(write) => Some(write),
            _ => None,
        })
        .collect()
}

/// Quick enough to be a test: seconds with debug assertions, where anything quadratic takes hours.
#[test]
fn a_hundred_thousand_jobs_are_added_restored_and_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clockbox.db");
    let open = || SqliteStore::open(&path, Access::ReadWrite { opened_at: start() }).unwrap();
    let store = open();
    let mut timetable = Timetable::new();
    let jobs = (0..JOBS).map(job).collect();
    let actions = timetable.handle(start(), Input::AddJobs { jobs, conflict: Conflict::Error }).unwrap();
    store.commit(&writes(actions)).unwrap();
    drop((store, timetable));

    let store = open();
    let Snapshot { jobs, last_run, paused, .. } = store.load().unwrap();
    let mut timetable = Timetable::new();
    let pool = Pool { max_instances: JOBS, ..Pool::new(PoolName::default_pool()) };
    timetable.handle(start(), Input::Apply(Change { pools: vec![pool], ..Change::default() })).unwrap();
    let remembered = Remembered { jobs, last_run, paused, ..Remembered::default() };
    assert!(timetable.restore(start(), remembered).is_empty());
    timetable.handle(start(), Input::Wake).unwrap();
    assert_eq!(timetable.next_wake(), Some(start() + TimeDelta::minutes(30)));

    // All of them come due, run, and are gone.
    let later = start() + TimeDelta::minutes(45);
    let mut launched = Vec::new();
    while timetable.next_wake().is_some_and(|wake| wake <= later) {
        for action in timetable.handle(later, Input::Wake).unwrap() {
            if let Action::Launch(launch) = action {
                launched.push(launch.run.id);
            }
        }
    }
    assert_eq!(launched.len(), JOBS as usize);
    for run in launched {
        let report = Box::new(Report::new(Outcome::Succeeded));
        timetable.handle(later, Input::Finished { run, attempt: 1, report }).unwrap();
    }
    assert_eq!(timetable.jobs().count(), 0);
}

/// As quick as the one above, and for the same reason.
#[test]
fn a_hundred_thousand_waiting_runs_get_another_grace_and_are_too_late_together() {
    let within = |minutes: u64| Grace::Within(std::time::Duration::from_secs(60 * minutes));
    let add = |timetable: &mut Timetable, now, grace, priority| {
        let job = |n| {
            let mut job = Job::clone(&job(n));
            let policy = Arc::make_mut(&mut job.policy);
            (policy.misfire_grace, policy.priority) = (grace, priority);
            Arc::new(job)
        };
        let jobs = (0..JOBS).map(job).collect();
        timetable.handle(now, Input::AddJobs { jobs, conflict: Conflict::Replace }).unwrap()
    };
    let pool = Pool { max_instances: 1, queue: JOBS, ..Pool::new(PoolName::default_pool()) };
    let mut timetable = Timetable::new();
    timetable.handle(start(), Input::Apply(Change { pools: vec![pool], ..Change::default() })).unwrap();
    add(&mut timetable, start(), within(60), 0);
    let due = start() + TimeDelta::minutes(45);
    while timetable.next_wake().is_some_and(|wake| wake <= due) {
        timetable.handle(due, Input::Wake).unwrap();
    }
    assert_eq!((timetable.running(), timetable.active_runs().count()), (1, JOBS as usize));

    // Nobody is too late yet by the new grace, and everybody moves in the queue.
    add(&mut timetable, due, within(30), 7);
    assert_eq!(timetable.active_runs().count(), JOBS as usize);
    let late = start() + TimeDelta::minutes(65);
    let actions = timetable.handle(late, Input::Wake).unwrap();
    let missed = |action: &&Action| matches!(action, Action::Publish(Event::Missed { .. }));
    assert_eq!(actions.iter().filter(missed).count(), JOBS as usize - 1);
    assert_eq!(timetable.active_runs().count(), 1);
    let still = timetable.active_runs().next().map(|run| (run.id, run.attempt)).unwrap();
    let report = Box::new(Report::new(Outcome::Succeeded));
    let actions = timetable.handle(late, Input::Finished { run: still.0, attempt: still.1, report }).unwrap();
    assert!(!actions.iter().any(|action| matches!(action, Action::Launch(_))), "nobody waits any more");
    assert_eq!(timetable.jobs().count(), 0);
}
