//! The history of a host, read as the command line reads it: from the store, also while the host runs.

use std::{path::Path, sync::Arc};

use clockbox_core::model::{
    Attempt, JobId, JobRecord, LogStream, Run, RunState, Source, Timestamp, state_cost,
};
use clockbox_store::{Access, JobStore, RunFilter, SqliteStore};

/// The database of a host, open for reading.
#[derive(Clone)]
pub struct History(Arc<SqliteStore>);

impl History {
    /// Opens the database.
    ///
    /// # Panics
    /// When there is none that can be read.
    #[must_use]
    #[track_caller]
    pub fn open(path: &Path) -> Self {
        match SqliteStore::open(path, Access::ReadOnly) {
            Ok(store) => Self(Arc::new(store)),
            Err(error) => panic!("{error}"),
        }
    }

    /// Every run of every job, oldest fire first.
    ///
    /// # Panics
    /// When the database cannot be read, as all of these do.
    #[must_use]
    #[track_caller]
    pub fn all(&self) -> Vec<Run> {
        self.find(&RunFilter::default())
    }

    /// The runs of a job, oldest fire first.
    #[must_use]
    #[track_caller]
    pub fn of(&self, job: &str) -> Vec<Run> {
        self.find(&RunFilter { job: Some(id(job)), ..RunFilter::default() })
    }

    /// The finished runs of a job, oldest fire first.
    #[must_use]
    #[track_caller]
    pub fn finished(&self, job: &str) -> Vec<Run> {
        let states = vec![RunState::Finished];
        self.find(&RunFilter { job: Some(id(job)), states, ..RunFilter::default() })
    }

    /// The attempts of a run, first one first.
    #[must_use]
    #[track_caller]
    pub fn attempts(&self, run: &Run) -> Vec<Attempt> {
        self.0
            .run(run.id)
            .ok()
            .flatten()
            .unwrap_or_else(|| panic!("run {} is not on record", run.id))
            .attempts
    }

    /// The messages of a run's log, a line each.
    #[must_use]
    #[track_caller]
    pub fn log(&self, run: &Run) -> Vec<String> {
        let lines = self.0.logs(run.id, None).unwrap_or_else(|error| panic!("{error}"));
        lines.into_iter().map(|(_, line)| line.message).collect()
    }

    /// What the host itself remarked in a run's log, a line each.
    #[must_use]
    #[track_caller]
    pub fn remarks(&self, run: &Run) -> Vec<String> {
        let lines = self.0.logs(run.id, None).unwrap_or_else(|error| panic!("{error}"));
        let own = lines.into_iter().filter(|(_, line)| line.stream == LogStream::Host);
        own.map(|(_, line)| line.message).collect()
    }

    /// What the store knows of a job.
    #[must_use]
    #[track_caller]
    pub fn job(&self, job: &str) -> Option<JobRecord> {
        let jobs = self.0.jobs().unwrap_or_else(|error| panic!("{error}"));
        jobs.into_iter().find(|record| record.job.id == id(job))
    }

    /// What the state of a job counts for, in bytes, whatever has expired included.
    #[must_use]
    #[track_caller]
    pub fn state_size(&self, job: &str) -> u64 {
        let state = self.0.state(&id(job), Timestamp::UNIX_EPOCH).unwrap_or_else(|error| panic!("{error}"));
        state.0.iter().map(|(key, entry)| state_cost(key, &entry.value)).sum()
    }

    /// How many jobs there are that runs of a plugin added.
    #[must_use]
    #[track_caller]
    pub fn added_by(&self, plugin: &str) -> usize {
        let jobs = self.0.jobs().unwrap_or_else(|error| panic!("{error}"));
        let is_its =
            |source: &Source| matches!(source, Source::Job(adder) if adder.plugin.as_str() == plugin);
        jobs.iter().filter(|record| is_its(&record.job.source)).count()
    }

    #[track_caller]
    fn find(&self, filter: &RunFilter) -> Vec<Run> {
        let mut runs = self.0.runs(filter).unwrap_or_else(|error| panic!("{error}"));
        runs.reverse();
        runs
    }
}

#[track_caller]
fn id(job: &str) -> JobId {
    JobId::new(job).unwrap_or_else(|error| panic!("{job:?}: {error:?}"))
}
