//! Questions to a store, and their answers.

use clockbox_core::model::{
    Attempt, Cause, JobId, JobRecord, LogLine, Outcome, PluginName, PoolName, Run, RunId, RunState, Timestamp,
};

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
    /// Of one of these causes; none means any.
    pub causes: Vec<Cause>,
    /// Scheduled at or after this time.
    pub since: Option<Timestamp>,
    /// Scheduled before this time.
    pub until: Option<Timestamp>,
    /// With an id in this range, both ends included.
    pub ids: Option<(RunId, RunId)>,
    /// Behind this run in the order of the answer: how the next page of a list is asked for.
    pub after: Option<(Timestamp, RunId)>,
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
            && (self.causes.is_empty() || self.causes.contains(&run.cause))
            && self.after.is_none_or(|after| (run.scheduled_at, run.id) < after)
            && self.since.is_none_or(|since| run.scheduled_at >= since)
            && self.until.is_none_or(|until| run.scheduled_at < until)
            && self.ids.is_none_or(|(low, high)| low <= run.id && run.id <= high)
    }
}

/// Which jobs are asked for; an empty filter matches all.
///
/// ```
/// use clockbox_core::model::JobId;
/// use clockbox_store::JobFilter;
/// let page = JobFilter { after: Some(JobId::new("m").unwrap()), limit: Some(100), ..JobFilter::default() };
/// assert!(page.paused.is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Whose names come after this one: how the next page of a list is asked for.
    pub after: Option<JobId>,
    /// Whose names begin so.
    pub prefix: Option<String>,
    /// Of this plugin.
    pub plugin: Option<PluginName>,
    /// In this pool.
    pub pool: Option<PoolName>,
    /// Paused by hand, or not.
    pub paused: Option<bool>,
    /// Of this source, such as `api`; any if nothing is said.
    pub source: Option<&'static str>,
    /// At most so many.
    pub limit: Option<u32>,
}

impl JobFilter {
    /// Whether a job matches, the limit aside.
    #[must_use]
    pub fn matches(&self, record: &JobRecord) -> bool {
        let job = &record.job;
        self.after.as_ref().is_none_or(|after| job.id > *after)
            && self.prefix.as_ref().is_none_or(|prefix| job.id.as_str().starts_with(prefix))
            && self.plugin.as_ref().is_none_or(|plugin| *plugin == job.plugin)
            && self.pool.as_ref().is_none_or(|pool| *pool == job.pool)
            && self.paused.is_none_or(|paused| paused == record.paused.is_some())
            && self.source.is_none_or(|source| source == job.source.kind())
    }

    /// How many are asked for.
    pub(crate) fn most(&self) -> usize {
        self.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
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

/// How far a log was read; the default is its beginning. It is a place of the store that it came from, for that run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPlace {
    /// The attempt that was read last.
    pub(crate) attempt: u32,
    /// How much of it: in what the store counts it.
    pub(crate) part: i64,
}

/// A part of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPart {
    /// Its lines, each with the attempt that said it.
    pub lines: Vec<(u32, LogLine)>,
    /// Where it ends, and what comes later begins.
    pub end: LogPlace,
}
