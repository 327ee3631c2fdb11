//! Caps: of a job, of a pool; what waits, what is skipped, what makes way.

use clockbox_core::{
    model::{Coalesce, Outcome, Overlap, PoolName, RunState::*},
    timetable::{Change, Input, Unfinished},
};

use crate::support::{EVERY_10_S, Table, job, pool, with};

#[test]
fn by_default_a_fire_is_skipped_while_its_job_runs() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    table.wake(20);
    assert_eq!(table.states(), [(10, Running, 0), (20, Skipped, 0)]);
    assert!(table.runs()[1].reason.as_ref().unwrap().contains("max_instances (1)"));
}

#[test]
fn overlap_wait_lets_one_fire_wait_and_skips_the_surplus() {
    let mut table = Table::new([with(job("a", EVERY_10_S), |p| p.overlap = Overlap::Wait)]);
    [10, 20, 30].into_iter().for_each(|second| table.wake(second));
    assert_eq!(table.states(), [(10, Running, 0), (20, Waiting, 0), (30, Skipped, 0)]);
    let first = table.launches()[0];
    table.finish(31, first, Outcome::Succeeded);
    assert_eq!(table.states()[1], (20, Running, 0));
}

#[test]
fn overlap_replace_cancels_the_oldest_and_takes_its_place() {
    let mut table = Table::new([with(job("a", EVERY_10_S), |p| p.overlap = Overlap::Replace)]);
    [10, 20].into_iter().for_each(|second| table.wake(second));
    let first = table.launches()[0];
    assert_eq!(table.cancels(), [first]);
    assert_eq!(table.states()[1], (20, Waiting, 0), "the place is not free yet");
    table.wake(30);
    assert_eq!(table.states()[1], (20, Skipped, 0), "the latest fire is the one that waits");
    table.finish(31, first, Outcome::Cancelled);
    assert_eq!(table.states()[2], (30, Running, 0));
    let reason = table.run(first).reason.unwrap();
    assert!(reason.starts_with("replaced by the later fire"), "{reason}");
}

#[test]
fn a_job_may_have_as_many_runs_as_it_says() {
    let mut table = Table::new([with(job("a", EVERY_10_S), |p| p.max_instances = 2)]);
    [10, 20, 30].into_iter().for_each(|second| table.wake(second));
    assert_eq!(table.states(), [(10, Running, 0), (20, Running, 0), (30, Skipped, 0)]);
}

#[test]
fn a_full_pool_lets_runs_wait_by_priority_and_skips_beyond_its_queue() {
    let urgent = with(job("urgent", EVERY_10_S), |p| p.priority = 5);
    let jobs = [job("a", EVERY_10_S), job("b", EVERY_10_S), urgent, job("z", EVERY_10_S)];
    let mut table = Table::with_pools([pool("default", 1, 2)], jobs);
    table.wake(10);
    let state =
        |table: &Table, name: &str| table.runs().iter().find(|run| run.job.as_str() == name).unwrap().state;
    assert_eq!([state(&table, "a"), state(&table, "b")], [Running, Waiting]);
    assert_eq!([state(&table, "urgent"), state(&table, "z")], [Waiting, Skipped]);
    let reason = table.runs().into_iter().find(|run| run.state == Skipped).unwrap().reason.unwrap();
    assert_eq!(reason, "pool \"default\" is full: 1 running, 2 waiting (queue = 2)");
    let first = table.launches()[0];
    table.finish(11, first, Outcome::Succeeded);
    assert_eq!([state(&table, "urgent"), state(&table, "b")], [Running, Waiting]);
}

#[test]
fn a_saturated_pool_does_not_hold_up_another() {
    let mut other = job("b", EVERY_10_S);
    other.pool = PoolName::new("other").unwrap();
    let mut table =
        Table::with_pools([pool("default", 1, 9), pool("other", 1, 9)], [job("a", EVERY_10_S), other]);
    table.wake(10);
    assert_eq!(table.launches().len(), 2);
}

#[test]
fn a_waiting_run_is_missed_when_its_grace_is_over() {
    let long = job("long", "{}");
    let mut table = Table::with_pools([pool("default", 1, 9)], [long, job("a", EVERY_10_S)]);
    table.wake(0);
    table.wake(10);
    assert_eq!(table.states(), [(0, Running, 0), (10, Waiting, 0)]);
    table.wake(70);
    assert_eq!(table.states()[1], (10, Waiting, 0), "at the very end of its grace");
    table.wake(71);
    assert_eq!(table.states()[1], (10, Missed, 0));
    let long = table.launches()[0];
    table.finish(72, long, Outcome::Succeeded);
    assert!(table.launches().iter().all(|run| table.run(*run).scheduled_at != crate::support::at(10)));
}

