//! Queries.

use std::collections::HashMap;

use clockbox_core::model::{JobId, JobRecord, Run, RunId};
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params, params_from_iter, types::Type};

use super::{
    filter,
    job_text::JobTexts,
    rows::{self, ATTEMPT, CANCELLING, RUN, StoredLine, TIMES, UNTIMED_JOB},
    types::{Id, Json},
};
use crate::{JobFilter, LogPart, LogPlace, RunDetail, RunFilter, Snapshot};

/// What makes a run unfinished, word for word as in the index over them.
pub(super) const UNFINISHED: &str = "(state = 'waiting' OR state = 'running' OR state = 'retrying')";

/// Why a row is not understood, where that is what an error says; anything else is the database's own trouble.
pub(super) fn why_unreadable(error: &Error) -> Option<String> {
    match error {
        Error::FromSqlConversionFailure(_, _, why) => Some(why.to_string()),
        Error::InvalidColumnType(..) | Error::IntegralValueOutOfRange(..) | Error::Utf8Error(..) => {
            Some(error.to_string())
        }
        _ => None,
    }
}

/// The rows that are understood; of each other one, `unreadable` gets a line.
fn understood<T>(
    connection: &Connection,
    sql: &str,
    mut understand: impl FnMut(&Row<'_>) -> Result<T>,
    name: impl Fn(&Row<'_>) -> Result<String>,
    unreadable: &mut Vec<String>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        match understand(row) {
            Ok(one) => found.push(one),
            Err(e) => {
                let why = why_unreadable(&e).ok_or(e)?;
                unreadable.push(format!("{}: {why}", name(row)?));
            }
        }
    }
    Ok(found)
}

/// The jobs that are understood, by name.
pub(super) fn jobs(connection: &Connection, unreadable: &mut Vec<String>) -> Result<Vec<JobRecord>> {
    let mut texts = JobTexts::default();
    let mut problems = Vec::new();
    let sql = format!("SELECT {UNTIMED_JOB} FROM jobs");
    let name = |row: &Row<'_>| Ok(format!("job {:?}", row.get::<_, String>(6)?));
    let mut jobs = understood(connection, &sql, |row| rows::job(row, &mut texts), name, &mut problems)?;
    jobs.sort_unstable_by(|one, other| one.job.id.cmp(&other.job.id));
    let untimed = read_times(connection, &mut jobs)?;
    jobs.retain(|record| !untimed.contains_key(&record.job.id));
    problems.extend(untimed.iter().map(|(id, why)| format!("job {:?}: {why}", id.as_str())));
    problems.sort_unstable();
    unreadable.append(&mut problems);
    Ok(jobs)
}

/// Gives jobs, which come by name, their times; answers those that have none, and why. Both tables are read from front
/// to back: where there are very many jobs, it takes several times as long to look the times of each up.
fn read_times(connection: &Connection, jobs: &mut [JobRecord]) -> Result<HashMap<JobId, String>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {TIMES} FROM job_times ORDER BY job"))?;
    let mut rows = statement.query([])?;
    let mut jobs = jobs.iter_mut().peekable();
    let mut untimed = HashMap::new();
    let lacking = |record: &mut JobRecord| (record.job.id.clone(), rows::way_out(rows::UNTIMED));
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str()?;
        untimed
            .extend(std::iter::from_fn(|| jobs.next_if(|record| record.job.id.as_str() < name)).map(lacking));
        // Without one they are those of a job that is not understood.
        let Some(record) = jobs.next_if(|record| record.job.id.as_str() == name) else { continue };
        if let Err(e) = rows::times(row, record) {
            untimed.insert(record.job.id.clone(), why_unreadable(&e).ok_or(e)?);
        }
    }
    untimed.extend(jobs.map(lacking));
    Ok(untimed)
}

/// The jobs that match and are understood, by name.
pub(super) fn jobs_matching(
    connection: &Connection,
    filter: &JobFilter,
    unreadable: &mut Vec<String>,
) -> Result<Vec<JobRecord>> {
    let (sql, values) = filter::jobs_query(filter);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut texts, mut found) = (JobTexts::default(), Vec::new());
    while found.len() < filter.most() {
        let Some(row) = rows.next()? else { break };
        let name: String = row.get(6)?;
        // By name, nothing that begins so comes any more.
        if filter.prefix.as_ref().is_some_and(|prefix| !name.starts_with(prefix)) {
            break;
        }
        match rows::job(row, &mut texts) {
            Ok(record) if filter.matches(&record) => found.push(record),
            Ok(_) => {}
            Err(e) => {
                let why = why_unreadable(&e).ok_or(e)?;
                unreadable.push(format!("job {name:?}: {why}"));
            }
        }
    }
    Ok(found)
}

pub(super) fn snapshot(connection: &Connection) -> Result<Snapshot> {
    let mut unreadable = Vec::new();
    let jobs = jobs(connection, &mut unreadable)?;
    let sql = format!("SELECT {RUN} FROM runs WHERE {UNFINISHED} ORDER BY id");
    let name = |row: &Row<'_>| Ok(format!("unfinished run number {}", row.get::<_, i64>(0)?));
    let unfinished = understood(connection, &sql, rows::run, name, &mut unreadable)?;
    let name = |row: &Row<'_>| Ok(format!("what is to stop, run number {}", row.get::<_, i64>(0)?));
    let cancelling = understood(connection, CANCELLING, rows::cancelling, name, &mut unreadable)?;
    let last_run: Option<Id> = connection
        .prepare_cached(
            "SELECT max(id) FROM (SELECT max(id) AS id FROM runs UNION ALL SELECT highest FROM deleted_runs)",
        )?
        .query_row([], |row| row.get(0))?;
    let paused = connection
        .prepare_cached("SELECT paused_at, paused_by, note FROM pause")?
        .query_row([], rows::pause)
        .optional()?;
    Ok(Snapshot {
        jobs,
        unfinished,
        cancelling: cancelling.into_iter().collect(),
        last_run: last_run.map(|id| id.0),
        unreadable,
        paused,
    })
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

/// A place counts parts: what was appended together.
pub(super) fn logs_behind(
    connection: &Connection,
    id: RunId,
    attempt: Option<u32>,
    behind: LogPlace,
) -> Result<LogPart> {
    // The bound is one of the primary key: what was read before is not read again.
    let mut statement = connection.prepare_cached(
        "SELECT attempt, part, lines FROM logs
         WHERE run = ?1 AND (attempt, part) > (?3, ?4) AND (?2 IS NULL OR attempt = ?2) ORDER BY attempt, part",
    )?;
    let mut parts = statement.query(params![Id(id), attempt, behind.attempt, behind.part])?;
    let (mut lines, mut end) = (Vec::new(), behind);
    while let Some(part) = parts.next()? {
        let attempt = part.get(0)?;
        end = LogPlace { attempt, part: part.get(1)? };
        for stored in part.get::<_, Json<Vec<StoredLine<'static>>>>(2)?.0 {
            let line = stored.into_line().ok_or_else(|| {
                let reason = format!("a time in the log of run {id} is beyond the calendar");
                Error::FromSqlConversionFailure(2, Type::Text, reason.into())
            })?;
            lines.push((attempt, line));
        }
    }
    Ok(LogPart { lines, end })
}
