//! Attempts, interruptions, and what a restart makes of them.

use std::time::Duration;

use clockbox_core::{
    model::{Delivery, JobRecord, Outcome, Report, Retry, RetryHint, Run, RunState::*},
    timetable::{Input, Remembered, Unfinished},
};

use crate::support::{EVERY_10_S, Table, at, job, with};

fn retrying(attempts: u32) -> clockbox_core::model::Job {
    with(job("a", r#"{ "date": "2030-01-01T00:00:10Z" }"#), |p| {
        p.retry = Retry { attempts, backoff: Duration::from_secs(8), ..Retry::default() };
    })
}

#[test]
fn a_failed_run_is_tried_again_under_the_same_id_up_to_its_attempts() {
    let mut table = Table::new([retrying(3)]);
    table.wake(10);
    let run = table.launches()[0];
    for attempt in 1..=3 {
        assert_eq!((table.run(run).state, table.run(run).attempt), (Running, attempt));
        let now = 100 * i64::from(attempt);
        table.finish(now, run, Outcome::Failed);
        if attempt < 3 {
            assert_eq!(table.run(run).state, Retrying);
            table.wake(now + 99);
        }
    }
    assert_eq!(table.launches(), [run; 3]);
    assert_eq!((table.run(run).state, table.run(run).outcome), (Finished, Some(Outcome::Failed)));
    let ended = table.attempts().into_iter().filter(|attempt| attempt.outcome == Some(Outcome::Failed));
    assert_eq!(ended.map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_permanent_failure_is_not_tried_again() {
    let mut table = Table::new([retrying(3)]);
    table.wake(10);
    let run = table.launches()[0];
    table.finish_with(11, run, Report { retry: RetryHint::Never, ..Report::new(Outcome::Failed) });
    assert_eq!(table.run(run).state, Finished);
}

#[test]
fn retry_after_is_a_lower_bound() {
    let mut table = Table::new([retrying(2)]);
    table.wake(10);
    let run = table.launches()[0];
    let hint = RetryHint::After(Duration::from_secs(500));
    table.finish_with(11, run, Report { retry: hint, ..Report::new(Outcome::Failed) });
    assert!(table.run(run).retry_at >= Some(at(511)));
}

#[test]
fn a_guest_that_wants_another_attempt_after_an_age_gets_one_within_30_days() {
    for age in [Duration::from_millis(u64::MAX), Duration::MAX] {
        let mut table = Table::new([retrying(2)]);
        table.wake(10);
        let run = table.launches()[0];
        table.finish_with(11, run, Report { retry: RetryHint::After(age), ..Report::new(Outcome::Failed) });
        assert_eq!(table.run(run).retry_at, Some(at(11 + 30 * 24 * 3600)));
    }
}

#[test]
fn a_run_between_attempts_keeps_its_jobs_place_and_gives_its_pools_back() {
    let again = with(job("a", EVERY_10_S), |p| {
        p.retry = Retry { attempts: 2, backoff: Duration::from_secs(3000), ..Retry::default() };
    });
    let mut table = Table::new([again]);
    table.wake(10);
    let run = table.launches()[0];
    table.finish(11, run, Outcome::TimedOut);
    assert_eq!(table.timetable.running(), 0);
    table.wake(20);
    assert_eq!(table.states(), [(10, Retrying, 0), (20, Skipped, 0)]);
}

#[test]
fn success_is_remembered_for_the_next_run() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let run = table.launches()[0];
    table.finish(11, run, Outcome::Succeeded);
    assert_eq!(table.record("a").last_success, Some(at(10)));
}

#[test]
fn a_report_of_another_attempt_changes_nothing() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let run = table.launches()[0];
    let report = Box::new(Report::new(Outcome::Succeeded));
    table.tell(11, Input::Finished { run, attempt: 2, report }).unwrap();
    assert_eq!(table.run(run).state, Running);
}

fn interrupted(delivery: Delivery) -> (Table, Run) {
    let mut before = Table::new([with(job("a", EVERY_10_S), |p| p.delivery = delivery)]);
    before.wake(10);
    let (run, record): (Run, JobRecord) = (before.runs()[0].clone(), before.record("a"));
    let unfinished = Unfinished { run: run.clone(), attempt_started_at: None };
    (Table::restored(15, vec![record], vec![unfinished]), run)
}

#[test]
fn what_was_running_is_interrupted_and_stays_so_by_default() {
    let (table, run) = interrupted(Delivery::AtMostOnce);
    assert_eq!((table.run(run.id).state, table.run(run.id).outcome), (Finished, Some(Outcome::Interrupted)));
    assert_eq!(table.attempts()[0].started_at, at(10));
    assert!(table.launches().is_empty());
}

#[test]
fn at_least_once_runs_an_interrupted_run_again_under_its_id() {
    let (table, run) = interrupted(Delivery::AtLeastOnce);
    assert_eq!(table.launches(), [run.id]);
    assert_eq!(table.run(run.id).attempt, 2);
    assert_eq!(table.attempts()[0].outcome, Some(Outcome::Interrupted));
}

