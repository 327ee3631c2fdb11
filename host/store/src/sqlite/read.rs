//! Queries.

use clockbox_core::model::{JobRecord, LogLine, Run, RunId};
use rusqlite::{Connection, Error, OptionalExtension, Result, params, params_from_iter, types::Type};

use super::{
    filter,
    rows::{self, ATTEMPT, JOB, RUN, StoredLine},
    types::{Id, Json},
};
use crate::{RunDetail, RunFilter, Snapshot};

/// What makes a run unfinished, word for word as in the index over them.
const UNFINISHED: &str = "(state = 'waiting' OR state = 'running' OR state = 'retrying')";

pub(super) fn jobs(connection: &Connection) -> Result<Vec<JobRecord>> {
    connection
        .prepare_cached(&format!(
            "SELECT {JOB} FROM jobs JOIN job_times ON job_times.job = jobs.name ORDER BY jobs.name"
        ))?
        .query_map([], rows::job)?
        .collect()
}

pub(super) fn snapshot(connection: &Connection) -> Result<Snapshot> {
    let unfinished = connection
        .prepare_cached(&format!("SELECT {RUN} FROM runs WHERE {UNFINISHED} ORDER BY id"))?
        .query_map([], rows::run)?
        .collect::<Result<_>>()?;
    let last_run: Option<Id> = connection
        .prepare_cached(
            "SELECT max(id) FROM (SELECT max(id) AS id FROM runs UNION ALL SELECT highest FROM deleted_runs)",
        )?
        .query_row([], |row| row.get(0))?;
    let paused = connection
        .prepare_cached("SELECT paused_at, paused_by, note FROM pause")?
        .query_row([], rows::pause)
        .optional()?;
    Ok(Snapshot { jobs: jobs(connection)?, unfinished, last_run: last_run.map(|id| id.0), paused })
}

pub(super) fn runs(connection: &Connection, filter: &RunFilter) -> Result<Vec<Run>> {
    let (sql, values) = filter::query(filter);
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values), rows::run)?.collect()
}

pub(super) fn run(connection: &Connection, id: RunId) -> Result<Option<RunDetail>> {
    let run = connection
        .prepare_cached(&format!("SELECT {RUN} FROM runs WHERE id = ?1"))?
        .query_row([Id(id)], rows::run)
        .optional()?;
    let Some(run) = run else { return Ok(None) };
    let attempts = connection
        .prepare_cached(&format!("SELECT {ATTEMPT} FROM attempts WHERE run = ?1 ORDER BY number"))?
        .query_map([Id(id)], rows::attempt)?
        .collect::<Result<_>>()?;
    Ok(Some(RunDetail { run, attempts }))
}

pub(super) fn logs(connection: &Connection, id: RunId, attempt: Option<u32>) -> Result<Vec<(u32, LogLine)>> {
    let mut statement = connection.prepare_cached(
        "SELECT attempt, lines FROM logs WHERE run = ?1 AND (?2 IS NULL OR attempt = ?2) ORDER BY attempt, part",
    )?;
    let mut parts = statement.query(params![Id(id), attempt])?;
    let mut log = Vec::new();
    while let Some(part) = parts.next()? {
        let attempt = part.get(0)?;
        for stored in part.get::<_, Json<Vec<StoredLine<'static>>>>(1)?.0 {
            let line = stored.into_line().ok_or_else(|| {
                let reason = format!("a time in the log of run {id} is beyond the calendar");
                Error::FromSqlConversionFailure(1, Type::Text, reason.into())
            })?;
            log.push((attempt, line));
        }
    }
    Ok(log)
}
