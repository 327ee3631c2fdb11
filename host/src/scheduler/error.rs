//! Why a scheduler did not do what it was asked.

use clockbox_core::{
    model::{InvalidJob, JobId, KeyProblems, Refusal},
    timetable::Rejection,
};
use clockbox_store::StoreError;

/// Why a scheduler did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SchedulerError {
    /// What was asked for does not fit what is there.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A change was asked for on the condition that the job is as it was, and it is not.
    #[error("the job {:?} has changed meanwhile: look at it again, and change what it is now", .0.as_str())]
    Changed(JobId),
    /// A description of a job cannot be read.
    #[error("{0}")]
    Invalid(KeyProblems),
    /// A job cannot be built as it is described.
    #[error(transparent)]
    Job(#[from] InvalidJob),
    /// It cannot be waited for the end of the scheduler here.
    #[error("signals and the end cannot be waited for here: {0}")]
    Signals(String),
    /// The store could not answer.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The state of a job is not changed so.
    #[error(transparent)]
    State(Refusal),
    /// The scheduler has stopped.
    #[error("the scheduler has stopped")]
    Stopped,
    /// The scheduler ended without recording everything; what was running is found interrupted at the next start.
    #[error("the scheduler could not end in order: {0}")]
    Lost(String),
    /// The store refused the record: another host has recorded the same fire.
    #[error("the store has a run of this job at this time already")]
    Refused,
}
