//! What is due: fires, attempts and waits that ran out.

use std::collections::BTreeSet;

use super::{
    Action, Timetable, admit,
    due::{self, Count, Due},
    entry::Entry,
};
use crate::{
    model::{Cause, Coalesce, Grace, JobId, RunState, Timestamp},
    trigger::Trigger,
};

/// Fires decided in one go. A backlog beyond that is taken up at the next wake, which is at once, so that other inputs
/// get their turn.
const DECIDED_AT_ONCE: u32 = 512;
/// Fires counted one by one in one go, likewise.
const COUNTED_AT_ONCE: u32 = 20_000;
/// Fires counted in one go where there is no other chance; of more than that the number is a lower bound.
const COUNTED_AT_MOST: u32 = 1_000_000;
/// How often a search that has to come to its end is gone on with.
const SEARCHES_AT_MOST: u32 = 64;
/// More fires of one job than this that are too late are recorded together.
const MISSED_ONE_BY_ONE: u32 = 64;

/// What may still be done in one go.
struct Budget {
    decided: u32,
    counted: u32,
}

impl Timetable {
    /// Does whatever is due at `now`, in the order of its time over all jobs.
    pub(super) fn process(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if !self.may_start() {
            return;
        }
        while let Some((at, run)) = self.retries.first().copied().filter(|(at, _)| *at <= now) {
            self.retries.remove(&(at, run));
            self.retry(now, run, out);
        }
        let mut budget = Budget { decided: DECIDED_AT_ONCE, counted: COUNTED_AT_ONCE };
        loop {
            self.unpark();
            if budget.decided == 0 || budget.counted == 0 {
                break;
            }
            let Some((at, job)) = self.due.first().filter(|(at, _)| *at <= now).cloned() else { break };
            self.due.remove(&(at, job.clone()));
            budget.decided -= 1;
            self.visit(now, &job, &mut budget, out);
        }
    }

    /// A job is about to change or to go: what is due under its old trigger is decided first, or recorded.
    pub(super) fn settle(&mut self, now: Timestamp, id: &JobId, why: &str, out: &mut Vec<Action>) {
        self.find_fire(now, id);
        let Some(entry) = self.jobs.get(id) else { return };
        let may_start = self.may_start() && entry.record.paused.is_none() && !entry.busy().removed;
        if may_start && entry.due_fire(now).is_some() {
            self.schedule(id);
            if let Some(at) = self.jobs.get(id).and_then(|entry| entry.due_at) {
                self.due.remove(&(at, id.clone()));
            }
            let mut budget = Budget { decided: 1, counted: COUNTED_AT_MOST };
            self.visit(now, id, &mut budget, out);
        }
        let Some(entry) = self.jobs.get_mut(id) else { return };
        // Also one that its jitter put off.
        if let Some(first) =
            entry.record.next_fire.filter(|at| *at <= now && due::is_fire(trigger_of(entry), *at))
        {
            let counting = entry.if_busy().and_then(|busy| busy.counting.take());
            let mut count = counting.unwrap_or_else(|| Count::new(first));
            let (trigger, seed) = (&entry.record.job.trigger, entry.seed());
            let due = count.go_on(trigger, seed, now, &mut COUNTED_AT_MOST.clone());
            let due = due.unwrap_or_else(|| count.at_least(trigger, now));
            self.give_up(now, id, due, RunState::Skipped, why, out);
        }
    }

