//! The state of jobs: read as a whole, changed as a whole or not at all.

use std::sync::Arc;

use clockbox_core::model::{JobId, JobState, Refusal, StateChanges, StateEntry, Timestamp, state_cost};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{
    statements::{Sql, Statements},
    types::Time,
};

/// The columns that [`entry`] reads, in its order.
pub(super) const ENTRY: &str = "key, value, expires_at";

pub(super) fn entry(row: &Row<'_>) -> Result<(String, StateEntry)> {
    let value: Arc<[u8]> = row.get_ref(1)?.as_blob()?.into();
    let expires_at = row.get::<_, Option<Time>>(2)?.map(|time| time.0);
    Ok((row.get(0)?, StateEntry { value, expires_at }))
}

/// The entries of a job that have not expired.
pub(super) fn read(connection: &Connection, job: &JobId, now: Timestamp) -> Result<JobState> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY} FROM job_state WHERE job = ?1 AND (expires_at IS NULL OR expires_at > ?2)"
    ))?;
    let entries = statement.query_map(params![job.as_str(), Time(now)], entry)?;
    entries.collect::<Result<_>>().map(JobState)
}

/// Whether anything has expired, of any job.
pub(super) fn has_expired(connection: &Connection, now: Timestamp) -> Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM job_state WHERE expires_at <= ?1)")?
        .query_row([Time(now)], |row| row.get(0))
}

/// Deletes at most `limit` entries that have expired, of any job, the oldest first; returns how many went.
pub(super) fn drop_expired(connection: &Connection, now: Timestamp, limit: u32) -> Result<u32> {
    let dropped = connection
        .prepare_cached(
            "DELETE FROM job_state WHERE rowid IN
             (SELECT rowid FROM job_state WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        )?
        .execute(params![Time(now), limit])?;
    Ok(u32::try_from(dropped).unwrap_or(u32::MAX))
}

/// Whether the job is stored, so that it can have a state.
pub(super) fn has_job(statements: &mut Statements<'_>, job: &JobId) -> Result<bool> {
    let found = statements.get(Sql::FindJob)?.query_row([job.as_str()], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

/// Makes the changes. Where they are refused, some may have been made: the caller takes them back.
pub(super) fn merge(
    statements: &mut Statements<'_>,
    job: &JobId,
    changes: &StateChanges,
    now: Timestamp,
) -> Result<Result<(), Refusal>> {
    let job = job.as_str();
    statements.get(Sql::DropExpired)?.execute(params![job, Time(now)])?;
    for (key, expected) in &changes.expected {
        let same = |row: &Row<'_>| Ok(Some(row.get_ref(0)?.as_blob()?) == expected.as_deref());
        let found = statements.get(Sql::FindState)?.query_row([job, key], same).optional()?;
        if !found.unwrap_or(expected.is_none()) {
            return Ok(Err(Refusal::StateConflict { key: key.clone() }));
        }
    }
    let before = size(statements, job)?;
    for (key, entry) in &changes.put {
        match entry {
            Some(StateEntry { value, expires_at }) => {
                let put = statements.get(Sql::PutState)?;
                put.execute(params![job, key, &**value, expires_at.map(Time)])?;
            }
            None => _ = statements.get(Sql::DeleteState)?.execute([job, key])?,
        }
    }
    // What was put may have expired since.
    statements.get(Sql::DropExpired)?.execute(params![job, Time(now)])?;
    Ok(changes.check_size(before, size(statements, job)?))
}

fn size(statements: &mut Statements<'_>, job: &str) -> Result<u64> {
    let cost = i64::try_from(state_cost("", b"")).unwrap_or(i64::MAX);
    let size: i64 = statements.get(Sql::SizeOfState)?.query_row(params![job, cost], |row| row.get(0))?;
    Ok(u64::try_from(size).unwrap_or_default())
}
