//! The versions of the database.

use std::path::Path;

use rusqlite::{Connection, Result, TransactionBehavior};

use super::error;
use crate::StoreError;

/// Marks a database as clockbox's in the header of the file: "clkb".
const APPLICATION: i32 = 0x636c_6b62;

/// What leads from each version to the next; never changed once released.
const STEPS: [&str; 5] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
];

/// The version that this program writes and reads.
const CURRENT: usize = STEPS.len();

/// What a database file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Nothing was ever written to it.
    Empty,
    /// Clockbox's, of a version that this program can bring up to date.
    Older(usize),
    /// Clockbox's, of the current version.
    Current,
}

/// Tells what the database is, without changing it.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<Version, StoreError> {
    let (application, version, tables) = identify(connection).map_err(|e| error::at_open(path, &e))?;
    let path = path.display();
    match (application, usize::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Ok(Version::Empty),
        (APPLICATION, Ok(CURRENT)) => Ok(Version::Current),
        (APPLICATION, Ok(older)) if older < CURRENT => Ok(Version::Older(older)),
        (APPLICATION, _) => Err(StoreError::Open(format!(
            "{path} is of version {version}, and this clockbox knows versions up to {CURRENT}: a newer clockbox wrote \
             it; run that one, or name another file as the store"
        ))),
        _ => Err(StoreError::Open(format!(
            "{path} is a SQLite database of another program: name another file as the store"
        ))),
    }
}

fn identify(connection: &Connection) -> Result<(i32, i64, i64)> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((application, version, tables))
}

/// Brings a database that has taken `from` steps to the current version, in one transaction.
pub(super) fn migrate(connection: &mut Connection, from: usize) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", i64::try_from(CURRENT).unwrap_or(i64::MAX))?;
    transaction.commit()
}
