//! What every store does. Each test runs over each store.

mod fires;
mod jobs;
mod logs;
mod prune;
mod queries;
mod state;
mod success;
mod updates;
mod values;

use clockbox_store::{JobStore, MemoryStore, SqliteStore};

use crate::support::as_host;

/// Runs a test on an empty store in memory.
fn over_memory(test: fn(&dyn JobStore)) {
    test(&MemoryStore::new());
}

/// Runs a test on an empty SQLite store.
fn over_sqlite(test: fn(&dyn JobStore)) {
    let folder = tempfile::tempdir().unwrap();
    test(&SqliteStore::open(&folder.path().join("clockbox.db"), as_host()).unwrap());
}

/// Makes each function a test over each store.
macro_rules! over_every_store {
    ($($test:ident,)*) => {
        mod memory { $(#[test] fn $test() { $crate::conformance::over_memory(super::$test); })* }
        mod sqlite { $(#[test] fn $test() { $crate::conformance::over_sqlite(super::$test); })* }
    };
}
use over_every_store;
