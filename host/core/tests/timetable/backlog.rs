//! After a long stop.

use clockbox_core::{
    model::{Coalesce, Grace, Outcome, Policy, RunState::*},
    timetable::Input,
};

use crate::support::{EVERY_10_S, Table, at, job, pool, with};

fn each(policy: &mut Policy) {
    policy.coalesce = Coalesce::All;
    policy.misfire_grace = Grace::Forever;
}

#[test]
fn a_backlog_is_caught_up_in_the_order_of_its_fires_over_all_jobs() {
    let start = |name: &str, second: u32| {
        let trigger = format!(r#"{{ "interval": "10s", "start": "2030-01-01T00:00:{second}Z" }}"#);
        with(job(name, &trigger), |p| {
            each(p);
            p.max_instances = 9;
        })
    };
    let mut table =
        Table::with_pools([pool("default", 1, 9)], [start("a", 11), start("b", 16), start("c", 13)]);
    table.wake(40);
    for now in 41..50 {
        let running = *table.launches().last().unwrap();
        table.finish(now, running, Outcome::Succeeded);
    }
    let started = table.launches().into_iter().map(|run| (table.run(run).scheduled_at - at(0)).num_seconds());
    assert_eq!(started.collect::<Vec<_>>(), [11, 13, 16, 21, 23, 26, 31, 33, 36, 41]);
}

#[test]
fn a_backlog_leaves_the_queue_of_its_pool_to_fires_of_now() {
    let old = with(job("old", EVERY_10_S), |p| {
        each(p);
        p.max_instances = 99;
    });
    let fresh = job("fresh", r#"{ "date": "2030-01-01T00:10:01Z" }"#);
    let mut table = Table::with_pools([pool("default", 1, 1)], [old, fresh]);
    table.wake(600);
    assert_eq!(table.states(), [(10, Running, 0)], "the others are undecided");
    table.wake(601);
    let of_fresh =
        |table: &Table| table.runs().iter().find(|run| run.job.as_str() == "fresh").unwrap().clone();
    assert_eq!(of_fresh(&table).state, Waiting, "there is a place in the queue");
    let first = table.launches()[0];
    table.finish(602, first, Outcome::Succeeded);
    assert_eq!(of_fresh(&table).state, Running);
    let run = of_fresh(&table).id;
    table.finish(602, run, Outcome::Succeeded);
    assert_eq!(table.states().iter().filter(|(_, state, _)| *state == Skipped).count(), 0);
}

#[test]
fn a_backlog_goes_on_when_another_job_makes_room_in_the_pool() {
    let mut table =
        Table::with_pools([pool("default", 1, 9)], [job("long", "{}"), with(job("a", EVERY_10_S), each)]);
    table.wake(0);
    table.wake(30);
    assert_eq!(table.launches().len(), 1);
    let long = table.launches()[0];
    table.finish(31, long, Outcome::Succeeded);
    assert_eq!(table.states()[1], (10, Running, 0));
}

#[test]
fn ten_years_of_seconds_are_caught_up_one_by_one_and_hold_up_nothing() {
    let every_second = r#"{ "interval": "1s", "start": "2020-01-01T00:00:00Z" }"#;
    let old = with(job("old", every_second), each);
    let mut record = Table::new([old]).record("old");
    record.next_fire = Some("2020-01-01T00:00:00Z".parse().unwrap());
    let mut table = Table::restored(0, vec![record], Vec::new());
    table.add(0, [job("fresh", EVERY_10_S)]);
    assert_eq!(table.runs().len(), 1, "one at a time");
    table.wake(10);
    assert!(table.runs().iter().any(|run| run.job.as_str() == "fresh" && run.state == Running));
    let first = table.runs()[0].id;
    table.finish(11, first, Outcome::Succeeded);
    let second: clockbox_core::model::Timestamp = "2020-01-01T00:00:01Z".parse().unwrap();
    assert!(table.runs().iter().any(|run| run.scheduled_at == second && run.state == Running));
}

#[test]
fn one_answer_decides_a_bounded_number_of_fires_and_says_that_there_are_more() {
    let jobs = (0..2000).map(|n| job(&format!("j{n}"), EVERY_10_S));
    let mut table = Table::with_pools([pool("default", 5000, 0)], jobs);
    let mut answers = 0;
    while table.timetable.next_wake() <= Some(at(10)) {
        let before = table.launches().len();
        table.wake(10);
        answers += 1;
        assert!(table.launches().len() - before <= 512);
    }
    assert_eq!((answers, table.launches().len()), (4, 2000));
}

#[test]
fn coalesced_fires_are_counted_exactly_however_many_there_are() {
    // A cron trigger has to be counted fire by fire, over several answers; what is due meanwhile does not wait for it.
    let every_second = r#"{ "cron": "* * * * * *" }"#;
    let forever = with(job("old", every_second), |p| p.misfire_grace = Grace::Forever);
    let late = 30_000;
    let beside = format!(r#"{{ "date": "{}" }}"#, at(late).to_rfc3339());
    let mut table = Table::new([forever, job("beside", &beside)]);
    let first = table.launches()[0];
    table.finish(0, first, Outcome::Succeeded);
    table.wake(late);
    assert_eq!(table.runs().len(), 1, "not counted to the end yet");
    table.wake(late);
    assert!(table.runs().iter().any(|run| run.job.as_str() == "beside"));
    while table.timetable.next_wake() <= Some(at(late)) {
        table.wake(late);
    }
    let run = table.runs().into_iter().rfind(|run| run.job.as_str() == "old").unwrap();
    assert_eq!((run.scheduled_at, run.coalesced), (at(late), 29_999), "all but the one at 0");
}

#[test]
fn a_long_count_goes_on_over_a_pause_and_ends_with_a_new_trigger() {
    let forever = with(job("old", r#"{ "cron": "* * * * * *" }"#), |p| p.misfire_grace = Grace::Forever);
    let mut table = Table::new([forever]);
    table.wake(25_000);
    table.tell(25_000, Input::Pause { by: None, note: None }).unwrap();
    assert_eq!(table.timetable.next_wake(), None);
    table.tell(26_000, Input::Resume).unwrap();
    table.add(26_000, [with(job("old", EVERY_10_S), |p| p.misfire_grace = Grace::Forever)]);
    let counted: u32 = table.runs().iter().map(|run| run.coalesced + 1).sum();
    assert_eq!((table.runs().len(), counted), (2, 26_001));
}

#[test]
fn a_clock_that_is_set_back_decides_nothing_early() {
    let mut table = Table::new([with(job("a", EVERY_10_S), each)]);
    table.wake(35);
    let running = table.launches()[0];
    table.finish(5, running, Outcome::Succeeded);
    assert_eq!(table.launches().len(), 1);
    table.wake(20);
    assert_eq!(table.states()[1], (20, Running, 0));
}

#[test]
fn a_backlog_whose_first_fires_became_too_late_meanwhile_still_gets_its_pool() {
    let within = |name: &str, second: u32| {
        let trigger = format!(r#"{{ "interval": "10s", "start": "2030-01-01T00:00:{second}Z" }}"#);
        with(job(name, &trigger), |p| (p.coalesce, p.max_instances) = (Coalesce::All, 3))
    };
    let long = job("long", "{}");
    let mut table = Table::with_pools([pool("default", 1, 9)], [long, within("a", 10), within("b", 15)]);
    table.wake(0);
    table.wake(55);
    // What waited for the pool is too late by now; what follows it waits there instead.
    table.wake(100);
    let long = table.launches()[0];
    table.finish(101, long, Outcome::Succeeded);
    for now in 102..114 {
        let running = *table.launches().last().unwrap();
        table.finish(now, running, Outcome::Succeeded);
    }
    for name in ["a", "b"] {
        assert!(table.record(name).next_fire > Some(at(100)), "{:?}", table.record(name));
    }
}
