//! Questions to a store, and their answers.

use clockbox_core::model::{Attempt, JobId, Outcome, Run, RunId, RunState, Timestamp};

/// Which runs are asked for; an empty filter matches all.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of this job.
    pub job: Option<JobId>,
    /// In one of these states; none means any.
    pub states: Vec<RunState>,
    /// With one of these outcomes; none means any.
    pub outcomes: Vec<Outcome>,
    /// Scheduled at or after this time.
    pub since: Option<Timestamp>,
    /// Scheduled before this time.
    pub until: Option<Timestamp>,
    /// With an id in this range, both ends included.
    pub ids: Option<(RunId, RunId)>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// A run with its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDetail {
    /// The run.
    pub run: Run,
    /// Its attempts, first one first.
    pub attempts: Vec<Attempt>,
}