#[test]
fn a_pool_that_shrinks_lets_runs_end_and_starts_no_more_than_it_may() {
    let jobs = || (0..3).map(|n| job(&format!("j{n}"), EVERY_10_S));
    let mut table = Table::with_pools([pool("default", 3, 9)], jobs());
    table.wake(10);
    table.apply(11, Change { pools: vec![pool("default", 1, 9)], ..Change::default() });
    assert_eq!(table.timetable.running(), 3, "nothing is stopped");
    let launched = table.launches();
    table.finish(12, launched[0], Outcome::Succeeded);
    table.finish(12, launched[1], Outcome::Succeeded);
    table.wake(20);
    assert_eq!(table.timetable.running(), 1);
    table.apply(21, Change { pools: vec![pool("default", 3, 9)], ..Change::default() });
    assert_eq!(table.timetable.running(), 3, "a pool that grows takes in what waits");
}

#[test]
fn a_job_whose_cap_is_lowered_starts_no_more_than_it_may() {
    let wide = with(job("a", EVERY_10_S), |p| (p.max_instances, p.coalesce) = (3, Coalesce::All));
    let mut table = Table::with_pools([pool("default", 1, 9)], [job("long", "{}"), wide]);
    [0, 10, 20, 30].into_iter().for_each(|second| table.wake(second));
    assert_eq!(table.states().iter().filter(|(_, state, _)| *state == Waiting).count(), 3);
    let narrow = with(job("a", EVERY_10_S), |p| p.coalesce = Coalesce::All);
    table.add(36, [narrow]);
    table.apply(37, Change { pools: vec![pool("default", 9, 9)], ..Change::default() });
    let running =
        |table: &Table| table.runs().iter().filter(|r| r.job.as_str() == "a" && r.state == Running).count();
    assert_eq!(running(&table), 1, "the pool has room, the job has not");
    let first = table.launches()[1];
    table.finish(38, first, Outcome::Succeeded);
    assert_eq!(running(&table), 1);
}

#[test]
fn a_run_on_demand_waits_where_a_fire_would_be_skipped() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let demand = Input::RunNow { job: clockbox_core::model::JobId::new("a").unwrap(), args: None };
    table.tell(11, demand).unwrap();
    assert_eq!(table.states()[1].1, Waiting);
    let first = table.launches()[0];
    table.finish(12, first, Outcome::Succeeded);
    assert_eq!(table.states()[1].1, Running);
}

/// A job whose cap was lowered to one while two of its runs waited for another attempt: the second is held back.
fn held_between_attempts(overlap: Overlap) -> Table {
    let again = move |max_instances| {
        with(job("a", EVERY_10_S), |p| {
            (p.max_instances, p.overlap) = (max_instances, overlap);
            p.retry.attempts = 3;
            p.retry.backoff = std::time::Duration::ZERO;
        })
    };
    let mut table = Table::new([again(2)]);
    table.wake(10);
    table.wake(20);
    table.add(21, [again(1)]);
    // The other one runs on.
    let first = table.launches()[0];
    table.finish(22, first, Outcome::Failed);
    table.wake(23);
    assert_eq!(table.states()[0], (10, Retrying, 0));
    table
}

#[test]
fn a_run_between_attempts_that_gives_way_is_cancelled_and_not_skipped() {
    let mut table = held_between_attempts(Overlap::Replace);
    table.wake(30);
    let first = table.runs()[0].clone();
    assert_eq!((first.state, first.outcome, first.attempt), (Finished, Some(Outcome::Cancelled), 1));
}

#[test]
fn a_run_between_attempts_is_not_missed_however_long_it_waits() {
    let mut table = held_between_attempts(Overlap::Skip);
    let second = table.launches()[1];
    // Its job has room, its pool has not.
    table.apply(24, Change { pools: vec![pool("default", 1, 9)], ..Change::default() });
    let other = job("other", r#"{ "date": "2030-01-01T00:00:25Z" }"#);
    let other = with(other, |policy| policy.priority = 9);
    table.add(24, [other]);
    table.wake(25);
    table.finish(26, second, Outcome::Succeeded);
    assert_eq!(table.states()[0], (10, Retrying, 0));
    table.wake(500);
    assert_eq!(table.states()[0], (10, Retrying, 0));
}

#[test]
fn of_runs_that_are_too_late_none_starts_because_another_gives_up_its_turn() {
    let wait = with(job("a", EVERY_10_S), |p| p.overlap = Overlap::Wait);
    let mut before = Table::with_pools([pool("default", 1, 9)], [job("long", "{}"), wait]);
    [0, 10, 20].into_iter().for_each(|second| before.wake(second));
    let waiting = before.runs().into_iter().filter(|run| run.state == Waiting);
    let waiting: Vec<_> = waiting.map(|run| Unfinished { run, attempt_started_at: None }).collect();
    assert_eq!(waiting.len(), 2);
    let table = Table::restored(1000, vec![before.record("a")], waiting);
    let states = table.states();
    assert_eq!([states[0], states[1]], [(10, Missed, 0), (20, Missed, 0)]);
}
