//! What a fire costs among many jobs and among few, with the memory store: what grows with their number is the
//! timetable's part, which a disk would hide. Both hosts live in one process and take turns, so that whatever else the
//! machine does weighs on both.

use std::time::Duration;

use clockbox::{Conflict, Event, Job, Scheduler, Subscription, Timestamp};
use serde_json::{Value, json};

use super::{FEW, host::idle};
use crate::{
    guests,
    support::{self, Sample},
};

const TURNS: usize = 10;
/// Runs on demand in one turn.
const ON_DEMAND: usize = 200;
const AT_ONCE: usize = 1_000;
const ROUNDS: usize = 5;
const STEADY: usize = 500;
const STEADY_SECONDS: u64 = 2;
const STEADY_TURNS: usize = 2;

/// Fires among so many idle jobs and among 1,000: microseconds each, as [few, many].
pub(super) fn among(jobs: usize) -> Value {
    let mut hosts = [Host::start(FEW), Host::start(jobs)];
    let mut medians = |turns: usize, measure: &mut dyn FnMut(&mut Host, usize) -> Vec<f64>| {
        let mut found = [Vec::new(), Vec::new()];
        // The first turn warms up.
        for turn in 0..=turns {
            for (host, found) in hosts.iter_mut().zip(&mut found) {
                let times = measure(host, turn);
                if turn > 0 {
                    found.extend(times);
                }
            }
        }
        found.map(|times| times.into_iter().collect::<Sample>().p50())
    };
    json!({
        "on_demand": medians(TURNS, &mut |host, _| (0..ON_DEMAND).map(|_| host.on_demand()).collect()),
        "at_once": medians(ROUNDS, &mut |host, turn| vec![host.at_once(turn)]),
        "steady": medians(STEADY_TURNS, &mut |host, turn| vec![host.steady(turn)]),
    })
}

struct Host {
    scheduler: Scheduler,
    events: Subscription,
}

impl Host {
    fn start(jobs: usize) -> Self {
        let plugin = support::load(&support::sandbox(2_000), "noop", guests::NOOP);
        let noop = support::spec("noop").name;
        let scheduler = Scheduler::builder()
            .store(support::memory())
            .plugin(noop, plugin)
            .pool(support::pool(1_000))
            .start()
            .expect("a scheduler that starts");
        for batch in 0..jobs.div_ceil(1_000) {
            add(&scheduler, (batch * 1_000..jobs.min((batch + 1) * 1_000)).map(idle));
        }
        add(&scheduler, [support::job("probe", "noop", support::never())]);
        Self { events: scheduler.subscribe(), scheduler }
    }

    /// One run from the request to the end on record.
    fn on_demand(&mut self) -> f64 {
        let begin = support::clock();
        self.scheduler.run_now("probe".parse().expect("a name"), None).wait().expect("a run");
        self.last_end(1);
        support::micros(begin.elapsed())
    }

    /// 1,000 jobs due at one instant: a thousandth of the time until the end of the last.
    fn at_once(&mut self, turn: usize) -> f64 {
        let due = self.scheduler.clock().now() + Duration::from_secs(1);
        let trigger = support::trigger(&format!(r#"{{ "date": "{}" }}"#, due.to_rfc3339()));
        let jobs = (0..AT_ONCE).map(|n| support::job(&format!("due-{turn}-{n}"), "noop", trigger.clone()));
        add(&self.scheduler, jobs);
        assert!(self.scheduler.clock().now() < due, "adding 1,000 jobs took a second");
        let end = self.last_end(AT_ONCE);
        (end - due).num_microseconds().expect("a short time") as f64 / AT_ONCE as f64
    }

    /// 500 jobs that fire once a second, spread: the CPU time of all threads by the number of fires.
    fn steady(&mut self, turn: usize) -> f64 {
        let first = self.scheduler.clock().now() + Duration::from_secs(1);
        let last = first + Duration::from_secs(STEADY_SECONDS - 1);
        let jobs = (0..STEADY).map(|n| {
            let offset = Duration::from_millis((1_000 / STEADY * n) as u64);
            let (start, end) = ((first + offset).to_rfc3339(), (last + offset).to_rfc3339());
            let trigger = format!(r#"{{ "interval": "1s", "start": "{start}", "end": "{end}" }}"#);
            support::job(&format!("steady-{turn}-{n}"), "noop", support::trigger(&trigger))
        });
        add(&self.scheduler, jobs);
        assert!(self.scheduler.clock().now() < first, "adding 500 jobs took a second");
        let cpu = support::cpu_seconds();
        let fires = STEADY * STEADY_SECONDS as usize;
        self.last_end(fires);
        (support::cpu_seconds() - cpu) / fires as f64 * 1e6
    }

    /// Waits for so many ends; when the last of them was told.
    fn last_end(&mut self, count: usize) -> Timestamp {
        let mut left = count;
        loop {
            let next = self.events.next_blocking();
            let happening = next.expect("a scheduler that goes on").expect("no lost events");
            if matches!(happening.event, Event::RunFinished { .. }) {
                left -= 1;
            }
            if left == 0 {
                return happening.at;
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.scheduler.shutdown(Duration::ZERO).wait().expect("a scheduler that stops");
    }
}

fn add(scheduler: &Scheduler, jobs: impl IntoIterator<Item = Job>) {
    scheduler.add_jobs(jobs, Conflict::Error).wait().expect("jobs that are added");
}
