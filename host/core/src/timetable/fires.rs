//! What is due: fires, attempts and waits that ran out.

use super::{Action, Timetable, due};
use crate::model::{Cause, Coalesce, Grace, JobId, RunState, Timestamp};

/// Jobs looked at in one go. A backlog beyond that is taken up at the next wake, which is at once, so that other
/// inputs get their turn.
const JOBS_AT_ONCE: usize = 512;
/// Fires counted in one go, likewise.
const COUNTED_AT_ONCE: u32 = 20_000;
/// Fires of one job decided in one go, where each runs. More than that which are too late are recorded together.
const FIRES_AT_ONCE: u32 = 64;

impl Timetable {
    /// Does whatever is due at `now`.
    pub(super) fn process(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.draining || self.paused {
            return;
        }
        while let Some((at, run)) = self.retries.first().copied().filter(|(at, _)| *at <= now) {
            self.retries.remove(&(at, run));
            self.retry(now, run, out);
        }
        let mut counted = 0;
        for _ in 0..JOBS_AT_ONCE {
            if counted >= COUNTED_AT_ONCE {
                break;
            }
            let Some((at, job)) = self.due.first().filter(|(at, _)| *at <= now).cloned() else { break };
            self.due.remove(&(at, job.clone()));
            counted += self.visit(now, &job, out);
        }
    }

    /// A job is about to change or to go: what is due under its old trigger is decided first, or recorded.
    pub(super) fn settle(&mut self, now: Timestamp, id: &JobId, why: &str, out: &mut Vec<Action>) {
        let may_start = self.may_start();
        let Some(entry) = self.jobs.get(id) else { return };
        let Some(first) = entry.record.next_fire else { return };
        let (trigger, seed) = (&entry.record.job.trigger, entry.seed());
        if due::due_at(trigger, seed, first) > now {
            return;
        }
        if may_start && entry.record.paused.is_none() && !entry.removed {
            self.schedule(id);
            if let Some(at) = self.jobs.get(id).and_then(|entry| entry.due_at) {
                self.due.remove(&(at, id.clone()));
            }
            self.visit(now, id, out);
        }
        let Some(entry) = self.jobs.get(id) else { return };
        let (trigger, seed) = (&entry.record.job.trigger, entry.seed());
        if let Some(first) = entry.record.next_fire.filter(|fire| due::due_at(trigger, seed, *fire) <= now) {
            let due = due::collect(trigger, seed, first, now, None);
            self.give_up(now, id, due, RunState::Skipped, why, out);
        }
    }

    /// Decides the due fires of one job, and queues the job for its next one. Answers how many fires it counted.
    fn visit(&mut self, now: Timestamp, id: &JobId, out: &mut Vec<Action>) -> u32 {
        let Some(entry) = self.jobs.get_mut(id) else { return 0 };
        entry.due_at = None;
        let Some(first) = entry.record.next_fire else { return 0 };
        let policy = &entry.record.job.policy;
        let (coalesce, grace) = (policy.coalesce, policy.misfire_grace);
        if coalesce == Coalesce::All {
            self.visit_each(now, id, first, out)
        } else {
            let fresh_from = match grace {
                Grace::Forever => None,
                Grace::Within(grace) => {
                    chrono::TimeDelta::from_std(grace).ok().and_then(|grace| now.checked_sub_signed(grace))
                }
            };
            let due = due::collect(&entry.record.job.trigger, entry.seed(), first, now, fresh_from);
            let fire = if coalesce == Coalesce::Earliest { due.earliest } else { due.latest };
            entry.record.next_fire = due.next;
            entry.record.last_fire = Some(due.latest);
            self.admit(now, id, fire, Cause::Trigger, due.count - 1, None, out);
            self.schedule(id);
            due.count
        }
    }

