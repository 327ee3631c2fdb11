//! Connections for reading, kept for the next reader.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, Result, Transaction, TransactionBehavior};

use super::connect;

/// How many idle connections are kept; more readers at once open their own.
const KEPT: usize = 4;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    immutable: bool,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, immutable: false, idle: Mutex::default() }
    }

    /// Readers of a file that nobody can be writing to: see [`connect::reader`].
    pub(super) fn immutable(path: PathBuf) -> Self {
        Self { path, immutable: true, idle: Mutex::default() }
    }

    /// One connection, for whoever needs it for longer.
    pub(super) fn take(&self) -> Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => connect::reader(&self.path, self.immutable),
        }
    }

    /// Runs `work` on one snapshot of the database.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.take()?;
        let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let answer = work(&snapshot)?;
        snapshot.finish()?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(answer)
    }
}
