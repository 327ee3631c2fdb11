//! The store in one SQLite file: a writer connection under a lock, readers beside it that never wait for it.

mod apply;
pub(crate) mod backup;
pub(crate) mod check;
mod connect;
pub(crate) mod edit;
mod error;
mod filter;
mod identity;
mod job_text;
pub(crate) mod lock;
mod migrate;
mod prune;
mod read;
mod readers;
mod rows;
mod state;
mod statements;
mod types;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use clockbox_core::model::{JobId, JobRecord, JobState, Refusal, Run, RunId, Timestamp, Write};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use self::{identity::Identity, lock::HostLock, readers::Readers, statements::Statements};
use crate::{JobFilter, JobStore, LogPart, LogPlace, RunDetail, RunFilter, Snapshot, StoreError};

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To run jobs: creates the database when there is none, and holds it against other hosts until it is dropped.
    ReadWrite {
        /// The time now: a host that is refused because of this one is told since when it holds the database.
        opened_at: Timestamp,
    },
    /// To look at jobs and runs, beside a running host or without one.
    ReadOnly,
}

/// Keeps jobs, runs and logs in a SQLite database (WAL, durable at each commit).
///
/// ```
/// use clockbox_store::{Access, JobStore, SqliteStore};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let path = folder.join("clockbox.db");
/// let host = SqliteStore::open(&path, Access::ReadWrite { opened_at: "2030-01-01T00:00:00Z".parse()? })?;
/// assert!(host.load()?.jobs.is_empty());
///
/// let reader = SqliteStore::open(&path, Access::ReadOnly)?;
/// assert!(reader.jobs()?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    // Closed in this order: the last connection folds the log into the database, which a reader could not; and the lock
    // is let go once the database is closed.
    readers: Readers,
    writer: Option<Mutex<Connection>>,
    _lock: Option<HostLock>,
    /// The database and its lock, which must stay what they are while a host writes.
    files: Vec<Identity>,
}

impl SqliteStore {
    /// Opens the database at `path`; with [`Access::ReadWrite`] it is created or brought to the current version.
    ///
    /// A host holds `<path>.lock` while it has the store open: the operating system lets go of it however the process
    /// ends. The file itself stays.
    ///
    /// # Errors
    /// [`StoreError::Open`], with what to do, when the folder is missing or cannot be written, another host holds the
    /// database, the file is not a database of clockbox, is damaged or of a newer version; for [`Access::ReadOnly`]
    /// also when it is of an older version, and [`StoreError::Missing`] when there is no database yet.
    pub fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        match access {
            Access::ReadWrite { opened_at } => Self::open_to_write(path, opened_at),
            Access::ReadOnly => {
                let (path, readers) = connect::to_read(path)?;
                Ok(Self { path, writer: None, readers, _lock: None, files: Vec::new() })
            }
        }
    }

    fn open_to_write(path: &Path, opened_at: Timestamp) -> Result<Self, StoreError> {
        let path = connect::settle(path)?;
        let lock = HostLock::take(&path, opened_at)?;
        let writer = connect::to_write(&path)?;
        let readers = Readers::new(path.clone());
        let files = vec![Identity::of(&path), Identity::of(lock.path())];
        Ok(Self { path, writer: Some(Mutex::new(writer)), readers, _lock: Some(lock), files })
    }

    /// The file of the database, absolute and free of symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn writer(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        let Some(writer) = &self.writer else {
            return Err(StoreError::Broken(format!(
                "{} is open for reading only: changes are made by the host that runs the jobs",
                self.path.display()
            )));
        };
        // A panic between two statements leaves a transaction that rolled back when it was dropped.
        Ok(writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Runs `work` in one write transaction.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let mut connection = self.writer()?;
        let attempt = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        attempt().map_err(|e| error::in_use(&self.path, "write to", &e))
    }

    /// Runs `work` on one snapshot of the database.
    fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        self.readers.with(work).map_err(|e| error::in_use(&self.path, "read", &e))
    }
}

impl JobStore for SqliteStore {
    fn commit(&self, writes: &[Write]) -> Result<Vec<Result<(), Refusal>>, StoreError> {
        let answers = self.write(|transaction| {
            let mut statements = Statements::new(transaction);
            writes.iter().map(|write| apply::apply(&mut statements, write)).collect()
        })?;
        // Only what lies in a file that others will find is durable.
        self.files.iter().try_for_each(Identity::check)?;
        Ok(answers)
    }

    fn load(&self) -> Result<Snapshot, StoreError> {
        let mut snapshot = self.read(|connection| read::snapshot(connection))?;
        for line in &mut snapshot.unreadable {
            *line = format!("{}: {line}", self.path.display());
        }
        Ok(snapshot)
    }

    fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        let mut unreadable = Vec::new();
        let jobs = self.read(|connection| read::jobs(connection, &mut unreadable))?;
        for job in unreadable {
            tracing::warn!("{} holds a {job}", self.path.display());
        }
        Ok(jobs)
    }

    fn jobs_matching(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, StoreError> {
        let mut unreadable = Vec::new();
        let jobs = self.read(|connection| read::jobs_matching(connection, filter, &mut unreadable))?;
        for job in unreadable {
            tracing::warn!("{} holds a {job}", self.path.display());
        }
        Ok(jobs)
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        self.read(|connection| read::runs(connection, filter))
    }

    fn run(&self, id: RunId) -> Result<Option<RunDetail>, StoreError> {
        self.read(|connection| read::run(connection, id))
    }

    fn logs_behind(&self, id: RunId, attempt: Option<u32>, behind: LogPlace) -> Result<LogPart, StoreError> {
        self.read(|connection| read::logs_behind(connection, id, attempt, behind))
    }

    fn state(&self, job: &JobId, now: Timestamp) -> Result<JobState, StoreError> {
        self.read(|connection| state::read(connection, job, now))
    }

    fn prune(&self, before: Timestamp, keep_per_job: u32, limit: u32) -> Result<u32, StoreError> {
        // Found beside the writer, on a snapshot: a run that is final or beyond the newest stays so.
        let doomed = self.read(|connection| prune::find(connection, before, keep_per_job, limit))?;
        if doomed.is_empty() {
            return Ok(0);
        }
        self.write(|transaction| prune::delete(transaction, &doomed))
    }

    fn prune_state(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        // Mostly there is nothing, and then nobody waits for the writer.
        if !self.read(|connection| state::has_expired(connection, now))? {
            return Ok(0);
        }
        self.write(|transaction| state::drop_expired(transaction, now, limit))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clockbox_core::model::{LogLine, Write};

    use super::*;

    fn open(folder: &Path) -> SqliteStore {
        let access = Access::ReadWrite { opened_at: "2030-01-01T12:00:00Z".parse().unwrap() };
        SqliteStore::open(&folder.join("clockbox.db"), access).unwrap()
    }

    /// Changes a setting of the connection that writes.
    fn set(store: &SqliteStore, pragma: &str, value: i64) {
        let connection = store.writer().unwrap();
        connection.pragma_update_and_check(None, pragma, value, |_| Ok(())).unwrap();
    }

    fn log(bytes: usize) -> Write {
        let line = LogLine {
            at: "2030-01-01T12:00:00Z".parse().unwrap(),
            stream: clockbox_core::model::LogStream::Stdout,
            level: clockbox_core::model::LogLevel::Info,
            message: "x".repeat(bytes),
            fields: Vec::new(),
        };
        Write::Log { run: RunId::from_i64(1).unwrap(), attempt: 1, lines: vec![line] }
    }

    fn record(store: &SqliteStore) {
        let insert = "INSERT INTO runs (id, job, scheduled_at, recorded_at, plugin, pool, cause, state, attempt, coalesced)
                      VALUES (1, 'report', 0, 0, 'hello', 'default', 'trigger', 'waiting', 0, 0)";
        store.writer().unwrap().execute(insert, []).unwrap();
    }

    #[test]
    fn a_full_disk_may_pass_and_leaves_nothing_of_the_batch() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        record(&store);
        set(&store, "max_page_count", 30);
        let batch = [log(10), log(500_000), log(10)];
        let Err(StoreError::Transient(message)) = store.commit(&batch) else { panic!("not full") };
        assert!(
            message.contains("clockbox.db: database or disk is full: make room on its file system"),
            "{message}"
        );
        let run = RunId::from_i64(1).unwrap();
        assert_eq!(store.logs(run, None).unwrap(), []);
        set(&store, "max_page_count", 1_000_000);
        assert_eq!(store.commit(&batch).unwrap(), vec![Ok(()); 3]);
        assert_eq!(store.logs(run, None).unwrap().len(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_database_or_lock_that_is_deleted_under_its_host_is_noticed_at_the_next_commit() {
        for name in ["clockbox.db", "clockbox.db.lock"] {
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path());
            let write = [Write::RemoveJob(JobId::new("report").unwrap())];
            assert_eq!(store.commit(&write).unwrap(), [Ok(())]);
            std::fs::remove_file(store.path().with_file_name(name)).unwrap();
            let Err(StoreError::Broken(message)) = store.commit(&write) else {
                panic!("{name}: not noticed")
            };
            assert!(message.contains(name) && message.contains("was deleted or replaced"), "{message}");
        }
    }

    #[test]
    fn a_database_locked_by_another_program_may_pass() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        store.writer().unwrap().busy_timeout(Duration::ZERO).unwrap();
        let other = Connection::open(store.path()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let write = [Write::RemoveJob(JobId::new("report").unwrap())];
        let Err(StoreError::Transient(message)) = store.commit(&write) else { panic!("not locked") };
        assert!(message.contains("database is locked: another program holds it locked"), "{message}");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(store.commit(&write).unwrap(), [Ok(())]);
    }

    #[test]
    fn a_commit_is_on_the_disk_when_it_returns() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let connection = store.writer().unwrap();
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        // 2 is FULL.
        assert_eq!((pragma("synchronous"), pragma("foreign_keys")), (2, 1));
    }
}
