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
        policy: Policy::default(),
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
    let remembered = Remembered { jobs, last_run, paused, unfinished: Vec::new() };
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
