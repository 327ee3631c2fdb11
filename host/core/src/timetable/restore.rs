//! Taking up the work where an earlier host left it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    Action, Timetable, clock,
    due::Due,
    entry::{Active, Entry, Place},
};
use crate::model::{
    Attempt, Delivery, Event, JobId, JobRecord, Outcome, Pause, Run, RunId, RunState, Timestamp, Write,
};

/// A run that was not in a final state when the earlier host ended.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// The run as recorded.
    pub run: Run,
    /// When its latest attempt was released to start, for a run that was running.
    pub attempt_started_at: Option<Timestamp>,
}

/// What a store knows of an earlier life of the scheduler.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    /// Every job.
    pub jobs: Vec<JobRecord>,
    /// Every run that is not in a final state, oldest id first.
    pub unfinished: Vec<Unfinished>,
    /// Runs that somebody wanted to stop, and why.
    pub cancelling: BTreeMap<RunId, String>,
    /// The highest run id ever recorded.
    pub last_run: Option<RunId>,
    /// Set while the whole scheduler is paused.
    pub paused: Option<Pause>,
}

impl Timetable {
    /// Takes in what the store knows. To be called once, on a timetable without jobs, with its pools applied.
    ///
    /// What was running is interrupted: it stays so, or is tried again under the same id where the job's delivery is
    /// at-least-once. What somebody wanted to stop is cancelled, and not taken up again. What waited waits on. Nothing starts and no fire is decided before an input other than
    /// [`Input::Apply`](super::Input::Apply) and [`Input::AddJobs`](super::Input::AddJobs) is taken in, so that what
    /// these declare at a start counts for all of it.
    pub fn restore(&mut self, now: Timestamp, remembered: Remembered) -> Vec<Action> {
        let Remembered { jobs, unfinished, mut cancelling, last_run, paused } = remembered;
        let mut actions = Vec::new();
        self.paused = paused;
        self.restoring = true;
        self.last_run = self.last_run.max(last_run);
        self.jobs.reserve(jobs.len());
        let mut due = Vec::with_capacity(jobs.len());
        for record in jobs {
            let id = record.job.id.clone();
            let fires_now = record.job.trigger.fires_at_start();
            let is_doubtful = clock::is_doubtful(&record, now);
            self.count_source(&record.job.source, true);
            self.jobs.insert(Entry::new(record));
            if is_doubtful {
                self.bring_forward(now, &id, &mut actions);
            }
            if fires_now {
                self.fire_at_start(now, &id, &mut actions);
            }
            due.extend(self.turn(&id));
            if self.jobs.get(&id).is_some_and(|entry| entry.record.next_fire.is_none()) {
                self.ended.insert(id);
            }
        }
        // Sorted, a million are queued at once and in little space. They come by name, so that it takes no comparison of
        // names to put those of the same time in order.
        due.sort_by_key(|(at, _)| *at);
        self.due.append(&mut due.into_iter().collect());
        for Unfinished { run, attempt_started_at } in unfinished {
            let run = Arc::new(run);
            self.last_run = self.last_run.max(Some(run.id));
            if let Some(why) = cancelling.remove(&run.id) {
                self.cancelled(now, run, &why, attempt_started_at, &mut actions);
                continue;
            }
            if !self.jobs.contains(&run.job) {
                self.orphan(now, run, attempt_started_at, &mut actions);
                continue;
            }
            match run.state {
                RunState::Running => self.interrupted(now, run, attempt_started_at, &mut actions),
                RunState::Retrying => self.retry_later(now, run, attempt_started_at),
                _ => self.wait_again(run),
            }
        }
        actions
    }

    /// A job that fires at each start: the fire of an earlier start that nobody decided gives way.
    fn fire_at_start(&mut self, now: Timestamp, id: &JobId, out: &mut Vec<Action>) {
        let Some(entry) = self.jobs.get(id) else { return };
        if let Some(fire) = entry.record.next_fire {
            let due = Due { first: fire, latest: fire, count: 1, next: None };
            let reason = "the host was started again before this fire was decided";
            self.give_up(now, id, due, RunState::Skipped, reason, out);
        }
        if let Some(entry) = self.jobs.get_mut(id) {
            // A time that is on record already would be refused.
            let is_taken = entry.record.last_fire == Some(now);
            let at = if is_taken { now + chrono::TimeDelta::microseconds(1) } else { now };
            entry.record.next_fire = Some(at);
        }
        self.put_write(id, out);
    }

