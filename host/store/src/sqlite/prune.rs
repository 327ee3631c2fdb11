//! Deleting old history.

use std::collections::BTreeSet;

use clockbox_core::model::Timestamp;
use rusqlite::{Connection, Result, params};

use super::types::Time;

const FINAL: &str = "state IN ('finished', 'missed', 'skipped')";

/// The ids of at most `limit` runs to delete: by age first, oldest first, then what is beyond the newest of each job.
pub(super) fn find(
    connection: &Connection,
    before: Timestamp,
    keep_per_job: u32,
    limit: u32,
) -> Result<BTreeSet<i64>> {
    let mut found: BTreeSet<i64> = connection
        .prepare_cached(&format!(
            "SELECT id FROM runs WHERE scheduled_at < ?1 AND recorded_at < ?1 AND {FINAL}
             ORDER BY scheduled_at, id LIMIT ?2"
        ))?
        .query_map(params![Time(before), limit], |row| row.get(0))?
        .collect::<Result<_>>()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if found.len() >= limit {
        return Ok(found);
    }
    let mut crowded = connection.prepare_cached(
        "SELECT job, count(*) - ?1 FROM runs INDEXED BY runs_by_job GROUP BY job HAVING count(*) > ?1",
    )?;
    let mut oldest = connection.prepare_cached(&format!(
        "SELECT id, {FINAL} FROM runs WHERE job = ?1 ORDER BY scheduled_at LIMIT ?2"
    ))?;
    let mut crowded = crowded.query([keep_per_job])?;
    while let Some(row) = crowded.next()? {
        let (job, surplus): (String, i64) = (row.get(0)?, row.get(1)?);
        let mut runs = oldest.query(params![job, surplus])?;
        while let Some(row) = runs.next()? {
            if found.len() >= limit {
                return Ok(found);
            }
            if row.get(1)? {
                found.insert(row.get(0)?);
            }
        }
    }
    Ok(found)
}

/// Deletes these runs with their attempts and logs, unless one is not final any more; returns how many went.
pub(super) fn delete(connection: &Connection, runs: &BTreeSet<i64>) -> Result<u32> {
    let mut deleted = 0;
    let mut statement = connection.prepare_cached(&format!("DELETE FROM runs WHERE id = ?1 AND {FINAL}"))?;
    for run in runs {
        deleted += u32::from(statement.execute([run])? > 0);
    }
    connection
        .prepare_cached(
            "INSERT INTO deleted_runs (one, highest) VALUES (1, ?1)
             ON CONFLICT DO UPDATE SET highest = max(highest, excluded.highest)",
        )?
        .execute([runs.last()])?;
    Ok(deleted)
}
