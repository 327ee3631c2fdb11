//! What the timetable asks a store to make durable.

use std::sync::Arc;

use super::{Attempt, JobId, JobRecord, LogLine, Pause, Run, RunId, StateChanges, Timestamp, format_size};

/// One change to a store. Writes of a batch are applied in order, in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Insert the job, or replace the one of that name; its history stays, and its `last_success` does not move back.
    PutJob(Box<JobRecord>),
    /// Forget the job and its state; its history stays.
    RemoveJob(JobId),
    /// Keep that the whole scheduler is paused; `None`: that it is not.
    Pause(Option<Pause>),
    /// Keep that somebody wants this run to stop, and why; `None`: that it has come to its end, however that was. It is no
    /// part of the run's record, so that runs which nobody stops cost nothing more.
    Cancelling {
        /// The run.
        run: RunId,
        /// Why.
        why: Option<String>,
    },
    /// Insert the record of a fire and set the job's next and last fire with it. The last fire only moves forward, and
    /// only by what the trigger caused, not by runs on demand.
    ///
    /// Refused when that job and scheduled time are on record already. The next fire moves all the same: a schedule that
    /// stayed at a fire that is done would come back to it at every start.
    Fire {
        /// The record: waiting, running (with attempt 1), missed or skipped.
        run: Arc<Run>,
        /// The job's next fire; `None` leaves what is stored (a run on demand does not move the schedule).
        next_fire: Option<Option<Timestamp>>,
    },
    /// Replace the record of a run that exists; and its latest attempt, where one is given. What a fire was recorded
    /// with stays: job, plugin, pool, cause, arguments and the times of schedule and record.
    ///
    /// The store also moves the job's `last_success` forward when the run finished with success.
    Update {
        /// The record in its new state.
        run: Arc<Run>,
        /// The attempt that started or ended: inserted, or replaced by its number.
        attempt: Option<Box<Attempt>>,
    },
    /// Record that a run succeeded, and with it what it brought about: all of it, or nothing where any part is refused.
    ///
    /// The time at which entries of the state have expired is that of the run's end. A job that is not stored has no
    /// state: what the run changed of it goes with the job.
    Success {
        /// The record in its new state, as for [`Write::Update`].
        run: Arc<Run>,
        /// The attempt that succeeded.
        attempt: Box<Attempt>,
        /// What it changes of its job's state.
        state: Option<Box<StateChanges>>,
        /// What becomes of other jobs: [`Write::PutJob`], [`Write::RemoveJob`] and [`Write::Fire`].
        jobs: Vec<Write>,
    },
    /// Change the state of a job by hand: all of it, or nothing where it is refused.
    State {
        /// The job.
        job: JobId,
        /// The changes.
        changes: Box<StateChanges>,
        /// The time at which entries have expired.
        at: Timestamp,
    },
    /// Append lines to the log of an attempt.
    Log {
        /// The run.
        run: RunId,
        /// The attempt.
        attempt: u32,
        /// The lines, oldest first.
        lines: Vec<LogLine>,
    },
}

/// Why a store refused one write of a batch; the others of the batch stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The job and scheduled time of a [`Write::Fire`] are on record already.
    #[error("a run of this job at this time is on record already")]
    AlreadyRecorded,
    /// Something else is stored under a key than a [`Write::Success`] goes by.
    #[error("state conflict: the key {key:?} was changed by somebody else since the run compared it")]
    StateConflict {
        /// The key.
        key: String,
    },
    /// The state of the job would be larger than its limit.
    #[error(
        "the state of the job would take {} and the limit is {} (raise limits.state)",
        format_size(*.size),
        format_size(*.limit)
    )]
    StateFull {
        /// How large it would be.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The job of a [`Write::State`] is not stored.
    #[error("there is no such job in the store")]
    NoSuchJob,
    /// The run of a [`Write::Update`], [`Write::Success`] or [`Write::Log`] is not on record.
    #[error("there is no such run on record")]
    NoSuchRun,
}