    fn interrupted(
        &mut self,
        now: Timestamp,
        mut run: Arc<Run>,
        attempt_started_at: Option<Timestamp>,
        out: &mut Vec<Action>,
    ) {
        let Some(entry) = self.jobs.get_mut(&run.job) else { return };
        let policy = &entry.record.job.policy;
        let attempts = policy.retry.attempts.max(2);
        let again = policy.delivery == Delivery::AtLeastOnce && run.attempt < attempts;
        let no_more = match policy.delivery {
            Delivery::AtLeastOnce if !again => {
                format!("; not run again: {} of {attempts} attempts are used (retry.attempts)", run.attempt)
            }
            _ => String::new(),
        };
        Arc::make_mut(&mut run).reason =
            Some(format!("the host ended before the run's end was recorded{no_more}"));
        let attempt = cut_off(now, &run, attempt_started_at, Outcome::Interrupted);
        out.push(Action::Publish(interruption(&run)));
        if again {
            entry.busy_mut().slots.push(run.id);
            self.await_retry(run, Outcome::Interrupted, attempt, now + Duration::ZERO, out);
        } else {
            self.end(now, run, Outcome::Interrupted, Some(attempt), out);
        }
    }

    /// Somebody wanted it to stop, and was told that it will: whatever its job's delivery is, it is over.
    fn cancelled(
        &mut self,
        now: Timestamp,
        mut run: Arc<Run>,
        why: &str,
        attempt_started_at: Option<Timestamp>,
        out: &mut Vec<Action>,
    ) {
        let id = run.id;
        Arc::make_mut(&mut run).reason =
            Some(format!("{why}; the host ended before the run's end was recorded"));
        let was_running = run.state == RunState::Running;
        let attempt = was_running.then(|| cut_off(now, &run, attempt_started_at, Outcome::Cancelled));
        self.end(now, run, Outcome::Cancelled, attempt, out);
        out.push(Action::Write(Write::Cancelling { run: id, why: None }));
    }

    fn retry_later(&mut self, now: Timestamp, run: Arc<Run>, ended: Option<Timestamp>) {
        if let Some(entry) = self.jobs.get_mut(&run.job) {
            entry.busy_mut().slots.push(run.id);
        }
        self.retries.insert((clock::retry_at(&run, ended, now), run.id));
        let place = Place::Retrying;
        self.active.insert(run.id, Active { run, place, attempt_started_at: None, stopping: None });
    }

    fn wait_again(&mut self, run: Arc<Run>) {
        let has_room = self.jobs.get(&run.job).is_some_and(Entry::has_room);
        self.wait_at(run, if has_room { Place::Queued } else { Place::Held });
    }

    /// The job is gone, or the store could not make sense of it: its run cannot go on.
    fn orphan(
        &mut self,
        now: Timestamp,
        mut run: Arc<Run>,
        attempt_started_at: Option<Timestamp>,
        out: &mut Vec<Action>,
    ) {
        Arc::make_mut(&mut run).reason = Some(
            "its job was removed, or cannot be read any more, before the run's end was recorded".to_owned(),
        );
        if run.state == RunState::Running {
            let attempt = cut_off(now, &run, attempt_started_at, Outcome::Interrupted);
            out.push(Action::Publish(interruption(&run)));
            self.end(now, run, Outcome::Interrupted, Some(attempt), out);
        } else {
            self.end(now, run, Outcome::Cancelled, None, out);
        }
    }
}

/// The record of the attempt that was under way when the earlier host ended.
fn cut_off(now: Timestamp, run: &Run, started_at: Option<Timestamp>, outcome: Outcome) -> Attempt {
    Attempt {
        number: run.attempt,
        started_at: started_at.or(run.started_at).unwrap_or(now),
        finished_at: Some(now),
        outcome: Some(outcome),
        reason: run.reason.clone(),
        backtrace: None,
        peak_memory: None,
    }
}

fn interruption(run: &Run) -> Event {
    Event::RunInterrupted { job: run.job.clone(), run: run.id, attempt: run.attempt }
}
