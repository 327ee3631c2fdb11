//! A clock that was wrong and is set right.

use clockbox_core::{model::*, timetable};

use crate::support::*;

const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;

fn next(table: &Table, job: &str) -> i64 {
    (table.record(job).next_fire.unwrap() - at(0)).num_seconds()
}

fn finish_all(table: &mut Table, now: i64) {
    for run in table.runs().into_iter().filter(|run| run.state == RunState::Running) {
        table.finish(now, run.id, Outcome::Succeeded);
    }
}

fn jobs() -> [Job; 4] {
    [
        job("anchored", r#"{ "interval": "1h", "start": "2030-01-01T00:30:00Z" }"#),
        job("drifting", r#"{ "interval": "1h" }"#),
        job("nightly", r#"{ "cron": "0 2 * * *" }"#),
        job("once", r#"{ "date": "2030-06-01" }"#),
    ]
}

#[test]
fn a_clock_that_was_years_ahead_for_a_moment_stops_nothing() {
    let mut table = Table::new(jobs());
    table.wake(4 * YEAR);
    finish_all(&mut table, 4 * YEAR);
    assert!(next(&table, "nightly") > 4 * YEAR);
    table.wake(HOUR);
    assert_eq!(next(&table, "anchored"), HOUR + HOUR / 2);
    assert_eq!(next(&table, "drifting"), 2 * HOUR);
    assert_eq!(next(&table, "nightly"), 2 * HOUR);
    assert_eq!(table.record("once").next_fire, None, "its date was decided");
    let before = table.runs().len();
    table.wake(2 * HOUR);
    assert_eq!(table.runs().len(), before + 3);
}

#[test]
fn a_host_that_is_started_after_the_correction_goes_on_as_well() {
    let mut table = Table::new(jobs());
    table.wake(4 * YEAR);
    finish_all(&mut table, 4 * YEAR);
    let records = ["anchored", "drifting", "nightly", "once"].map(|job| table.record(job).clone());
    let table = Table::restored(HOUR, records.to_vec(), Vec::new());
    let times = ["anchored", "drifting", "nightly"].map(|job| next(&table, job));
    assert_eq!(times, [HOUR + HOUR / 2, 2 * HOUR, 2 * HOUR]);
    assert_eq!(table.record("once").next_fire, None);
}

#[test]
fn a_clock_that_goes_back_by_an_hour_is_waited_for() {
    let mut table = Table::new(jobs());
    table.wake(10 * HOUR);
    finish_all(&mut table, 10 * HOUR);
    let before: Vec<i64> = ["anchored", "drifting", "nightly"].map(|job| next(&table, job)).to_vec();
    table.wake(9 * HOUR);
    assert_eq!(["anchored", "drifting", "nightly"].map(|job| next(&table, job)).to_vec(), before);
}

#[test]
fn an_attempt_that_was_put_off_at_the_wrong_time_is_not_put_off_for_years() {
    let failing = with(job("a", r#"{ "interval": "1h" }"#), |policy| {
        policy.retry = Retry { attempts: 3, backoff: std::time::Duration::from_secs(60), ..Retry::default() };
    });
    let mut table = Table::new([failing]);
    table.wake(4 * YEAR);
    let run = table.launches()[0];
    table.finish(4 * YEAR, run, Outcome::Failed);
    assert_eq!(table.run(run).state, RunState::Retrying);
    table.wake(HOUR);
    table.wake(HOUR + 61);
    assert_eq!(table.launches(), [run, run]);
}

#[test]
fn an_attempt_that_failed_at_the_wrong_time_is_due_at_once_after_a_restart() {
    let failing = with(job("a", r#"{ "interval": "1h" }"#), |policy| {
        policy.retry = Retry { attempts: 3, ..Retry::default() };
    });
    let mut table = Table::new([failing]);
    table.wake(HOUR);
    let run = table.launches()[0];
    // Recorded at the right time, failed at the wrong one.
    table.finish(YEAR, run, Outcome::Failed);
    let unfinished = timetable::Unfinished { run: table.run(run), attempt_started_at: Some(at(YEAR)) };
    let mut table = Table::restored(HOUR + 10, vec![table.record("a").clone()], vec![unfinished]);
    table.wake(HOUR + 11);
    assert_eq!(table.launches(), [run]);
}

#[test]
fn a_job_that_was_added_at_the_wrong_time_and_never_fired_is_found_at_a_start() {
    let mut table = Table::new([]);
    table.add(4 * YEAR, jobs());
    let records = ["anchored", "drifting", "nightly", "once"].map(|job| table.record(job).clone());
    let table = Table::restored(HOUR, records.to_vec(), Vec::new());
    let times = ["anchored", "drifting", "nightly"].map(|job| next(&table, job));
    assert_eq!(times, [HOUR + HOUR / 2, 2 * HOUR, 2 * HOUR]);
}