#[test]
fn what_was_to_stop_is_cancelled_by_the_next_host_whatever_its_delivery_is() {
    for delivery in [Delivery::AtLeastOnce, Delivery::AtMostOnce] {
        let mut before = Table::new([with(job("a", EVERY_10_S), |p| p.delivery = delivery)]);
        before.wake(10);
        let (run, jobs) = (before.runs()[0].clone(), vec![before.record("a")]);
        for jobs in [jobs, Vec::new()] {
            let mut table = Table::new([]);
            let unfinished = vec![Unfinished { run: run.clone(), attempt_started_at: Some(at(11)) }];
            let cancelling = [(run.id, "ada: wrong args".to_owned())].into();
            let remembered = Remembered { jobs, unfinished, cancelling, ..Remembered::default() };
            table.actions.extend(table.timetable.restore(at(15), remembered));
            table.wake(15);
            let ended = table.run(run.id);
            assert_eq!((ended.state, ended.outcome), (Finished, Some(Outcome::Cancelled)));
            let why = "ada: wrong args; the host ended before the run's end was recorded";
            assert_eq!(ended.reason.as_deref(), Some(why));
            let attempt = &table.attempts()[0];
            assert_eq!((attempt.outcome, attempt.started_at), (Some(Outcome::Cancelled), at(11)));
            assert_eq!(table.cancelling(), [None]);
            assert!(!table.launches().contains(&run.id));
        }
    }
}

#[test]
fn at_least_once_gives_up_after_its_attempts() {
    let mut before = Table::new([with(job("a", EVERY_10_S), |p| p.delivery = Delivery::AtLeastOnce)]);
    before.wake(10);
    let mut run = before.runs()[0].clone();
    run.attempt = 2;
    let unfinished = Unfinished { run: run.clone(), attempt_started_at: Some(at(12)) };
    let table = Table::restored(15, vec![before.record("a")], vec![unfinished]);
    assert_eq!(table.run(run.id).outcome, Some(Outcome::Interrupted));
    assert!(table.launches().is_empty());
}

#[test]
fn fires_that_came_due_while_the_host_was_down_are_caught_up() {
    let mut before = Table::new([job("a", EVERY_10_S)]);
    before.wake(10);
    let run = before.launches()[0];
    before.finish(11, run, Outcome::Succeeded);
    let table = Table::restored(45, vec![before.record("a")], Vec::new());
    assert_eq!(table.states(), [(40, Running, 2)]);
}

#[test]
fn what_waited_waits_on_after_a_restart() {
    let mut before =
        Table::with_pools([crate::support::pool("default", 1, 9)], [job("long", "{}"), job("a", EVERY_10_S)]);
    before.wake(0);
    before.wake(10);
    let waiting = before.runs().into_iter().find(|run| run.state == Waiting).unwrap();
    let jobs = vec![before.record("long"), before.record("a")];
    let unfinished = vec![Unfinished { run: waiting.clone(), attempt_started_at: None }];
    let table = Table::restored(12, jobs, unfinished);
    assert_eq!(table.launches(), [waiting.id]);
}

#[test]
fn a_refused_record_frees_its_place_and_the_schedule_goes_on() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let run = table.launches()[0];
    table.tell(10, Input::Refused(run)).unwrap();
    assert_eq!(table.timetable.running(), 0);
    table.wake(20);
    assert_eq!(table.launches().len(), 2);
}

#[test]
fn reboot_fires_once_at_each_start() {
    let mut first = Table::new([job("a", r#"{ "cron": "@reboot" }"#)]);
    first.wake(0);
    let run = first.launches()[0];
    first.finish(1, run, Outcome::Succeeded);
    first.wake(50);
    assert_eq!(first.launches().len(), 1);
    let mut second = Table::restored(100, vec![first.record("a")], Vec::new());
    assert_eq!(second.states(), [(100, Running, 0)]);
    second.wake(200);
    assert_eq!(second.launches().len(), 1);
}

#[test]
fn a_fire_of_a_start_that_nobody_decided_is_skipped_at_the_next_start() {
    let paused = |mut record: JobRecord| {
        record.paused = Some(Box::new(clockbox_core::model::Pause { at: at(0), by: None, note: None }));
        record
    };
    let mut first = Table::new([job("a", r#"{ "cron": "@reboot" }"#)]);
    first.wake(0);
    let second = Table::restored(100, vec![paused(first.record("a"))], Vec::new());
    assert_eq!((second.states(), second.record("a").next_fire), (vec![], Some(at(100))));
    let third = Table::restored(200, vec![second.record("a")], Vec::new());
    assert_eq!(third.states(), [(100, Skipped, 0)]);
    assert_eq!(third.record("a").next_fire, Some(at(200)));
}