    /// Each due fire runs: in order, at a bounded pace, and without skipping what piled up.
    fn visit_each(&mut self, now: Timestamp, id: &JobId, first: Timestamp, out: &mut Vec<Action>) -> u32 {
        let mut fire = first;
        let mut counted = self.miss_a_backlog(now, id, first, out);
        if counted > 0 {
            match self.jobs.get(id).and_then(|entry| entry.record.next_fire) {
                Some(next) => fire = next,
                None => return counted,
            }
        }
        for _ in 0..FIRES_AT_ONCE {
            counted += 1;
            let Some(entry) = self.jobs.get_mut(id) else { return counted };
            let trigger = &entry.record.job.trigger;
            let (seed, grace) = (entry.seed(), entry.record.job.policy.misfire_grace);
            if due::due_at(trigger, seed, fire) > now {
                break;
            }
            let next = trigger.next_after(Some(fire), fire);
            if next.is_some_and(|next| due::due_at(trigger, seed, next) <= now) {
                entry.backlog_until = entry.backlog_until.max(Some(now));
            }
            let is_backlog = entry.backlog_until.is_some_and(|until| fire <= until);
            if is_backlog && !entry.has_room() && grace.allows(now - fire) {
                self.park(id, fire, grace);
                return counted;
            }
            entry.record.next_fire = next;
            entry.record.last_fire = Some(fire);
            self.admit(now, id, fire, Cause::Trigger, 0, None, out);
            match next {
                Some(next) => fire = next,
                None => return counted,
            }
        }
        self.schedule(id);
        counted
    }

    /// After a long stop: fires that are too late are recorded together where there are many. Answers how many.
    fn miss_a_backlog(&mut self, now: Timestamp, id: &JobId, first: Timestamp, out: &mut Vec<Action>) -> u32 {
        let Some(entry) = self.jobs.get(id) else { return 0 };
        let job = entry.record.job.clone();
        let Grace::Within(grace) = job.policy.misfire_grace else { return 0 };
        let oldest = chrono::TimeDelta::from_std(grace).ok().and_then(|grace| now.checked_sub_signed(grace));
        // What may still run is not too late: the grace is inclusive.
        let Some(stale) = oldest.map(|oldest| oldest - chrono::TimeDelta::microseconds(1)) else { return 0 };
        if first > stale {
            return 0;
        }
        let due = due::collect(&job.trigger, entry.seed(), first, stale, None);
        if due.count <= FIRES_AT_ONCE || due.latest > stale {
            return 0;
        }
        let reason = format!(
            "noticed too late, as were the fires before it; misfire_grace is {}",
            job.policy.misfire_grace
        );
        self.give_up(now, id, due, RunState::Missed, &reason, out);
        due.count
    }

    /// Leaves a fire undecided until a run of its job ends, or until it is too late for it.
    fn park(&mut self, id: &JobId, fire: Timestamp, grace: Grace) {
        if let Grace::Within(grace) = grace
            && let Ok(grace) = chrono::TimeDelta::from_std(grace)
            && let Some(at) = fire.checked_add_signed(grace + chrono::TimeDelta::microseconds(1))
            && let Some(entry) = self.jobs.get_mut(id)
        {
            entry.due_at = Some(at);
            self.due.insert((at, id.clone()));
        }
    }

    /// Queues a job for its next fire, in place of whatever it was queued for.
    pub(super) fn schedule(&mut self, id: &JobId) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        if let Some(at) = entry.due_at.take() {
            self.due.remove(&(at, id.clone()));
        }
        if entry.removed || entry.record.paused.is_some() {
            return;
        }
        if let Some(fire) = entry.record.next_fire {
            let at = due::due_at(&entry.record.job.trigger, entry.seed(), fire);
            entry.due_at = Some(at);
            self.due.insert((at, id.clone()));
        }
    }

    /// Records waiting runs as missed whose grace has run out.
    pub(super) fn expire(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.draining {
            return;
        }
        while let Some((at, run)) = self.expiries.first().copied().filter(|(at, _)| *at <= now) {
            self.expiries.remove(&(at, run));
            self.miss_waiting(now, run, out);
        }
    }
}
