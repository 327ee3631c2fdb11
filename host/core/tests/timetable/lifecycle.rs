//! Jobs that come and go, runs that are cancelled, and the end.

use clockbox_core::{
    model::{Event, JobId, Outcome, RunState::*},
    timetable::{Input, Rejection, Remembered, Running},
};

use crate::support::{EVERY_10_S, Table, job, pool, with};

fn id(name: &str) -> JobId {
    JobId::new(name).unwrap()
}

#[test]
fn a_removed_job_fires_no_more_and_its_runs_end_in_peace() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let run = table.launches()[0];
    table.remove(11, "a", Running::Finish);
    assert!(table.timetable.job(&id("a")).is_none());
    assert_eq!(table.timetable.next_wake(), None);
    table.finish(12, run, Outcome::Succeeded);
    assert_eq!(table.run(run).outcome, Some(Outcome::Succeeded));
    assert_eq!(table.timetable.running(), 0);
}

#[test]
fn what_waits_of_a_removed_job_is_skipped() {
    let mut table = Table::with_pools([pool("default", 1, 9)], [job("long", "{}"), job("a", EVERY_10_S)]);
    table.wake(0);
    table.wake(10);
    table.remove(11, "a", Running::Finish);
    assert_eq!(table.states()[1], (10, Skipped, 0));
    assert_eq!(table.runs()[1].reason.as_deref(), Some("the job was removed"));
}

#[test]
fn a_job_that_comes_back_while_its_run_goes_on_keeps_its_cap() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let run = table.launches()[0];
    table.remove(11, "a", Running::Finish);
    table.add(12, [job("a", EVERY_10_S)]);
    table.wake(20);
    assert_eq!(table.states()[1], (20, Skipped, 0), "the old run still counts");
    table.finish(21, run, Outcome::Succeeded);
    table.wake(30);
    assert_eq!(table.launches().len(), 2);
}

#[test]
fn a_run_of_a_removed_job_has_no_further_attempt_when_a_job_of_its_name_comes() {
    let job = || with(job("a", EVERY_10_S), |policy| policy.retry.attempts = 3);
    let mut table = Table::new([job()]);
    table.wake(10);
    let run = table.launches()[0];
    table.remove(11, "a", Running::Finish);
    table.add(12, [job()]);
    table.finish(13, run, Outcome::Failed);
    let old = table.run(run);
    assert_eq!((old.state, old.outcome, old.retry_at), (Finished, Some(Outcome::Failed), None));
    table.wake(20);
    let new = table.launches()[1];
    table.finish(21, new, Outcome::Failed);
    assert_eq!(table.run(new).state, Retrying, "the new job's own runs are tried again");
}

#[test]
fn a_running_run_is_asked_to_stop_and_a_waiting_one_never_starts() {
    let mut table = Table::with_pools([pool("default", 1, 9)], [job("long", "{}"), job("a", EVERY_10_S)]);
    table.wake(0);
    table.wake(10);
    let cancel = |run| Input::CancelRun { run, why: "ada: wrong args".into() };
    let (running, waiting) = (table.runs()[0].id, table.runs()[1].id);
    table.tell(11, cancel(running)).unwrap();
    table.tell(11, cancel(waiting)).unwrap();
    assert_eq!(table.cancels(), [running]);
    assert_eq!(table.run(waiting).outcome, Some(Outcome::Cancelled));
    table.finish(12, running, Outcome::Cancelled);
    // Who wanted it, and how the guest took it.
    assert_eq!(table.run(running).reason.as_deref(), Some("ada: wrong args; as told"));
    assert_eq!(table.tell(13, cancel(running)), Err(Rejection::NoSuchRun(running)));
}

#[test]
fn what_is_to_stop_is_kept_once_until_the_run_is_over() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let run = table.launches()[0];
    let cancel = |why: &str| Input::CancelRun { run, why: why.to_owned() };
    // A host that ends asks too, but whether the run goes on in the next one is not for it to say.
    table.tell(11, Input::StopRunning { why: "the host ends".to_owned() }).unwrap();
    assert_eq!((table.cancels(), table.cancelling()), (vec![run], vec![]));
    table.tell(11, cancel("ada")).unwrap();
    table.tell(12, cancel("grace")).unwrap();
    assert_eq!((table.cancels(), table.cancelling()), (vec![run], vec![Some("ada".to_owned())]));
    table.finish(13, run, Outcome::Failed);
    assert_eq!(table.cancelling(), [Some("ada".to_owned()), None]);
}

