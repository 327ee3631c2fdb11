//! A store that forgets everything when its process ends: for tests, and for hosts that need no history.

mod state;

use std::sync::{Mutex, MutexGuard};

use clockbox_core::model::{JobRecord, LogLine, Refusal, Run, RunId, Timestamp, Write};

use self::state::State;
use crate::{JobStore, RunDetail, RunFilter, Snapshot, StoreError};

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
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        self.state.lock().map_err(|_| {
            StoreError::Broken(
                "the memory store is inconsistent because a call on it panicked: restart the host".to_owned(),
            )
        })
    }
}

impl JobStore for MemoryStore {
    fn commit(&self, writes: &[Write]) -> Result<Vec<Result<(), Refusal>>, StoreError> {
        let mut state = self.state()?;
        Ok(writes.iter().map(|write| state.apply(write)).collect())
    }

    fn commits_at_once(&self) -> bool {
        true
    }

    fn load(&self) -> Result<Snapshot, StoreError> {
        Ok(self.state()?.snapshot())
    }

    fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        Ok(self.state()?.jobs())
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        Ok(self.state()?.runs(filter))
    }

    fn run(&self, id: RunId) -> Result<Option<RunDetail>, StoreError> {
        Ok(self.state()?.run(id))
    }

    fn logs(&self, id: RunId, attempt: Option<u32>) -> Result<Vec<(u32, LogLine)>, StoreError> {
        Ok(self.state()?.logs(id, attempt))
    }

    fn prune(&self, before: Timestamp, keep_per_job: u32, limit: u32) -> Result<u32, StoreError> {
        Ok(self.state()?.prune(before, keep_per_job, limit))
    }
}
