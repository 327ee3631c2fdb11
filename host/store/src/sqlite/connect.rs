//! Opening connections, and every way in which that can go wrong.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::{
    error,
    migrate::{self, Version},
    readers::Readers,
};
use crate::StoreError;

/// How long a statement waits for another program that holds the database locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More than the distinct statements of a commit.
const STATEMENTS: usize = 32;

/// The true place of a database that exists or is to be created: absolute, without symbolic links, so that all hosts
/// lock the same file.
pub(super) fn settle(path: &Path) -> Result<PathBuf, StoreError> {
    match fs::canonicalize(path) {
        Ok(found) if found.is_dir() => Err(StoreError::Open(format!(
            "{} is a folder: name a file in it as the store, such as {}",
            path.display(),
            path.join("clockbox.db").display()
        ))),
        Ok(found) => Ok(found),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or_else(|| unreachable_path(path, &e))?;
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            let folder = fs::canonicalize(folder).map_err(|_| {
                StoreError::Open(format!(
                    "the folder {} does not exist: create it, or name another place for the store",
                    folder.display()
                ))
            })?;
            Ok(folder.join(name))
        }
        Err(e) => Err(unreachable_path(path, &e)),
    }
}

fn unreachable_path(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Open(format!("cannot reach {}: {error}: name another place for the store", path.display()))
}

/// The writer's connection to the database at a settled path, created or brought up to date.
pub(super) fn to_write(path: &Path) -> Result<Connection, StoreError> {
    let at_open = |e: rusqlite::Error| error::at_open(path, &e);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(at_open)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(at_open)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // SQLite falls back to reading without a word.
    if connection.is_readonly("main").map_err(at_open)? {
        return Err(StoreError::Open(format!(
            "{} may not be written: give this user the right to, or name another store",
            path.display()
        )));
    }
    // Nothing is changed before the file is known to be ours.
    let version = migrate::version(&connection, path)?;
    tune(&connection).map_err(at_open)?;
    match version {
        Version::Empty => migrate::migrate(&mut connection, 0).map_err(at_open)?,
        Version::Older(version) => migrate::migrate(&mut connection, version).map_err(at_open)?,
        Version::Current => {}
    }
    Ok(connection)
}

/// A connection that writes to a database which exists, beside the host that has it open.
pub(super) fn to_edit(path: &Path) -> Result<Connection, StoreError> {
    let at_open = |e: rusqlite::Error| error::at_open(path, &e);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(at_open)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(at_open)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    if connection.is_readonly("main").map_err(at_open)? {
        return Err(StoreError::Open(format!("{} may not be written by this user", path.display())));
    }
    Ok(connection)
}

/// The settings of the connection that writes.
pub(super) fn tune(connection: &Connection) -> rusqlite::Result<()> {
    // A commit is on the disk when it returns.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Pages of 4 KiB: the log is folded into the database each 8 MiB, and cut to that once it was longer.
    connection.pragma_update(None, "wal_autocheckpoint", 2048)?;
    connection.pragma_update(None, "journal_size_limit", 8 << 20)?;
    // A statement keeps its plan, whatever its values are.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // KiB, when negative.
    connection.pragma_update(None, "cache_size", -8192)
}

/// Opens an existing database for reading: its settled path, and the pool to read it with.
pub(super) fn to_read(path: &Path) -> Result<(PathBuf, Readers), StoreError> {
    let path = settle(path)?;
    if !path.exists() {
        return Err(none(&path));
    }
    // A database in WAL mode is read by way of two files beside it, which SQLite creates when they are not there.
    // Where it may not (a folder or medium that cannot be written), the file can be read as it is, provided that no
    // log with newer pages lies beside it.
    let mut readers = Readers::new(path.clone());
    let mut first = readers.with(|_| Ok(()));
    if first.is_ok() {
        first = readers
            .with(|connection| connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())));
    }
    if let Err(e) = &first
        && matches!(e.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
        && log_is_empty(&path)
    {
        readers = Readers::immutable(path.clone());
        first = Ok(());
    }
    first.map_err(|e| error::at_open(&path, &e))?;
    let version = readers.with(|connection| Ok(migrate::version(connection, &path)));
    match version.map_err(|e| error::at_open(&path, &e))?? {
        Version::Current => Ok((path, readers)),
        Version::Empty => Err(none(&path)),
        Version::Older(version) => Err(older(&path, version)),
    }
}

pub(super) fn none(path: &Path) -> StoreError {
    StoreError::Missing(format!("no database at {}: has the host run yet?", path.display()))
}

pub(super) fn older(path: &Path, version: usize) -> StoreError {
    StoreError::Open(format!(
        "{} is of the older version {version}: start the host once to bring it up to date",
        path.display()
    ))
}

fn log_is_empty(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    match fs::metadata(log) {
        Ok(metadata) => metadata.is_file() && metadata.len() == 0,
        Err(e) => e.kind() == io::ErrorKind::NotFound,
    }
}

/// One connection for reading. `immutable` reads the file alone and without locks: only for a file that nobody writes.
pub(super) fn reader(path: &Path, immutable: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if immutable {
        Connection::open_with_flags(immutable_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// The path as a URI, with what has a meaning in one written as percent codes.
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'?' | b'#' | b'%' => uri.push_str(&format!("%{byte:02x}")),
            b' '..=b'~' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri_that_names_the_same_file() {
        assert_eq!(immutable_uri(Path::new("/a b/é?#%.db")), "file:/a b/%c3%a9%3f%23%25.db?immutable=1");
    }
}
