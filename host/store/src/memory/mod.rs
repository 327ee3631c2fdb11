//! A store that forgets everything when its process ends: for tests, and for hosts that need no history.

mod state;

use std::sync::{Mutex, MutexGuard};

use clockbox_core::model::{JobId, JobRecord, JobState, Refusal, Run, RunId, Timestamp, Write};

use self::state::State;
use crate::{JobFilter, JobStore, LogPart, LogPlace, RunDetail, RunFilter, Snapshot, StoreError};

/// Keeps jobs, runs and logs in memory, until it is dropped.
///
/// ```
/// use clockbox_store::{JobStore, MemoryStore};
/// let store = MemoryStore::new();
/// assert_eq!(store.jobs()?, []);
/// # Ok::<(), clockbox_store::StoreError>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<State>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        self.tables.lock().map_err(|_| {
            StoreError::Broken(
                "the memory store is inconsistent because a call on it panicked: restart the host".to_owned(),
            )
        })
    }
}

impl JobStore for MemoryStore {
    fn commit(&self, writes: &[Write]) -> Result<Vec<Result<(), Refusal>>, StoreError> {
        let mut tables = self.tables()?;
        Ok(writes.iter().map(|write| tables.apply(write)).collect())
    }

    fn commits_at_once(&self) -> bool {
        true
    }

    fn load(&self) -> Result<Snapshot, StoreError> {
        Ok(self.tables()?.snapshot())
    }

    fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        Ok(self.tables()?.jobs())
    }

    fn jobs_matching(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, StoreError> {
        Ok(self.tables()?.jobs_matching(filter))
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        Ok(self.tables()?.runs(filter))
    }

    fn run(&self, id: RunId) -> Result<Option<RunDetail>, StoreError> {
        Ok(self.tables()?.run(id))
    }

    fn logs_behind(&self, id: RunId, attempt: Option<u32>, behind: LogPlace) -> Result<LogPart, StoreError> {
        Ok(self.tables()?.logs_behind(id, attempt, behind))
    }

    fn state(&self, job: &JobId, now: Timestamp) -> Result<JobState, StoreError> {
        Ok(self.tables()?.state_of(job, now))
    }

    fn prune(&self, before: Timestamp, keep_per_job: u32, limit: u32) -> Result<u32, StoreError> {
        Ok(self.tables()?.prune(before, keep_per_job, limit))
    }

    fn prune_state(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        Ok(self.tables()?.prune_state(now, limit))
    }
}
