//! What the timetable keeps of each job and of each run under way.

use std::{collections::VecDeque, sync::Arc};

use super::due::{self, Count};
use crate::{
    model::{Grace, Job, JobId, JobRecord, Run, RunId, Timestamp, WhenDone},
    trigger::seed_of,
};

/// A job and its place in the timetable.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: JobRecord,
    /// When it is looked at next: its key in the due queue.
    pub(super) due_at: Option<Timestamp>,
    // Most jobs are idle, and there may be a million of them.
    busy: Option<Box<Busy>>,
}

/// What is kept of a job only as long as there is anything to keep.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Busy {
    /// Runs that hold one of the job's slots, oldest first: they run, wait for the pool, or are to be tried again.
    pub(super) slots: Vec<RunId>,
    /// Runs that wait for one of the job's slots.
    pub(super) held: VecDeque<RunId>,
    /// Fires up to here came due while others did: they wait instead of being skipped.
    pub(super) backlog_until: Option<Timestamp>,
    /// Due fires that are being counted, where there are too many for one go.
    pub(super) counting: Option<Count>,
    /// Its key among the jobs whose backlog waits for a place in their pool.
    pub(super) parked: Option<Timestamp>,
    /// The time of the latest run on demand, so that two of them never share one.
    pub(super) last_manual: Option<Timestamp>,
    /// The job is gone; only its runs are still to be accounted for.
    pub(super) removed: bool,
    /// Runs up to this one are of an earlier job of this name: the attempt that was under way is their last.
    pub(super) earlier_runs: Option<RunId>,
}

impl Busy {
    /// Its runs, those that hold a slot first.
    pub(super) fn runs(&self) -> impl Iterator<Item = &RunId> {
        self.slots.iter().chain(&self.held)
    }
}

impl Entry {
    pub(super) fn new(record: JobRecord) -> Self {
        Self { record, due_at: None, busy: None }
    }

    pub(super) fn id(&self) -> &JobId {
        &self.record.job.id
    }

    /// What there is to know beside the record.
    pub(super) fn busy(&self) -> &Busy {
        static IDLE: Busy = Busy {
            slots: Vec::new(),
            held: VecDeque::new(),
            backlog_until: None,
            counting: None,
            parked: None,
            last_manual: None,
            removed: false,
            earlier_runs: None,
        };
        self.busy.as_deref().unwrap_or(&IDLE)
    }

    /// The same, to be changed.
    pub(super) fn busy_mut(&mut self) -> &mut Busy {
        self.busy.get_or_insert_default()
    }

    /// The same where there is anything.
    pub(super) fn if_busy(&mut self) -> Option<&mut Busy> {
        self.busy.as_deref_mut()
    }

    /// Forgets what there is no need to keep any more.
    pub(super) fn rest(&mut self) {
        if self.busy.as_deref().is_some_and(|busy| *busy == Busy::default()) {
            self.busy = None;
        }
    }

    /// Whether another run of the job may take a slot.
    pub(super) fn has_room(&self) -> bool {
        self.busy().slots.len() < self.record.job.policy.max_instances.max(1) as usize
    }

    /// Whether the job is still the one that `run` was started for, so that another attempt may follow.
    pub(super) fn is_job_of(&self, run: RunId) -> bool {
        !self.busy().removed && Some(run) > self.busy().earlier_runs
    }

    /// Whether anything is left that belongs to the job.
    pub(super) fn is_idle(&self) -> bool {
        self.busy().slots.is_empty() && self.busy().held.is_empty()
    }

    /// Whether the job has fired for the last time, all of its runs are over, and it is to go then.
    pub(super) fn is_done(&self) -> bool {
        let job = &self.record.job;
        self.record.next_fire.is_none()
            && self.record.last_fire.is_some()
            && self.is_idle()
            && !job.trigger.fires_at_start()
            && job.when_done() == WhenDone::Remove
    }

    /// How late the run of a fire may begin; see [`grace_of`].
    pub(super) fn grace(&self, fire: Timestamp) -> Grace {
        grace_of(&self.record.job, fire)
    }

    /// The job's next fire, where that is due.
    pub(super) fn due_fire(&self, now: Timestamp) -> Option<Timestamp> {
        let trigger = &self.record.job.trigger;
        let is_due = |fire: &Timestamp| {
            due::due_at(trigger, self.seed(), *fire) <= now && due::is_fire(trigger, *fire)
        };
        self.record.next_fire.filter(is_due)
    }

    /// What the trigger's jitter is drawn from: the job's name, so that it is the same after a restart.
    pub(super) fn seed(&self) -> u64 {
        seed_of(self.record.job.id.as_str())
    }
}

/// How late the run of a job's fire may begin, counted from the fire's own time: the jitter that puts it off is no delay.
pub(super) fn grace_of(job: &Job, fire: Timestamp) -> Grace {
    match job.policy.misfire_grace {
        Grace::Within(grace) if job.trigger.is_jittered() => {
            Grace::Within(grace.saturating_add(job.trigger.delay(seed_of(job.id.as_str()), fire)))
        }
        grace => grace,
    }
}

/// A run that is not in a final state.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) run: Arc<Run>,
    pub(super) place: Place,
    /// When the attempt under way was released to start.
    pub(super) attempt_started_at: Option<Timestamp>,
    /// Somebody wants it to stop.
    pub(super) stopping: Option<Box<Stopping>>,
}

/// That a run is to stop.
#[derive(Debug)]
pub(super) struct Stopping {
    pub(super) why: String,
    /// Whether the store knows of it: then no later host takes the run up again.
    pub(super) is_kept: bool,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Waiting for a slot of its job.
    Held,
    /// Waiting for a place in its pool; it holds a slot of its job.
    Queued,
    /// Running: it holds a slot of its job and a place in its pool.
    Running,
    /// Waiting for its next attempt; it holds a slot of its job.
    Retrying,
    /// It has succeeded if the store takes what it brings about; it holds a slot of its job.
    Settling,
}
