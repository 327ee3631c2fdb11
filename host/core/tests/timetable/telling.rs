//! Whoever counts events counts each fire of a trigger once.

use std::time::Duration;

use clockbox_core::{
    model::{Cause, Coalesce, Event, Grace, JobId, Outcome, Overlap},
    timetable::{Input, Running},
};

use crate::support::{EVERY_10_S, Table, job, pool, with};

/// What became of fires: run, coalesced, missed, skipped, cancelled before they began.
fn counted(table: &Table) -> [u32; 5] {
    let mut counts = [0; 5];
    for event in table.events() {
        let (which, how_many) = match event {
            Event::RunStarted { attempt: 1, cause: Cause::Trigger, .. } => (0, 1),
            Event::Fired { coalesced, .. } => (1, coalesced),
            Event::Missed { coalesced, .. } => (2, coalesced + 1),
            Event::Skipped { coalesced, .. } => (3, coalesced + 1),
            Event::RunFinished { attempt: 0, cause: Cause::Trigger, .. } => (4, 1),
            _ => continue,
        };
        counts[which] += how_many;
    }
    counts
}

#[test]
fn fires_that_are_decided_together_are_all_told() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(30);
    assert_eq!(counted(&table), [1, 2, 0, 0, 0]);
    table.finish(31, table.launches()[0], Outcome::Succeeded);
    // 40 to 240 are too late at 301, the rest is run as one.
    table.wake(301);
    assert_eq!(counted(&table).iter().sum::<u32>(), 30);
}

#[test]
fn fires_that_come_too_late_are_told_with_those_recorded_with_them() {
    let late = with(job("a", EVERY_10_S), |p| {
        (p.coalesce, p.misfire_grace) = (Coalesce::All, Grace::Within(Duration::from_secs(5)));
    });
    let mut table = Table::new([late]);
    table.wake(100_009);
    let [run, coalesced, missed, skipped, cancelled] = counted(&table);
    assert_eq!((run, coalesced, missed, skipped, cancelled), (0, 0, 10_000, 0, 0));
    assert!(table.runs().len() < 100, "there are fewer records than fires");
}

#[test]
fn a_fire_that_waited_in_vain_is_told_once() {
    let narrow = || [pool("default", 1, 9)];
    let wide = with(job("a", EVERY_10_S), |p| (p.max_instances, p.overlap) = (9, Overlap::Skip));
    let mut table = Table::with_pools(narrow(), [wide.clone()]);
    // The first holds the pool, the second stands for a third and waits until it is too late.
    table.wake(10);
    table.wake(30);
    assert_eq!(counted(&table), [1, 1, 0, 0, 0]);
    table.tell(35, Input::PauseJob { job: wide.id.clone(), by: None, note: None }).unwrap();
    table.wake(100);
    assert_eq!(counted(&table), [1, 1, 1, 0, 0]);
    // One that waits is cancelled, and one on demand is no fire.
    let mut table = Table::with_pools(narrow(), [wide.clone()]);
    [10, 20].into_iter().for_each(|second| table.wake(second));
    table.tell(21, Input::RunNow { job: wide.id.clone(), args: None }).unwrap();
    let waiting: Vec<_> = table.runs().iter().skip(1).map(|run| run.id).collect();
    for run in waiting {
        table.tell(22, Input::CancelRun { run, why: "no need".into() }).unwrap();
    }
    assert_eq!(counted(&table), [1, 0, 0, 0, 1]);
}

#[test]
fn fires_of_a_job_that_goes_are_told() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    table.wake(20);
    table.remove(45, "a", Running::Finish);
    assert_eq!(counted(&table), [1, 0, 0, 3, 0]);
    assert!(table.timetable.job(&JobId::new("a").unwrap()).is_none());
}
