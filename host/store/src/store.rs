//! The seam between the scheduler and whatever keeps its jobs and runs.

use clockbox_core::model::{JobRecord, LogLine, Refusal, Run, RunId, Timestamp, Write};

use crate::{RunDetail, RunFilter};

/// Everything that a scheduler needs to take up its work again.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Every job.
    pub jobs: Vec<JobRecord>,
    /// Every run that is not in a final state.
    pub unfinished: Vec<Run>,
    /// The highest run id ever given.
    pub last_run: Option<RunId>,
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store could not be opened; the message says what to do.
    #[error("{0}")]
    Open(String),
    /// It may work the next time: the disk is full, the database is locked.
    #[error("{0}")]
    Transient(String),
    /// It will not: what is stored is damaged or not understood.
    #[error("{0}")]
    Broken(String),
}

/// Where jobs, runs and logs are kept. Calls block; the scheduler makes them from threads of their own.
pub trait JobStore: Send + Sync + 'static {
    /// Applies a batch in order, in one transaction, and returns once it is durable: one answer for each write.
    ///
    /// # Errors
    /// When the transaction failed; then none of the batch was applied.
    fn commit(&self, writes: &[Write]) -> Result<Vec<Result<(), Refusal>>, StoreError>;

    /// Reads what a scheduler needs to take up its work again.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn load(&self) -> Result<Snapshot, StoreError>;

    /// Every job, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn jobs(&self) -> Result<Vec<JobRecord>, StoreError>;

    /// The runs that match, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError>;

    /// One run with its attempts; `None` when it is not on record.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn run(&self, id: RunId) -> Result<Option<RunDetail>, StoreError>;

    /// The log of a run, or of one attempt of it, oldest line first: (attempt, line).
    ///
    /// # Errors
    /// When the store cannot be read.
    fn logs(&self, id: RunId, attempt: Option<u32>) -> Result<Vec<(u32, LogLine)>, StoreError>;

    /// Deletes runs in a final state that were recorded before `before`, and beyond the newest `keep_per_job` of each
    /// job, at most `limit` of them; returns how many were deleted.
    ///
    /// # Errors
    /// When the transaction failed.
    fn prune(&self, before: Timestamp, keep_per_job: u32, limit: u32) -> Result<u32, StoreError>;
}