#[test]
fn a_run_that_nobody_cancels_writes_nothing_about_it() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    table.finish(11, table.launches()[0], Outcome::Succeeded);
    table.wake(20);
    table.tell(21, Input::StopRunning { why: "the host ends".to_owned() }).unwrap();
    table.finish(22, table.launches()[1], Outcome::Cancelled);
    assert_eq!(table.cancelling(), []);
}

#[test]
fn draining_starts_nothing_and_lets_runs_end() {
    let mut table = Table::with_pools([pool("default", 1, 9)], [job("long", "{}"), job("a", EVERY_10_S)]);
    table.wake(0);
    table.wake(10);
    table.tell(11, Input::Drain).unwrap();
    assert_eq!(table.timetable.next_wake(), None);
    let run = table.launches()[0];
    table.finish(12, run, Outcome::Succeeded);
    table.wake(20);
    assert_eq!(table.launches().len(), 1);
    assert_eq!(table.states()[1], (10, Waiting, 0), "it waits for the next start");
    let demand = Input::RunNow { job: id("a"), args: None };
    assert_eq!(table.tell(21, demand), Err(Rejection::Draining));
}

#[test]
fn what_happened_is_published_in_order() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let run = table.launches()[0];
    table.finish(12, run, Outcome::Failed);
    let events = table.events();
    assert!(matches!(events[0], Event::JobAdded { .. }));
    assert!(matches!(events[1], Event::Fired { coalesced: 0, .. }));
    assert!(matches!(events[2], Event::RunStarted { attempt: 1, .. }));
    let Event::RunFinished { outcome: Outcome::Failed, elapsed_ms: Some(2000), .. } = &events[3] else {
        panic!("{events:?}");
    };
}

#[test]
fn a_fire_that_is_due_when_its_trigger_changes_is_decided_first() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.add(10, [job("a", r#"{ "interval": "1h" }"#)]);
    assert_eq!(table.states(), [(10, Running, 0)]);
    assert_eq!(table.record("a").next_fire, Some(crate::support::at(3610)));
}

#[test]
fn fires_that_a_paused_job_had_due_are_recorded_as_skipped_when_its_trigger_changes() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.tell(5, Input::PauseJob { job: id("a"), by: None, note: None }).unwrap();
    table.add(35, [job("a", r#"{ "interval": "1h" }"#)]);
    assert_eq!(table.states(), [(30, Skipped, 2)]);
    let reason = table.runs()[0].reason.clone().unwrap();
    assert_eq!(reason, "the job's trigger was changed before this fire was decided");
}

#[test]
fn fires_that_a_removed_job_had_due_are_recorded_as_skipped() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.remove(10, "a", Running::Finish);
    assert_eq!(table.states(), [(10, Skipped, 0)]);
}

#[test]
fn what_waited_before_a_restart_starts_under_the_jobs_of_now() {
    let wide = crate::support::with(job("a", EVERY_10_S), |p| {
        (p.max_instances, p.coalesce) = (3, clockbox_core::model::Coalesce::All);
    });
    let mut before = Table::with_pools([pool("default", 1, 9)], [job("long", "{}"), wide]);
    [0, 10, 20, 30].into_iter().for_each(|second| before.wake(second));
    let unfinished: Vec<_> = before
        .runs()
        .into_iter()
        .filter(|run| run.state == Waiting)
        .map(|run| clockbox_core::timetable::Unfinished { run, attempt_started_at: None })
        .collect();
    assert_eq!(unfinished.len(), 3);
    let mut timetable = clockbox_core::timetable::Timetable::new();
    let actions = timetable.restore(
        crate::support::at(36),
        Remembered { jobs: vec![before.record("a")], unfinished, ..Remembered::default() },
    );
    let mut table = Table { timetable, actions };
    assert!(table.launches().is_empty(), "the manifest of now has not been heard");
    let narrow =
        crate::support::with(job("a", EVERY_10_S), |p| p.coalesce = clockbox_core::model::Coalesce::All);
    table.add(36, [narrow]);
    table.wake(36);
    assert_eq!(table.launches().len(), 1);
}

#[test]
fn a_replaced_run_that_takes_its_time_to_stop_costs_no_other_run() {
    let two = crate::support::with(job("a", EVERY_10_S), |p| {
        (p.max_instances, p.overlap) = (2, clockbox_core::model::Overlap::Replace);
    });
    let mut table = Table::new([two]);
    [10, 20, 30, 40].into_iter().for_each(|second| table.wake(second));
    assert_eq!(table.cancels(), [table.launches()[0]]);
}
