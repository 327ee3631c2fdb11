//! Changing the state of a job by hand, beside a running host or without one.

use std::path::Path;

use clockbox_core::model::{Refusal, Write};
use rusqlite::TransactionBehavior;

use super::{apply, connect, error, migrate, statements::Statements};
use crate::StoreError;

/// Makes one write in a transaction of its own. SQLite lets one write at a time: a host that commits meanwhile waits for
/// the moment that it takes, and finds what was written.
pub(crate) fn edit(path: &Path, write: &Write) -> Result<Result<(), Refusal>, StoreError> {
    let path = connect::settle(path)?;
    if !path.exists() {
        return Err(connect::none(&path));
    }
    let mut connection = connect::to_edit(&path)?;
    match migrate::version(&connection, &path)? {
        migrate::Version::Current => {}
        migrate::Version::Empty => return Err(connect::none(&path)),
        migrate::Version::Older(version) => return Err(connect::older(&path, version)),
    }
    let mut work = || {
        connect::tune(&connection)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answer = apply::apply(&mut Statements::new(&transaction), write)?;
        transaction.commit()?;
        Ok(answer)
    };
    work().map_err(|e| error::in_use(&path, "write to", &e))
}
