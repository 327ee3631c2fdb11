//! How things stand, in a few numbers.

use clockbox_core::{
    model::{Pause, Timestamp},
    timetable::Timetable,
};
use serde::Serialize;

/// What a scheduler is at: cheap to ask for, however many jobs there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Runs whose instance runs now.
    pub running: usize,
    /// Runs that wait for their turn or for their next attempt.
    pub waiting: usize,
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
            next_wake: timetable.next_wake(),
            paused: timetable.paused().cloned(),
            draining: timetable.is_draining(),
        }
    }
}
