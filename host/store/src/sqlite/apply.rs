//! Writes as SQL statements.

use clockbox_core::model::{
    Attempt, Cause, JobRecord, LogLine, Outcome, Refusal, Run, RunId, RunState, Timestamp, Write,
};
use rusqlite::{Connection, Error, ffi, params};

use super::{
    rows::StoredLine,
    types::{Id, Time},
};

type Answer = Result<Result<(), Refusal>, Error>;

/// Applies one write within the transaction of its batch.
pub(super) fn apply(connection: &Connection, write: &Write) -> Answer {
    match write {
        Write::PutJob(record) => put_job(connection, record),
        Write::RemoveJob(job) => {
            connection.prepare_cached("DELETE FROM jobs WHERE name = ?1")?.execute([job.as_str()])?;
            Ok(Ok(()))
        }
        Write::Fire { run, next_fire } => fire(connection, run, *next_fire),
        Write::Update { run, attempt } => update(connection, run, attempt.as_deref()),
        Write::Log { run, attempt, lines } => log(connection, *run, *attempt, lines),
    }
}

fn put_job(connection: &Connection, record: &JobRecord) -> Answer {
    let name = record.job.id.as_str();
    let json = serde_json::to_string(&record.job).map_err(|e| Error::ToSqlConversionFailure(e.into()))?;
    let paused = record.paused.as_ref();
    let note = paused.and_then(|pause| pause.note.as_deref());
    connection
        .prepare_cached(
            "INSERT INTO jobs (name, job, paused_at, pause_note) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET
                 job = excluded.job, paused_at = excluded.paused_at, pause_note = excluded.pause_note",
        )?
        .execute(params![name, json, paused.map(|pause| Time(pause.at)), note])?;
    connection
        .prepare_cached(
            "INSERT INTO job_times (job, next_fire, last_fire, last_success) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET
                 next_fire = excluded.next_fire, last_fire = excluded.last_fire,
                 last_success = coalesce(max(last_success, excluded.last_success),
                                         last_success, excluded.last_success)",
        )?
        .execute(params![
            name,
            record.next_fire.map(Time),
            record.last_fire.map(Time),
            record.last_success.map(Time)
        ])?;
    Ok(Ok(()))
}

fn fire(connection: &Connection, run: &Run, next_fire: Option<Option<Timestamp>>) -> Answer {
    if next_fire.is_some() || run.cause == Cause::Trigger {
        let last_fire = (run.cause == Cause::Trigger).then_some(Time(run.scheduled_at));
        connection
            .prepare_cached(
                "UPDATE job_times SET
                     next_fire = iif(?2, ?3, next_fire),
                     last_fire = coalesce(max(last_fire, ?4), last_fire, ?4)
                 WHERE job = ?1",
            )?
            .execute(params![
                run.job.as_str(),
                next_fire.is_some(),
                next_fire.flatten().map(Time),
                last_fire
            ])?;
    }
    let inserted = connection
        .prepare_cached(
            "INSERT INTO runs (id, job, plugin, pool, cause, scheduled_at, recorded_at, state, attempt, started_at,
                               finished_at, retry_at, outcome, reason, output, coalesced, args)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            Id(run.id),
            run.job.as_str(),
            run.plugin.as_str(),
            run.pool.as_str(),
            run.cause.as_str(),
            Time(run.scheduled_at),
            Time(run.recorded_at),
            run.state.as_str(),
            run.attempt,
            run.started_at.map(Time),
            run.finished_at.map(Time),
            run.retry_at.map(Time),
            run.outcome.map(Outcome::as_str),
            run.reason,
            run.output,
            run.coalesced,
            run.args,
        ])?;
    Ok(if inserted == 1 { Ok(()) } else { Err(Refusal::AlreadyRecorded) })
}

fn update(connection: &Connection, run: &Run, attempt: Option<&Attempt>) -> Answer {
    let changed = connection
        .prepare_cached(
            "UPDATE runs SET state = ?2, attempt = ?3, started_at = ?4, finished_at = ?5, retry_at = ?6,
                             outcome = ?7, reason = ?8, output = ?9, coalesced = ?10
             WHERE id = ?1",
        )?
        .execute(params![
            Id(run.id),
            run.state.as_str(),
            run.attempt,
            run.started_at.map(Time),
            run.finished_at.map(Time),
            run.retry_at.map(Time),
            run.outcome.map(Outcome::as_str),
            run.reason,
            run.output,
            run.coalesced,
        ])?;
    if changed == 0 {
        return Ok(Err(Refusal::NoSuchRun));
    }
    if let Some(attempt) = attempt {
        put_attempt(connection, run.id, attempt)?;
    }
    if run.state == RunState::Finished && run.outcome == Some(Outcome::Succeeded) {
        connection
            .prepare_cached(
                "UPDATE job_times SET last_success = ?2
                 WHERE job = ?1 AND (last_success IS NULL OR last_success < ?2)",
            )?
            .execute(params![run.job.as_str(), Time(run.scheduled_at)])?;
    }
    Ok(Ok(()))
}

fn put_attempt(connection: &Connection, run: RunId, attempt: &Attempt) -> Result<(), Error> {
    let peak_memory = attempt.peak_memory.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    connection
        .prepare_cached(
            "INSERT INTO attempts (run, number, started_at, finished_at, outcome, reason, backtrace, peak_memory)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET
                 started_at = excluded.started_at, finished_at = excluded.finished_at, outcome = excluded.outcome,
                 reason = excluded.reason, backtrace = excluded.backtrace, peak_memory = excluded.peak_memory",
        )?
        .execute(params![
            Id(run),
            attempt.number,
            Time(attempt.started_at),
            attempt.finished_at.map(Time),
            attempt.outcome.map(Outcome::as_str),
            attempt.reason,
            attempt.backtrace,
            peak_memory,
        ])?;
    Ok(())
}

fn log(connection: &Connection, run: RunId, attempt: u32, lines: &[LogLine]) -> Answer {
    let lines: Vec<StoredLine<'_>> = lines.iter().map(StoredLine::from).collect();
    let lines = serde_json::to_string(&lines).map_err(|e| Error::ToSqlConversionFailure(e.into()))?;
    let inserted = connection
        .prepare_cached(
            "INSERT INTO logs (run, attempt, part, lines) VALUES (?1, ?2,
                 (SELECT coalesce(max(part), 0) + 1 FROM logs WHERE run = ?1 AND attempt = ?2), ?3)",
        )?
        .execute(params![Id(run), attempt, lines]);
    match inserted {
        Ok(_) => Ok(Ok(())),
        // The one reference of this table is the run's.
        Err(Error::SqliteFailure(e, _)) if e.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            Ok(Err(Refusal::NoSuchRun))
        }
        Err(e) => Err(e),
    }
}
