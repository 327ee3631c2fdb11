//! Writes as SQL statements.

use clockbox_core::model::{
    Attempt, Cause, Job, JobRecord, LogLine, Outcome, Pause, Refusal, Run, RunId, RunState, StateChanges,
    Timestamp, Write,
};
use rusqlite::{Error, ffi, params};

use super::{
    rows::StoredLine,
    state,
    statements::{Sql, Statements},
    types::{Id, Time},
};

type Answer = Result<Result<(), Refusal>, Error>;

/// Applies one write within the transaction of its batch.
pub(super) fn apply(statements: &mut Statements<'_>, write: &Write) -> Answer {
    match write {
        Write::PutJob(record) => put_job(statements, record),
        Write::RemoveJob(job) => {
            statements.get(Sql::RemoveJob)?.execute([job.as_str()])?;
            Ok(Ok(()))
        }
        Write::Pause(pause) => put_pause(statements, pause.as_ref()),
        Write::Cancelling { run, why } => {
            match why {
                Some(why) => statements.get(Sql::PutCancelling)?.execute(params![Id(*run), why])?,
                None => statements.get(Sql::EndCancelling)?.execute([Id(*run)])?,
            };
            Ok(Ok(()))
        }
        Write::Fire { run, next_fire } => fire(statements, run, *next_fire),
        Write::Update { run, attempt } => update(statements, run, attempt.as_deref()),
        Write::Success { run, attempt, state, jobs } => {
            whole(statements, |statements| success(statements, run, attempt, state.as_deref(), jobs))
        }
        Write::State { job, changes, at } => whole(statements, |statements| {
            if !state::has_job(statements, job)? {
                return Ok(Err(Refusal::NoSuchJob));
            }
            state::merge(statements, job, changes, *at)
        }),
        Write::Log { run, attempt, lines } => log(statements, *run, *attempt, lines),
    }
}

fn put_job(statements: &mut Statements<'_>, record: &JobRecord) -> Answer {
    let name = record.job.id.as_str();
    let paused = record.paused.as_ref();
    statements.get(Sql::PutJob)?.execute(params![
        name,
        json(&record.job)?,
        paused.map(|pause| Time(pause.at)),
        paused.and_then(|pause| pause.note.as_deref()),
        paused.and_then(|pause| pause.by.as_deref()),
        record.declared.as_deref().map(json).transpose()?,
    ])?;
    statements.get(Sql::PutTimes)?.execute(params![
        name,
        record.next_fire.map(Time),
        record.last_fire.map(Time),
        record.last_success.map(Time)
    ])?;
    Ok(Ok(()))
}

fn json(job: &Job) -> Result<String, Error> {
    serde_json::to_string(job).map_err(|e| Error::ToSqlConversionFailure(e.into()))
}

fn put_pause(statements: &mut Statements<'_>, pause: Option<&Pause>) -> Answer {
    match pause {
        Some(Pause { at, by, note }) => {
            statements.get(Sql::PutPause)?.execute(params![Time(*at), by, note])?
        }
        None => statements.get(Sql::EndPause)?.execute([])?,
    };
    Ok(Ok(()))
}

fn fire(statements: &mut Statements<'_>, run: &Run, next_fire: Option<Option<Timestamp>>) -> Answer {
    if next_fire.is_some() || run.cause == Cause::Trigger {
        let last_fire = (run.cause == Cause::Trigger).then_some(Time(run.scheduled_at));
        statements.get(Sql::MoveTimes)?.execute(params![
            run.job.as_str(),
            next_fire.is_some(),
            next_fire.flatten().map(Time),
            last_fire
        ])?;
    }
    let inserted = statements.get(Sql::InsertRun)?.execute(params![
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

fn update(statements: &mut Statements<'_>, run: &Run, attempt: Option<&Attempt>) -> Answer {
    let changed = statements.get(Sql::UpdateRun)?.execute(params![
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
        put_attempt(statements, run.id, attempt)?;
    }
    if run.state == RunState::Finished && run.outcome == Some(Outcome::Succeeded) {
        statements.get(Sql::MoveSuccess)?.execute(params![run.job.as_str(), Time(run.scheduled_at)])?;
    }
    Ok(Ok(()))
}

/// Does all of it, or nothing where it is refused.
fn whole(statements: &mut Statements<'_>, work: impl FnOnce(&mut Statements<'_>) -> Answer) -> Answer {
    statements.get(Sql::Mark)?.execute([])?;
    // An error takes back the whole transaction.
    let answer = work(statements)?;
    if answer.is_err() {
        statements.get(Sql::BackToMark)?.execute([])?;
    }
    statements.get(Sql::ForgetMark)?.execute([])?;
    Ok(answer)
}

fn success(
    statements: &mut Statements<'_>,
    run: &Run,
    attempt: &Attempt,
    changes: Option<&StateChanges>,
    jobs: &[Write],
) -> Answer {
    if let Err(refusal) = update(statements, run, Some(attempt))? {
        return Ok(Err(refusal));
    }
    let at = run.finished_at.unwrap_or(run.recorded_at);
    if let Some(changes) = changes
        && state::has_job(statements, &run.job)?
        && let Err(refusal) = state::merge(statements, &run.job, changes, at)?
    {
        return Ok(Err(refusal));
    }
    for write in jobs {
        if let Err(refusal) = apply(statements, write)? {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(()))
}

fn put_attempt(statements: &mut Statements<'_>, run: RunId, attempt: &Attempt) -> Result<(), Error> {
    let peak_memory = attempt.peak_memory.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    statements.get(Sql::PutAttempt)?.execute(params![
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

fn log(statements: &mut Statements<'_>, run: RunId, attempt: u32, lines: &[LogLine]) -> Answer {
    let lines: Vec<StoredLine<'_>> = lines.iter().map(StoredLine::from).collect();
    let lines = serde_json::to_string(&lines).map_err(|e| Error::ToSqlConversionFailure(e.into()))?;
    let inserted = statements.get(Sql::AppendLog)?.execute(params![Id(run), attempt, lines]);
    match inserted {
        Ok(_) => Ok(Ok(())),
        // The one reference of this table is the run's.
        Err(Error::SqliteFailure(e, _)) if e.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            Ok(Err(Refusal::NoSuchRun))
        }
        Err(e) => Err(e),
    }
}
