//! A fire that its jitter puts off is not late.

use std::time::Duration;

use clockbox_core::{
    model::*,
    timetable::{Input, Running},
};

use crate::support::*;

/// Every minute, put off by up to five, with a grace of a second.
fn jittery(coalesce: Coalesce) -> Job {
    let trigger = r#"{ "interval": "10m", "start": "2030-01-01T00:10:00Z", "jitter": "5m" }"#;
    with(job("a", trigger), |policy| {
        policy.misfire_grace = Grace::Within(Duration::from_secs(1));
        policy.coalesce = coalesce;
        policy.max_instances = 10;
    })
}

/// Wakes as it is asked to, so many times; what starts ends at once.
fn wake_on_time(table: &mut Table, times: usize) {
    for _ in 0..times {
        let wake = table.timetable.next_wake().unwrap();
        // Rounded up to the second, as these stories count seconds: not later than the grace.
        let now = (wake - at(0)).num_seconds() + 1;
        table.wake(now);
        for run in table.runs().into_iter().filter(|run| run.state == RunState::Running) {
            table.finish(now, run.id, Outcome::Succeeded);
        }
    }
}

#[test]
fn every_fire_runs_on_a_host_that_is_on_time() {
    for coalesce in [Coalesce::Latest, Coalesce::Earliest, Coalesce::All] {
        let mut table = Table::new([jittery(coalesce)]);
        wake_on_time(&mut table, 20);
        let states: Vec<_> = table.runs().iter().map(|run| run.state).collect();
        assert_eq!(states, [RunState::Finished; 20], "{coalesce:?}");
    }
}

#[test]
fn a_run_that_waits_has_its_whole_grace() {
    let patient = with(jittery(Coalesce::Latest), |policy| {
        policy.misfire_grace = Grace::Within(Duration::from_secs(60));
    });
    let other = job("other", r#"{ "date": "2031-01-01" }"#);
    let mut table = Table::with_pools([pool("default", 1, 10)], [other, patient]);
    table.tell(1, Input::RunNow { job: JobId::new("other").unwrap(), args: None }).unwrap();
    let due = (table.timetable.next_wake().unwrap() - at(0)).num_seconds() + 1;
    table.wake(due);
    let waits = table.runs().into_iter().find(|run| run.job.as_str() == "a").unwrap().id;
    table.wake(due + 58);
    assert_eq!(table.run(waits).state, RunState::Waiting);
    table.wake(due + 61);
    assert_eq!(table.run(waits).state, RunState::Missed);
}

#[test]
fn a_fire_that_its_jitter_puts_off_is_recorded_when_its_trigger_changes_or_its_job_goes() {
    let put_off = |table: &mut Table| {
        // Just before it would begin.
        let due = (table.timetable.next_wake().unwrap() - at(0)).num_seconds();
        assert!(due > 601, "the jitter of this job puts it off");
        601
    };
    let mut table = Table::new([jittery(Coalesce::Latest)]);
    let now = put_off(&mut table);
    table.add(now, [job("a", r#"{ "interval": "1h" }"#)]);
    assert_eq!(table.states(), [(600, RunState::Skipped, 0)]);

    let mut table = Table::new([jittery(Coalesce::Latest)]);
    let now = put_off(&mut table);
    table.remove(now, "a", Running::Finish);
    assert_eq!(table.states(), [(600, RunState::Skipped, 0)]);
}
