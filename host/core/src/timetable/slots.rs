//! The places of one pool, and who waits for them.

use std::{cmp::Reverse, collections::BTreeSet};

use hashbrown::HashMap;

use crate::model::{JobId, Pool, RunId, Timestamp};

/// A place in the queue: higher priority first, then the earlier fire, then the earlier record.
type Turn = (Reverse<i32>, Timestamp, RunId);

/// One pool's occupancy.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) pool: Pool,
    pub(super) running: u32,
    queue: BTreeSet<Turn>,
    /// Where each run of the queue stands in it, so that one is found without looking at all.
    turns: HashMap<RunId, Turn>,
    /// Jobs whose backlog goes on when there is room that no waiting run takes, by their next fire.
    parked: BTreeSet<(Timestamp, JobId)>,
}

impl Slots {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool, running: 0, queue: BTreeSet::new(), turns: HashMap::new(), parked: BTreeSet::new() }
    }

    pub(super) fn has_room(&self) -> bool {
        self.running < self.pool.max_instances.max(1)
    }

    /// Whether a run could start at once without overtaking another.
    pub(super) fn is_free(&self) -> bool {
        self.has_room() && self.queue.is_empty()
    }

    pub(super) fn park(&mut self, fire: Timestamp, job: JobId) {
        self.parked.insert((fire, job));
    }

    /// The job with the earliest fire among those that wait for a free place, when there is one.
    pub(super) fn unpark(&mut self) -> Option<(Timestamp, JobId)> {
        if self.is_free() { self.parked.pop_first() } else { None }
    }

    /// Whether another fire may wait.
    pub(super) fn may_queue(&self) -> bool {
        self.queue.len() < self.pool.queue as usize
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn enqueue(&mut self, priority: i32, scheduled_at: Timestamp, run: RunId) {
        let turn = (Reverse(priority), scheduled_at, run);
        if let Some(earlier) = self.turns.insert(run, turn) {
            self.queue.remove(&earlier);
        }
        self.queue.insert(turn);
    }

    pub(super) fn dequeue(&mut self) -> Option<RunId> {
        let (_, _, run) = self.queue.pop_first()?;
        self.turns.remove(&run);
        Some(run)
    }

    pub(super) fn forget(&mut self, run: RunId) {
        if let Some(turn) = self.turns.remove(&run) {
            self.queue.remove(&turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PoolName;

    #[test]
    fn the_queue_goes_by_priority_then_by_time() {
        let mut slots = Slots::new(Pool::new(PoolName::default_pool()));
        let at = |s: i64| Timestamp::from_timestamp(s, 0).unwrap();
        let id = |n: i64| RunId::from_i64(n).unwrap();
        slots.enqueue(0, at(5), id(1));
        slots.enqueue(0, at(3), id(2));
        slots.enqueue(9, at(9), id(3));
        slots.enqueue(0, at(4), id(4));
        slots.forget(id(4));
        let order: Vec<_> = std::iter::from_fn(|| slots.dequeue()).collect();
        assert_eq!(order, [id(3), id(2), id(1)]);
    }

    #[test]
    fn a_run_has_one_place_and_another_priority_moves_it() {
        let mut slots = Slots::new(Pool::new(PoolName::default_pool()));
        let (at, id) = (Timestamp::UNIX_EPOCH, |n: i64| RunId::from_i64(n).unwrap());
        slots.enqueue(0, at, id(1));
        slots.enqueue(0, at, id(2));
        slots.enqueue(5, at, id(2));
        assert_eq!(slots.waiting(), 2);
        assert_eq!(slots.dequeue(), Some(id(2)));
        slots.forget(id(2));
        slots.forget(id(1));
        assert!(slots.is_free(), "nobody waits any more");
    }
}
