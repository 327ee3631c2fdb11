//! How things stand, in a few numbers.

use clockbox_core::{
    model::{Pause, Timestamp},
    timetable::Timetable,
};
use serde::Serialize;

/// What a scheduler is at, in a few numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Runs whose instance runs now.
    pub running: usize,
    /// Runs that wait for their turn or for their next attempt.
    pub waiting: usize,
    /// Jobs.
    pub jobs: usize,
    /// Jobs that are paused by hand.
    pub paused_jobs: usize,
    /// The store fails or does not keep up: nothing starts until it does.
    pub held: bool,
    /// When something is due next; in the past where that is late.
    pub next_wake: Option<Timestamp>,
    /// Since when everything is paused, by whom and why; `None` while it is not.
    pub paused: Option<Pause>,
    /// Nothing starts any more, as the scheduler is about to stop.
    pub draining: bool,
}

impl Status {
    pub(super) fn of(timetable: &Timetable) -> Self {
        let running = timetable.running();
        Self {
            running,
            waiting: timetable.active_runs().len().saturating_sub(running),
            jobs: timetable.jobs().count(),
            paused_jobs: timetable.jobs().filter(|record| record.paused.is_some()).count(),
            held: timetable.is_held(),
            next_wake: timetable.next_wake(),
            paused: timetable.paused().cloned(),
            draining: timetable.is_draining(),
        }
    }
}
