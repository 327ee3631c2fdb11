//! Triggers whose next fire takes more than one search.

use chrono::Datelike;
use clockbox_core::model::*;

use crate::support::*;

/// On the first of each month at 09:00, told in a way that is followed minute by minute.
const MONTHLY: &str = r#"{ "all": [
    { "cron": "*/2 * * * *" },
    { "any": [{ "cron": "1-59/2 * * * *" }, { "cron": "0 9 1 * *" }] }
] }"#;

/// Lets a timetable wake as it asks to, from one second to another; what starts ends at once.
fn live(table: &mut Table, from: i64, until: i64) {
    let (mut wakes, mut now) = (0, from);
    while let Some(wake) = table.timetable.next_wake() {
        now = now.max((wake - at(0)).num_seconds());
        if now > until {
            break;
        }
        wakes += 1;
        assert!(wakes < 1000, "it wakes again and again");
        table.wake(now);
        for run in table.runs().into_iter().filter(|run| run.state == RunState::Running) {
            table.finish(now, run.id, Outcome::Succeeded);
        }
    }
}

fn months(table: &Table) -> Vec<u32> {
    table.runs().iter().map(|run| run.scheduled_at.month()).collect()
}

const DAY: i64 = 86_400;

#[test]
fn every_fire_comes_though_the_search_for_it_is_taken_up_again() {
    let mut table = Table::new([job("a", MONTHLY)]);
    live(&mut table, 0, 364 * DAY);
    assert_eq!(months(&table), (1..=12).collect::<Vec<_>>());
    assert!(table.runs().iter().all(|run| run.scheduled_at.day() == 1 && run.coalesced == 0));
}

#[test]
fn a_stop_in_the_middle_of_a_search_loses_nothing() {
    let mut table = Table::new([job("a", MONTHLY)]);
    live(&mut table, 0, 40 * DAY);
    // The host is down over the fires of March to May; the latest stands for them.
    let record = table.record("a").clone();
    let mut record = record;
    record.job = with((*record.job).clone(), |p| p.misfire_grace = Grace::Forever).into();
    let mut table = Table::restored(130 * DAY, vec![record], Vec::new());
    live(&mut table, 130 * DAY, 160 * DAY);
    let runs: Vec<_> = table.runs().iter().map(|run| (run.scheduled_at.month(), run.coalesced)).collect();
    assert_eq!(runs, [(5, 2), (6, 0)]);
}
