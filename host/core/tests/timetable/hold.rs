//! While nothing can be recorded, nothing is decided.

use clockbox_core::{model::*, timetable::Input};

use crate::support::*;

#[test]
fn whatever_is_taken_in_decides_no_fire_and_starts_nothing_while_held() {
    let retried = with(job("failing", r#"{ "date": "2030-01-01T00:00:01Z" }"#), |policy| {
        policy.retry = Retry { attempts: 2, backoff: std::time::Duration::from_secs(1), ..Retry::default() };
    });
    let pools = [pool("default", 2, 10)];
    let mut table = Table::with_pools(pools, [job("tick", EVERY_10_S), retried]);
    table.wake(1);
    table.wake(10);
    let [failing, tick] = table.launches()[..] else { panic!("{:?}", table.launches()) };
    table.timetable.hold(true);
    table.finish(11, failing, Outcome::Failed);
    table.finish(45, tick, Outcome::Succeeded);
    table.tell(46, Input::RunNow { job: JobId::new("tick").unwrap(), args: None }).unwrap();
    table.wake(47);
    assert_eq!(table.launches(), [failing, tick]);
    assert_eq!(table.runs().len(), 3, "no fire is decided");
    assert_eq!(table.runs()[2].state, RunState::Waiting);

    table.timetable.hold(false);
    table.wake(48);
    let launched: Vec<_> = table.launches().iter().map(|run| table.run(*run).job.to_string()).collect();
    assert_eq!(launched[2..].iter().filter(|job| *job == "failing").count(), 1, "{launched:?}");
    let fires: Vec<_> = table.states().into_iter().filter(|(at, ..)| *at % 10 == 0).collect();
    assert_eq!(fires.last().map(|(at, _, coalesced)| (*at, *coalesced)), Some((40, 2)), "20 to 40 together");
}
