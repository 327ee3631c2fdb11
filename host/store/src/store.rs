//! The seam between the scheduler and whatever keeps its jobs and runs.

use std::collections::BTreeMap;

use clockbox_core::model::{
    JobId, JobRecord, JobState, LogLine, Pause, Refusal, Run, RunId, Timestamp, Write,
};

use crate::{JobFilter, LogPart, LogPlace, RunDetail, RunFilter};

/// Everything that a scheduler needs to take up its work again.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Every job, by name.
    pub jobs: Vec<JobRecord>,
    /// Every run that is not in a final state, oldest id first.
    pub unfinished: Vec<Run>,
    /// Runs that somebody wanted to stop and that had not come to their end, and why.
    pub cancelling: BTreeMap<RunId, String>,
    /// The highest run id ever recorded, also when that run is deleted by now.
    pub last_run: Option<RunId>,
    /// What is not understood and was left as it is, a line each: the job or unfinished run, why, and what to do. A row
    /// that is spoilt costs the others nothing.
    pub unreadable: Vec<String>,
    /// Set while the whole scheduler is paused.
    pub paused: Option<Pause>,
}

/// Why a store could not do what it was asked. The message says what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store could not be opened.
    #[error("{0}")]
    Open(String),
    /// There is nothing to read yet: no host has recorded anything here, or not for others to see.
    #[error("{0}")]
    Missing(String),
    /// It may work the next time: the disk is full, the database is locked.
    #[error("{0}")]
    Transient(String),
    /// It will not: what is stored is damaged or not understood.
    #[error("{0}")]
    Broken(String),
}

/// Where jobs, runs and logs are kept. Calls block; the scheduler makes them from threads of their own.
///
/// Times are kept to the microsecond; what is finer is cut off (towards the past).
///
/// ```
/// use clockbox_store::{JobStore, MemoryStore, RunFilter};
/// let store = MemoryStore::new();
/// assert!(store.load()?.jobs.is_empty());
/// assert!(store.runs(&RunFilter::default())?.is_empty());
/// # Ok::<(), clockbox_store::StoreError>(())
/// ```
pub trait JobStore: Send + Sync + 'static {
    /// Applies a batch in order, in one transaction, and returns once it is durable: one answer for each write.
    ///
    /// What each write does is said at [`Write`].
    ///
    /// # Errors
    /// When the transaction failed; then none of the batch was applied.
    fn commit(&self, writes: &[Write]) -> Result<Vec<Result<(), Refusal>>, StoreError>;

    /// Whether a commit is done at once, without a disk or network to wait for, and never fails for a passing reason: then
    /// whoever has something to write commits it himself, and no thread stands between.
    fn commits_at_once(&self) -> bool {
        false
    }

    /// Reads what a scheduler needs to take up its work again. What is not understood is told in the snapshot, and
    /// stays as it is.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn load(&self) -> Result<Snapshot, StoreError>;

    /// Every job that is understood, by name; [`load`](Self::load) also tells of the others.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn jobs(&self) -> Result<Vec<JobRecord>, StoreError>;

    /// The jobs that match and are understood, by name: a page of a long list.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn jobs_matching(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, StoreError> {
        let jobs = self.jobs()?.into_iter();
        Ok(jobs.filter(|record| filter.matches(record)).take(filter.most()).collect())
    }

    /// The runs that match, newest first: by scheduled time, and by id where that is equal.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError>;

    /// One run with its attempts; `None` when it is not on record.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn run(&self, id: RunId) -> Result<Option<RunDetail>, StoreError>;

    /// The log of a run, or of one attempt of it, as (attempt, line): attempt by attempt, each in the order in which
    /// it was appended. Empty when the run is not on record.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn logs(&self, id: RunId, attempt: Option<u32>) -> Result<Vec<(u32, LogLine)>, StoreError> {
        Ok(self.logs_behind(id, attempt, LogPlace::default())?.lines)
    }

    /// The same, of what lies behind a place alone: how a log that grows is read on. What was read before costs nothing.
    /// A reader that has come to an attempt does not look for more of the ones before it, which have ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn logs_behind(&self, id: RunId, attempt: Option<u32>, behind: LogPlace) -> Result<LogPart, StoreError>;

    /// What a job remembers: the entries that have not expired at `now`. Empty when there is no such job.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn state(&self, job: &JobId, now: Timestamp) -> Result<JobState, StoreError>;

    /// Deletes runs in a final state, with their attempts and logs: those scheduled and recorded before `before`, and
    /// those beyond the `keep_per_job` latest scheduled of each job (runs that are not final count among these, but
    /// stay). The oldest go first, at most `limit` of them; returns how many went. Call again while that is `limit`.
    ///
    /// # Errors
    /// When the transaction failed; then none was deleted.
    fn prune(&self, before: Timestamp, keep_per_job: u32, limit: u32) -> Result<u32, StoreError>;

    /// Deletes what has expired at `now` of the state of any job, at most `limit` entries; returns how many went. Call again
    /// while that is `limit`. Nobody notices but by the room that it takes.
    ///
    /// # Errors
    /// When the transaction failed; then none was deleted.
    fn prune_state(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError>;
}
