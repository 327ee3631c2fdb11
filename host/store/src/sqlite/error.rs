//! What SQLite's errors mean to whoever uses a store, and what to do about them.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::StoreError;

/// An error while a database is opened.
pub(super) fn at_open(path: &Path, error: &Error) -> StoreError {
    let remedy = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            return StoreError::Open(format!(
                "{0} is not a SQLite database, or it is cut short or destroyed at its beginning: move it away with the files \
                 {0}-wal and {0}-shm, then put a backup in its place, or start with an empty history; or name another \
                 file as the store",
                path.display()
            ));
        }
        code => code.and_then(remedy).unwrap_or("check the file and its folder"),
    };
    StoreError::Open(format!("cannot open {}: {error}: {remedy}", path.display()))
}

/// An error while `doing` ("read", "write to") something with an open database.
pub(super) fn in_use(path: &Path, doing: &str, error: &Error) -> StoreError {
    let code = error.sqlite_error_code();
    let path = path.display();
    let message = match (code.and_then(remedy), error) {
        (Some(remedy), _) => format!("cannot {doing} {path}: {error}: {remedy}"),
        (None, Error::FromSqlConversionFailure(_, _, why)) => {
            format!("cannot {doing} {path}: something in it is not understood: {why}")
        }
        (None, _) => format!("cannot {doing} {path}: {error}"),
    };
    if code.is_some_and(may_pass) { StoreError::Transient(message) } else { StoreError::Broken(message) }
}

/// Whether the same call may succeed later, with nothing changed about the database.
fn may_pass(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::CannotOpen
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OperationAborted
            | ErrorCode::OperationInterrupted
            | ErrorCode::OutOfMemory
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::SchemaChanged
            | ErrorCode::SystemIoFailure
    )
}

fn remedy(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
            "see that the file and its folder exist and may be read and written by this user"
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another program holds it locked; end that one"
        }
        ErrorCode::DiskFull => "make room on its file system",
        ErrorCode::ReadOnly => "see that the file, its folder and the file system may be written",
        ErrorCode::SystemIoFailure => "see whether the disk is full or failing, or a quota is used up",
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            "the file is damaged; `clockbox store check` says how badly and what to do"
        }
        _ => return None,
    })
}
