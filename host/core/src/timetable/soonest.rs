//! Which jobs fire next.

use std::collections::BinaryHeap;

use super::Timetable;
use crate::model::{JobId, JobRecord, Timestamp};

impl Timetable {
    /// The jobs that fire next, in the order of their fires and then of their names, at most so many. Those that are paused
    /// are not among them.
    #[must_use]
    pub fn soonest(&self, most: usize) -> Vec<&JobRecord> {
        // No more than so many of all are kept at one time.
        let mut soonest: BinaryHeap<(Timestamp, &JobId)> = BinaryHeap::new();
        for record in self.jobs().filter(|record| record.paused.is_none()) {
            let Some(at) = record.next_fire else { continue };
            let one = (at, &record.job.id);
            if soonest.len() < most {
                soonest.push(one);
            } else if soonest.peek().is_some_and(|latest| one < *latest) {
                soonest.pop();
                soonest.push(one);
            }
        }
        soonest.into_sorted_vec().into_iter().filter_map(|(_, id)| self.job(id)).collect()
    }
}