    /// Where a search for the next fire of a job has come to a time that is past, it goes on until it finds one or leaves
    /// the past; some seconds at most.
    fn find_fire(&mut self, now: Timestamp, id: &JobId) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        for _ in 0..SEARCHES_AT_MOST {
            let trigger = trigger_of(entry);
            let Some(from) = entry.record.next_fire.filter(|at| *at <= now && !due::is_fire(trigger, *at))
            else {
                return;
            };
            entry.record.next_fire = due::next_fire(trigger, entry.record.last_fire, from, now);
        }
    }

    /// Decides the first due fire of a job, or all together, and queues the job for its next one.
    fn visit(&mut self, now: Timestamp, id: &JobId, budget: &mut Budget, out: &mut Vec<Action>) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        entry.due_at = None;
        if let Some(from) =
            entry.record.next_fire.filter(|at| *at <= now && !due::is_fire(trigger_of(entry), *at))
        {
            entry.record.next_fire = due::next_fire(trigger_of(entry), entry.record.last_fire, from, now);
            // It took its time, and what else is due has its turn first.
            budget.counted = 0;
            self.ended.insert(id.clone());
            self.put_write(id, out);
            return self.schedule(id);
        }
        // A clock that was set back may have made it early.
        let Some(first) = entry.due_fire(now) else { return self.schedule(id) };
        let policy = &entry.record.job.policy;
        if policy.coalesce == Coalesce::All {
            return self.visit_each(now, id, first, budget, out);
        }
        let coalesce = policy.coalesce;
        let Some(due) = self.count(id, first, now, budget) else { return self.count_on_later(now, id) };
        let Some(entry) = self.jobs.get_mut(id) else { return };
        let fire = match coalesce {
            Coalesce::Earliest => {
                due.earliest(trigger_of(entry), |fire| entry.grace(fire).allows(now - fire))
            }
            _ => due.latest,
        };
        entry.record.next_fire = due.next;
        entry.record.last_fire = entry.record.last_fire.max(Some(fire));
        self.admit(now, id, fire, Cause::Trigger, due.count - 1, None, out);
        self.schedule(id);
    }

    /// Each due fire runs, in order and without skipping what piled up: a backlog waits for its job and its pool to
    /// have room, and leaves the pool's queue to fires of now.
    fn visit_each(
        &mut self,
        now: Timestamp,
        id: &JobId,
        first: Timestamp,
        budget: &mut Budget,
        out: &mut Vec<Action>,
    ) {
        if self.miss_a_backlog(now, id, first, budget, out) {
            return;
        }
        let Some(entry) = self.jobs.get_mut(id) else { return };
        let job = entry.record.job.clone();
        let (trigger, seed, grace) = (&job.trigger, entry.seed(), entry.grace(first));
        let next = due::next_fire(trigger, Some(first), first, now);
        if next.is_some_and(|next| due::due_at(trigger, seed, next) <= now) {
            let busy = entry.busy_mut();
            busy.backlog_until = busy.backlog_until.max(Some(now));
        }
        let is_backlog = entry.busy().backlog_until.is_some_and(|until| first <= until);
        let has_room = entry.has_room();
        if is_backlog && grace.allows(now - first) && !(has_room && self.pool(&job.pool).is_free()) {
            return self.park(id, first, has_room);
        }
        let Some(entry) = self.jobs.get_mut(id) else { return };
        entry.record.next_fire = next;
        entry.record.last_fire = entry.record.last_fire.max(Some(first));
        self.admit(now, id, first, Cause::Trigger, 0, None, out);
        self.schedule(id);
    }

    /// After a long stop: fires that are too late are recorded together where there are many. Answers whether that is
    /// all for now.
    fn miss_a_backlog(
        &mut self,
        now: Timestamp,
        id: &JobId,
        first: Timestamp,
        budget: &mut Budget,
        out: &mut Vec<Action>,
    ) -> bool {
        let Some(entry) = self.jobs.get(id) else { return true };
        let grace = entry.record.job.policy.misfire_grace;
        // What may still run is not too late: the grace is inclusive.
        let microsecond = chrono::TimeDelta::microseconds(1);
        let stale = fresh_from(now, grace).and_then(|oldest| oldest.checked_sub_signed(microsecond));
        let first_at = due::due_at(trigger_of(entry), entry.seed(), first);
        let Some(stale) = stale.filter(|stale| first_at <= *stale) else { return false };
        let Some(due) = self.count(id, first, stale, budget) else {
            self.count_on_later(now, id);
            return true;
        };
        if due.count <= MISSED_ONE_BY_ONE || due.latest > stale {
            return false;
        }
        let reason = format!("noticed too late, as were the fires before it; misfire_grace is {grace}");
        self.give_up(now, id, due, RunState::Missed, &reason, out);
        self.schedule(id);
        true
    }

    /// Goes on counting the due fires of a job; `None` when there are more than the budget allows.
    fn count(&mut self, id: &JobId, first: Timestamp, until: Timestamp, budget: &mut Budget) -> Option<Due> {
        let entry = self.jobs.get_mut(id)?;
        let counting = entry.if_busy().and_then(|busy| busy.counting.take());
        let mut count = counting.unwrap_or_else(|| Count::new(first));
        let due = count.go_on(&entry.record.job.trigger, entry.seed(), until, &mut budget.counted);
        if due.is_none() {
            entry.busy_mut().counting = Some(count);
            budget.counted = 0;
        }
        due
    }

    /// A long count is gone on with after whatever else is due.
    fn count_on_later(&mut self, now: Timestamp, id: &JobId) {
        if let Some(entry) = self.jobs.get_mut(id) {
            entry.due_at = Some(now);
            self.due.insert((now, id.clone()));
        }
    }

    /// The job whose backlog has waited longest for its pool goes on, where that is free; in each pool.
    fn unpark(&mut self) {
        let mut free = Vec::new();
        for slots in self.pools.values_mut() {
            // One that was looked at since, for another reason, is parked elsewhere or not at all.
            let still = |(at, id): &(Timestamp, JobId)| {
                self.jobs.get(id).is_some_and(|entry| entry.busy().parked == Some(*at))
            };
            free.extend(std::iter::from_fn(|| slots.unpark()).find(still));
        }
        free.iter().for_each(|(_, id)| self.schedule(id));
    }

    /// Leaves a fire undecided until its job or, where that has room, its pool has room; or until it is too late.
    fn park(&mut self, id: &JobId, fire: Timestamp, waits_for_pool: bool) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        let job = entry.record.job.clone();
        if let Some(at) = admit::expiry(fire, entry.grace(fire)) {
            entry.due_at = Some(at);
            self.due.insert((at, id.clone()));
        }
        if waits_for_pool {
            entry.busy_mut().parked = Some(fire);
            self.pool(&job.pool).park(fire, id.clone());
        }
    }

    /// Queues a job for its next fire, in place of whatever it was queued for.
    pub(super) fn schedule(&mut self, id: &JobId) {
        let turn = self.turn(id);
        self.due.extend(turn);
    }

    /// The place in the queue that a job's next fire has, to be put in there; what it was queued for is taken out.
    pub(super) fn turn(&mut self, id: &JobId) -> Option<(Timestamp, JobId)> {
        let entry = self.jobs.get_mut(id)?;
        if let Some(busy) = entry.if_busy() {
            busy.parked = None;
            entry.rest();
        }
        if let Some(at) = entry.due_at.take() {
            self.due.remove(&(at, id.clone()));
        }
        if entry.busy().removed || entry.record.paused.is_some() {
            return None;
        }
        let at = due::due_at(&entry.record.job.trigger, entry.seed(), entry.record.next_fire?);
        entry.due_at = Some(at);
        Some((at, entry.id().clone()))
    }

    /// Records waiting runs as missed whose grace has run out.
    pub(super) fn expire(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.draining || self.restoring {
            return;
        }
        let mut jobs = BTreeSet::new();
        while let Some((at, run)) = self.expiries.first().copied().filter(|(at, _)| *at <= now) {
            self.expiries.remove(&(at, run));
            jobs.extend(self.miss_waiting(now, run, out));
        }
        jobs.iter().for_each(|job| self.release(now, job, out));
    }
}

fn trigger_of(entry: &Entry) -> &Trigger {
    &entry.record.job.trigger
}

/// Fires before this are too late.
fn fresh_from(now: Timestamp, grace: Grace) -> Option<Timestamp> {
    let Grace::Within(grace) = grace else { return None };
    chrono::TimeDelta::from_std(grace).ok().and_then(|grace| now.checked_sub_signed(grace))
}
