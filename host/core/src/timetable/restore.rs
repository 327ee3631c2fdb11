//! Taking up the work where an earlier host left it.

use std::time::Duration;

use super::{
    Action, Timetable,
    entry::{Active, Entry, Place},
};
use crate::model::{Attempt, Delivery, JobRecord, Outcome, Run, RunId, RunState, Timestamp};

/// A run that was not in a final state when the earlier host ended.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// The run as recorded.
    pub run: Run,
    /// When its latest attempt was released to start, for a run that was running.
    pub attempt_started_at: Option<Timestamp>,
}

impl Timetable {
    /// Takes in what the store knows. To be called once, on a timetable without jobs, with its pools applied.
    ///
    /// What was running is interrupted: it stays so, or is tried again under the same id where the job's delivery is
    /// at-least-once. What waited waits on. Nothing starts before the next input is taken in, so that a change of jobs
    /// and pools counts for all of it; fires that came due in between are decided then, too.
    pub fn restore(
        &mut self,
        now: Timestamp,
        jobs: Vec<JobRecord>,
        unfinished: Vec<Unfinished>,
        last_run: Option<RunId>,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        self.restoring = true;
        self.last_run = self.last_run.max(last_run);
        for mut record in jobs {
            if record.job.trigger.fires_at_start() {
                record.next_fire = Some(now);
            }
            let id = record.job.id.clone();
            self.jobs.insert(id.clone(), Entry::new(record));
            self.schedule(&id);
        }
        for Unfinished { run, attempt_started_at } in unfinished {
            self.last_run = self.last_run.max(Some(run.id));
            if !self.jobs.contains_key(&run.job) {
                self.orphan(now, run, &mut actions);
                continue;
            }
            match run.state {
                RunState::Running => self.interrupted(now, run, attempt_started_at, &mut actions),
                RunState::Retrying => self.retry_later(run),
                _ => self.wait_again(run),
            }
        }
        actions
    }

    fn interrupted(
        &mut self,
        now: Timestamp,
        mut run: Run,
        attempt_started_at: Option<Timestamp>,
        out: &mut Vec<Action>,
    ) {
        let Some(entry) = self.jobs.get_mut(&run.job) else { return };
        let policy = &entry.record.job.policy;
        let attempts = policy.retry.attempts.max(2);
        let again = policy.delivery == Delivery::AtLeastOnce && run.attempt < attempts;
        let reason = "the host ended before the run's end was recorded".to_owned();
        let attempt = Attempt {
            number: run.attempt,
            started_at: attempt_started_at.or(run.started_at).unwrap_or(now),
            finished_at: Some(now),
            outcome: Some(Outcome::Interrupted),
            reason: Some(reason.clone()),
            backtrace: None,
            peak_memory: None,
        };
        run.reason = Some(reason);
        if again {
            entry.slots.push(run.id);
            self.await_retry(run, Outcome::Interrupted, attempt, now + Duration::ZERO, out);
        } else {
            self.end(now, run, Outcome::Interrupted, Some(attempt), out);
        }
    }

    fn retry_later(&mut self, run: Run) {
        if let Some(entry) = self.jobs.get_mut(&run.job) {
            entry.slots.push(run.id);
        }
        self.retries.insert((run.retry_at.unwrap_or(run.recorded_at), run.id));
        let place = Place::Retrying;
        self.active.insert(run.id, Active { run, place, attempt_started_at: None, stopping: None });
    }

    fn wait_again(&mut self, run: Run) {
        let has_room = self.jobs.get(&run.job).is_some_and(Entry::has_room);
        self.wait_at(run, if has_room { Place::Queued } else { Place::Held });
    }

    /// The job is gone, or the store could not make sense of it: its run cannot go on.
    fn orphan(&mut self, now: Timestamp, mut run: Run, out: &mut Vec<Action>) {
        let outcome = if run.state == RunState::Running { Outcome::Interrupted } else { Outcome::Cancelled };
        run.reason = Some(
            "its job was removed, or cannot be read any more, before the run's end was recorded".to_owned(),
        );
        self.end(now, run, outcome, None, out);
    }
}
