//! Questions to a store, and their answers.

use clockbox_core::model::{Attempt, JobId, Outcome, Run, RunId, RunState, Timestamp};

/// Which runs are asked for; an empty filter matches all.
///
/// ```
/// use clockbox_core::model::{JobId, Outcome};
/// use clockbox_store::RunFilter;
/// let failures = RunFilter {
///     job: Some(JobId::new("report").unwrap()),
///     outcomes: vec![Outcome::Failed, Outcome::TimedOut],
///     limit: Some(20),
///     ..RunFilter::default()
/// };
/// assert!(failures.states.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

impl RunFilter {
    /// Whether a run matches, the limit aside.
    pub(crate) fn matches(&self, run: &Run) -> bool {
        self.job.as_ref().is_none_or(|job| *job == run.job)
            && (self.states.is_empty() || self.states.contains(&run.state))
            && (self.outcomes.is_empty()
                || run.outcome.is_some_and(|outcome| self.outcomes.contains(&outcome)))
            && self.since.is_none_or(|since| run.scheduled_at >= since)
            && self.until.is_none_or(|until| run.scheduled_at < until)
            && self.ids.is_none_or(|(low, high)| low <= run.id && run.id <= high)
    }
}

/// A run with its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDetail {
    /// The run.
    pub run: Run,
    /// Its attempts on record, first one first. The first attempt of a run that started at its fire is put on record
    /// when it ends.
    pub attempts: Vec<Attempt>,
}
