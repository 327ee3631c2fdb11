//! What a reload may touch: jobs of the manifest and the folder, and nothing else.

use std::{collections::BTreeSet, sync::Arc};

use clockbox_core::{
    model::{Event, Job, JobId, JobPatch, PolicyPatch, Source},
    timetable::{Change, Input, Rejection, Remembered, Running, Timetable},
};

use crate::support::{EVERY_10_S, Table, at, job, with};

fn id(name: &str) -> JobId {
    JobId::new(name).unwrap()
}

fn declared(name: &str, trigger: &str) -> Job {
    Job { source: Source::Manifest, ..job(name, trigger) }
}

fn put(job: Job) -> Change {
    Change { put: vec![Arc::new(job)], ..Change::default() }
}

fn remove(name: &str) -> Change {
    Change { remove: vec![id(name)], ..Change::default() }
}

fn priority(table: &Table) -> i32 {
    table.record("a").job.policy.priority
}

fn raise(table: &mut Table, now: i64) {
    let policy = PolicyPatch { priority: Some(9), ..PolicyPatch::default() };
    let patch = Box::new(JobPatch { policy, ..JobPatch::default() });
    table.tell(now, Input::ModifyJob { job: id("a"), patch }).unwrap();
}

#[test]
fn what_is_modified_by_hand_stays_until_the_manifest_says_something_new() {
    let mut table = Table::new([]);
    table.apply(0, put(declared("a", EVERY_10_S)));
    raise(&mut table, 1);
    assert_eq!((priority(&table), table.record("a").declaration().policy.priority), (9, 0));
    let before = table.actions.len();
    table.apply(2, put(declared("a", EVERY_10_S)));
    assert_eq!((priority(&table), table.actions.len()), (9, before), "it says what it said before");
    table.apply(3, put(with(declared("a", EVERY_10_S), |p| p.max_instances = 4)));
    assert_eq!((priority(&table), table.record("a").declared), (0, None), "it says something new");
    assert_eq!(table.events().last(), Some(&Event::JobModified { job: id("a") }));
}

#[test]
fn a_modification_that_is_taken_back_leaves_nothing() {
    let mut table = Table::new([]);
    table.apply(0, put(declared("a", EVERY_10_S)));
    raise(&mut table, 1);
    let policy = PolicyPatch { priority: Some(0), ..PolicyPatch::default() };
    let patch = Box::new(JobPatch { policy, ..JobPatch::default() });
    table.tell(2, Input::ModifyJob { job: id("a"), patch }).unwrap();
    assert_eq!(table.record("a").declared, None);
}

#[test]
fn a_modification_outlives_a_restart() {
    let mut table = Table::new([]);
    table.apply(0, put(declared("a", EVERY_10_S)));
    raise(&mut table, 1);
    let stored = vec![table.record("a")];
    let manifest = [Arc::new(declared("a", EVERY_10_S))];
    let change = Change::at_start(&stored, &manifest, &BTreeSet::new());
    let mut timetable = Timetable::new();
    let actions = timetable.restore(at(5), Remembered { jobs: stored, ..Remembered::default() });
    let mut table = Table { timetable, actions };
    table.apply(5, change);
    assert_eq!(priority(&table), 9);
}

#[test]
fn a_reload_leaves_an_added_job_alone_and_says_so() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.apply(1, put(declared("a", r#"{ "interval": "1h" }"#)));
    assert_eq!(table.record("a").job.source, Source::Api);
    let Some(Event::ReloadRejected { problems }) = table.events().pop() else { panic!("it is not told") };
    assert_eq!(
        problems,
        [
            "job \"a\" of the manifest is not in force: there is one of that name from the API, and a reload changes only \
          its own; remove that one, and this one takes its place, or rename this one"
        ]
    );
    table.apply(2, remove("a"));
    assert_eq!(table.record("a").job.source, Source::Api);
    table.remove(3, "a", Running::Finish);
    assert!(table.timetable.job(&id("a")).is_none(), "the manifest no longer has it either");
}

#[test]
fn a_declared_job_takes_its_place_when_the_other_is_gone() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.apply(1, put(declared("a", r#"{ "interval": "1h" }"#)));
    table.remove(2, "a", Running::Finish);
    let record = table.record("a");
    assert_eq!((&record.job.source, record.next_fire), (&Source::Manifest, Some(at(3602))));
}

#[test]
fn a_job_of_the_manifest_is_not_removed_by_hand() {
    let mut table = Table::new([]);
    table.apply(0, put(declared("a", EVERY_10_S)));
    let removal = Input::RemoveJob { job: id("a"), running: Running::Cancel };
    let error = table.tell(1, removal).unwrap_err();
    assert_eq!(error, Rejection::NotOwner { job: id("a"), owner: Source::Manifest });
    assert_eq!(
        error.to_string(),
        "the job \"a\" comes from the manifest: change or remove it there, or modify or pause it here"
    );
}

#[test]
fn a_job_that_leaves_the_manifest_fires_no_more() {
    let mut table = Table::new([]);
    table.apply(0, put(declared("a", EVERY_10_S)));
    table.wake(10);
    table.apply(11, remove("a"));
    assert_eq!((table.timetable.next_wake(), table.runs().len()), (None, 1));
}

#[test]
fn a_start_removes_what_the_manifest_no_longer_has_and_nothing_else() {
    let mut table = Table::new([job("added", EVERY_10_S)]);
    for name in ["gone", "stays", "unreadable"] {
        table.apply(0, put(declared(name, EVERY_10_S)));
    }
    let mut stored: Vec<_> = table.timetable.jobs().cloned().collect();
    let unreadable = stored.iter_mut().find(|record| record.job.id == id("unreadable")).unwrap();
    Arc::make_mut(&mut unreadable.job).plugin = "broken".parse().unwrap();
    let manifest = [Arc::new(declared("stays", EVERY_10_S))];
    let change = Change::at_start(&stored, &manifest, &BTreeSet::from(["broken".parse().unwrap()]));
    assert_eq!(change.remove, [id("gone")]);
    assert_eq!(change.put.len(), 1);
}

#[test]
fn a_declared_job_that_left_a_refused_plugin_is_taken_as_declared() {
    let of = |plugin: &str| {
        let mut job = declared("a", EVERY_10_S);
        job.plugin = plugin.parse().unwrap();
        job
    };
    let mut table = Table::new([]);
    table.apply(0, put(of("broken")));
    let stored = [table.record("a").clone()];
    let refused = BTreeSet::from(["broken".parse().unwrap(), "worse".parse().unwrap()]);
    for (plugin, is_taken) in [("sound", true), ("broken", false), ("worse", false)] {
        let change = Change::at_start(&stored, &[of(plugin).into()], &refused);
        assert_eq!((change.put.len(), change.remove.len()), (usize::from(is_taken), 0), "{plugin}");
    }
}
