//! Due fires: on time, late, too late, several at once.

use std::time::Duration;

use clockbox_core::{
    model::{Cause, Coalesce, Grace, JobId, Outcome, RunState::*},
    timetable::{Input, Rejection},
};

use crate::support::{EVERY_10_S, Table, at, job, with};

#[test]
fn a_fire_is_recorded_in_the_answer_that_launches_it() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    assert_eq!(table.timetable.next_wake(), Some(at(10)));
    table.wake(10);
    assert_eq!(table.states(), [(10, Running, 0)]);
    assert_eq!(table.launches().len(), 1);
    assert_eq!(table.record("a").next_fire, Some(at(20)));
}

#[test]
fn nothing_fires_before_its_time() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(9);
    assert_eq!(table.states(), []);
}

#[test]
fn by_default_the_latest_of_several_due_fires_runs_and_counts_the_others() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(45);
    assert_eq!(table.states(), [(40, Running, 3)]);
    assert_eq!(table.record("a").next_fire, Some(at(50)));
}

#[test]
fn the_earliest_may_stand_for_the_others_as_far_as_it_is_not_too_late() {
    let earliest = |p: &mut clockbox_core::model::Policy| p.coalesce = Coalesce::Earliest;
    let mut table = Table::new([with(job("a", EVERY_10_S), earliest)]);
    table.wake(45);
    assert_eq!(table.states(), [(10, Running, 3)]);

    let mut table = Table::new([with(job("a", EVERY_10_S), earliest)]);
    table.wake(95);
    assert_eq!(table.states(), [(40, Running, 8)], "10, 20 and 30 are over a minute late");
}

#[test]
fn without_coalescing_each_runs_in_turn_although_overlap_is_skip() {
    let mut table = Table::new([with(job("a", EVERY_10_S), |p| p.coalesce = Coalesce::All)]);
    table.wake(35);
    assert_eq!(table.states(), [(10, Running, 0)], "one instance at a time");
    for (second, next) in [(36, 20), (37, 30)] {
        let running = *table.launches().last().unwrap();
        table.finish(second, running, Outcome::Succeeded);
        assert_eq!(table.states().last(), Some(&(next, Running, 0)));
    }
    let last = *table.launches().last().unwrap();
    table.wake(40);
    assert_eq!(table.states().last(), Some(&(40, Skipped, 0)), "the backlog is over: overlap counts again");
    table.finish(41, last, Outcome::Succeeded);
    assert_eq!(table.record("a").next_fire, Some(at(50)));
}

#[test]
fn a_backlog_fire_that_becomes_too_late_while_it_waits_is_missed() {
    let mut table = Table::new([with(job("a", EVERY_10_S), |p| p.coalesce = Coalesce::All)]);
    table.wake(35);
    table.wake(81);
    assert_eq!(table.states()[1], (20, Missed, 0));
    assert!(table.runs()[1].reason.as_ref().unwrap().contains("misfire_grace is 1m"));
}

