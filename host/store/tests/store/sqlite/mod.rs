//! What the SQLite store does beyond what every store does.

mod crash;
mod editing;
mod examining;
mod lock;
mod locked;
mod opening;
mod reading;
mod shell;

use std::path::{Path, PathBuf};

use clockbox_store::{Access, SqliteStore, StoreError};
use tempfile::TempDir;

use crate::support::as_host;

/// A folder that is deleted at the end, and the path of a database in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clockbox.db");
    (folder, path)
}

fn host(path: &Path) -> SqliteStore {
    SqliteStore::open(path, as_host()).unwrap()
}

/// Why the database cannot be opened.
fn refusal(path: &Path, access: Access) -> String {
    match SqliteStore::open(path, access) {
        Err(StoreError::Open(message) | StoreError::Missing(message)) => message,
        other => panic!("not refused: {other:?}"),
    }
}

/// The path with something added to its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
