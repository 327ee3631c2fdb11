//! The floors: a timer alone, and bare runs that are spawned at one instant.

use std::{thread, time::Duration};

use super::JOBS;
use crate::{
    bare::{self, Bare},
    guests, support,
};

/// What a floor came to.
pub(super) struct Floor {
    /// In milliseconds after each was due.
    pub(super) late: Vec<f64>,
    /// For each.
    pub(super) cpu_micros: f64,
}

impl Floor {
    fn new(late: Vec<f64>, cpu_seconds: f64) -> Self {
        Self { cpu_micros: cpu_seconds / late.len() as f64 * 1e6, late }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.late.extend(other.late);
        self.cpu_micros = f64::midpoint(self.cpu_micros, other.cpu_micros);
    }
}

/// How late a loop is, in milliseconds, that does nothing but sleep until each of the same deadlines: one each ms.
pub(super) fn timer(seconds: u64) -> Floor {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (begin, cpu) = (support::clock() + Duration::from_millis(10), support::cpu_seconds());
        let mut late = Vec::new();
        for n in 0..seconds * JOBS as u64 {
            let due = begin + Duration::from_millis(n);
            tokio::time::sleep_until(due.into()).await;
            late.push(support::millis(due.elapsed()));
        }
        Floor::new(late, support::cpu_seconds() - cpu)
    })
}

/// A loop that at each full second spawns 1,000 bare runs, on as many threads as a scheduler has for guests.
pub(super) fn herd(rounds: u64) -> Floor {
    let bare = Bare::job(&bare::engine(2_000, None), guests::NOOP);
    let runtime = support::runtime();
    let mut late = Vec::new();
    let cpu = support::cpu_seconds();
    for _ in 0..rounds {
        let due = support::clock() + Duration::from_secs(1);
        thread::sleep(due.saturating_duration_since(support::clock()));
        let runs: Vec<_> = (0..JOBS)
            .map(|_| {
                let bare = bare.clone();
                runtime.spawn(async move {
                    bare.run().await;
                    support::millis(due.elapsed())
                })
            })
            .collect();
        for run in runs {
            late.push(runtime.block_on(run).expect("a run"));
        }
    }
    Floor::new(late, support::cpu_seconds() - cpu)
}