#[test]
fn a_fire_noticed_too_late_is_recorded_as_missed_with_its_reason() {
    let mut table = Table::new([job("a", r#"{ "date": "2030-01-01T00:00:10Z" }"#)]);
    table.wake(71);
    assert_eq!(table.states(), [(10, Missed, 0)]);
    let reason = table.runs()[0].reason.clone().unwrap();
    assert_eq!(reason, "noticed 1m 1s late; misfire_grace is 1m");
    assert!(table.launches().is_empty());
}

#[test]
fn a_fire_at_the_very_end_of_its_grace_runs() {
    let mut table = Table::new([job("a", r#"{ "date": "2030-01-01T00:00:10Z" }"#)]);
    table.wake(70);
    assert_eq!(table.states(), [(10, Running, 0)]);
}

#[test]
fn forever_is_never_too_late() {
    let forever =
        with(job("a", r#"{ "date": "2020-01-01T00:00:00Z" }"#), |p| p.misfire_grace = Grace::Forever);
    let mut table = Table::new([forever]);
    table.wake(0);
    assert_eq!(table.launches().len(), 1);
}

#[test]
fn a_trigger_of_nothing_fires_once_now() {
    let mut table = Table::new([job("a", "{}")]);
    table.wake(0);
    assert_eq!(table.states(), [(0, Running, 0)]);
    assert_eq!(table.record("a").next_fire, None);
    assert_eq!(table.timetable.next_wake(), None);
}

#[test]
fn fires_that_come_due_in_a_pause_are_caught_up_by_policy() {
    let mut table = Table::new([job("a", EVERY_10_S), job("b", EVERY_10_S)]);
    let a = JobId::new("a").unwrap();
    table
        .tell(5, Input::PauseJob { job: a.clone(), by: Some("ada".into()), note: Some("audit".into()) })
        .unwrap();
    table.wake(25);
    assert_eq!(table.states(), [(20, Running, 1)], "b alone");
    assert_eq!(table.record("a").paused.unwrap().note.as_deref(), Some("audit"));
    table.tell(31, Input::ResumeJob(a)).unwrap();
    assert_eq!(table.states()[1], (30, Running, 2));
}

#[test]
fn a_paused_scheduler_starts_nothing_and_catches_up() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.tell(5, Input::Pause { by: None, note: None }).unwrap();
    assert_eq!(table.timetable.next_wake(), None);
    table.wake(25);
    assert_eq!(table.states(), []);
    table.tell(26, Input::Resume).unwrap();
    assert_eq!(table.states(), [(20, Running, 1)]);
}

#[test]
fn a_run_on_demand_leaves_the_schedule_alone_and_has_a_time_of_its_own() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    let now = || Input::RunNow { job: JobId::new("a").unwrap(), args: Some("[1]".into()) };
    table.tell(10, now()).unwrap();
    let run = &table.runs()[0];
    assert_eq!((run.cause, run.args.as_deref()), (Cause::Manual, Some("[1]")));
    assert_ne!(run.scheduled_at, at(10), "the fire at 10 has that time");
    assert_eq!(table.record("a").next_fire, Some(at(20)));
    let nobody = Input::RunNow { job: JobId::new("nobody").unwrap(), args: None };
    assert_eq!(table.tell(11, nobody), Err(Rejection::NoSuchJob(JobId::new("nobody").unwrap())));
}

#[test]
fn runs_on_demand_in_the_same_moment_are_different_runs() {
    let two = with(job("a", EVERY_10_S), |p| p.max_instances = 2);
    let mut table = Table::new([two]);
    for _ in 0..2 {
        table.tell(3, Input::RunNow { job: JobId::new("a").unwrap(), args: None }).unwrap();
    }
    let runs = table.runs();
    assert_ne!(runs[0].scheduled_at, runs[1].scheduled_at);
    assert_eq!(table.launches().len(), 2);
}

#[test]
fn a_clock_that_steps_back_fires_nothing_twice() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let run = table.launches()[0];
    table.finish(11, run, Outcome::Succeeded);
    table.wake(2);
    table.wake(12);
    assert_eq!(table.launches().len(), 1);
    table.wake(20);
    assert_eq!(table.launches().len(), 2);
}

#[test]
fn a_year_of_missed_seconds_is_decided_at_once() {
    let every_second = r#"{ "interval": "1s", "start": "2030-01-01T00:00:10Z" }"#;
    let mut table = Table::new([job("a", every_second)]);
    let year = 366 * 86_400;
    table.wake(year);
    assert_eq!(table.runs()[0].scheduled_at, at(year));
    assert!(table.timetable.next_wake() > Some(at(year)));
}

#[test]
fn jitter_delays_the_fire_and_leaves_its_nominal_time() {
    let jittered = r#"{ "interval": "10s", "start": "2030-01-01T00:00:10Z", "jitter": "5s" }"#;
    let mut table = Table::new([job("a", jittered)]);
    let wake = table.timetable.next_wake().unwrap();
    assert!(wake >= at(10) && wake <= at(15), "{wake}");
    table.wake(15);
    assert_eq!(table.states(), [(10, Running, 0)]);
}

#[test]
fn a_job_that_did_not_change_is_left_alone_by_a_reload() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    let before = table.actions.len();
    table.add(3, [job("a", EVERY_10_S)]);
    assert_eq!(table.actions.len(), before);
}

#[test]
fn a_new_trigger_counts_from_now_and_an_old_one_goes_on() {
    let mut table = Table::new([job("a", r#"{ "interval": "1h" }"#)]);
    let slower =
        with(job("a", r#"{ "interval": "1h" }"#), |p| p.misfire_grace = Grace::Within(Duration::ZERO));
    table.add(600, [slower]);
    assert_eq!(table.record("a").next_fire, Some(at(3600)), "the trigger is the same");
    table.add(700, [job("a", r#"{ "interval": "2h" }"#)]);
    assert_eq!(table.record("a").next_fire, Some(at(700 + 7200)));
}

#[test]
fn a_run_on_demand_never_takes_the_time_of_a_fire_that_is_still_undecided() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.tell(1, Input::Pause { by: None, note: None }).unwrap();
    table.tell(30, Input::RunNow { job: JobId::new("a").unwrap(), args: None }).unwrap();
    assert_eq!(table.record("a").next_fire, Some(at(10)));
    assert_ne!(table.runs()[0].scheduled_at, at(30));
}
