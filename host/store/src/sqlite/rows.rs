//! Rows as the nouns of the core.

use std::borrow::Cow;

use clockbox_core::model::{Attempt, JobRecord, LogLevel, LogLine, LogStream, Pause, Run, RunId, Timestamp};
use rusqlite::{
    Error, Result, Row,
    types::{Type, ValueRef},
};
use serde::{Deserialize, Serialize};

use super::{
    job_text::JobTexts,
    types::{Id, Named, Time},
};
use crate::micros::{from_micros, to_micros};

/// The columns that [`run`] reads, in its order.
pub(super) const RUN: &str = "id, job, plugin, pool, cause, scheduled_at, recorded_at, state, attempt, started_at, \
     finished_at, retry_at, outcome, reason, output, coalesced, args";

/// The columns that [`attempt`] reads, in its order.
pub(super) const ATTEMPT: &str = "number, started_at, finished_at, outcome, reason, backtrace, peak_memory";

/// The columns that [`job`] reads, in its order, of the table jobs alone: [`times`] reads the times.
pub(super) const UNTIMED_JOB: &str =
    "job, NULL, NULL, NULL, paused_at, pause_note, name, paused_by, declared, name";

/// The columns that [`times`] reads, in its order.
pub(super) const TIMES: &str = "job, next_fire, last_fire, last_success";

/// The columns that [`job`] reads, in its order.
pub(super) const JOB: &str = "jobs.job, next_fire, last_fire, last_success, paused_at, pause_note, jobs.name, \
     paused_by, declared, job_times.job";

fn time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<Time>>(column)?.map(|time| time.0))
}

pub(super) fn run(row: &Row<'_>) -> Result<Run> {
    Ok(Run {
        id: row.get::<_, Id>(0)?.0,
        job: row.get::<_, Named<_>>(1)?.0,
        plugin: row.get::<_, Named<_>>(2)?.0,
        pool: row.get::<_, Named<_>>(3)?.0,
        cause: row.get::<_, Named<_>>(4)?.0,
        scheduled_at: row.get::<_, Time>(5)?.0,
        recorded_at: row.get::<_, Time>(6)?.0,
        state: row.get::<_, Named<_>>(7)?.0,
        attempt: row.get(8)?,
        started_at: time(row, 9)?,
        finished_at: time(row, 10)?,
        retry_at: time(row, 11)?,
        outcome: row.get::<_, Option<Named<_>>>(12)?.map(|outcome| outcome.0),
        reason: row.get(13)?,
        output: row.get(14)?,
        coalesced: row.get(15)?,
        args: row.get(16)?,
    })
}

pub(super) fn attempt(row: &Row<'_>) -> Result<Attempt> {
    Ok(Attempt {
        number: row.get(0)?,
        started_at: row.get::<_, Time>(1)?.0,
        finished_at: time(row, 2)?,
        outcome: row.get::<_, Option<Named<_>>>(3)?.map(|outcome| outcome.0),
        reason: row.get(4)?,
        backtrace: row.get(5)?,
        peak_memory: row
            .get::<_, Option<i64>>(6)?
            .map(|bytes| u64::try_from(bytes).map_err(|_| Error::IntegralValueOutOfRange(6, bytes)))
            .transpose()?,
    })
}

/// What [`cancelling`] reads: runs that are to stop, and why.
pub(super) const CANCELLING: &str = "SELECT run, why FROM cancelling ORDER BY run";

pub(super) fn cancelling(row: &Row<'_>) -> Result<(RunId, String)> {
    Ok((row.get::<_, Id>(0)?.0, row.get(1)?))
}

pub(super) fn pause(row: &Row<'_>) -> Result<Pause> {
    Ok(Pause { at: row.get::<_, Time>(0)?.0, by: row.get(1)?, note: row.get(2)? })
}

/// What becomes of a job without times, which must not vanish without a word.
pub(super) const UNTIMED: &str = "the table job_times lacks its row";

/// Why a job is not understood, and the way out.
pub(super) fn way_out(why: &str) -> String {
    format!("{why}: delete it from the table jobs and declare it anew")
}

fn not_understood(column: usize, why: String) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, way_out(&why).into())
}

/// Sets the times of a job.
pub(super) fn times(row: &Row<'_>, record: &mut JobRecord) -> Result<()> {
    record.next_fire = time(row, 1)?;
    record.last_fire = time(row, 2)?;
    record.last_success = time(row, 3)?;
    Ok(())
}

pub(super) fn job(row: &Row<'_>, texts: &mut JobTexts) -> Result<JobRecord> {
    let paused_at = time(row, 4)?;
    let note = row.get(5)?;
    let mut read =
        |column: usize, json: &str| texts.read(json).map_err(|e| not_understood(column, e.to_string()));
    if row.get_ref(9)? == ValueRef::Null {
        return Err(not_understood(0, UNTIMED.to_owned()));
    }
    let by = row.get(7)?;
    let job = read(0, row.get_ref(0)?.as_str()?)?;
    if row.get_ref(6)?.as_str()? != job.id.as_str() {
        return Err(not_understood(0, format!("its text is that of the job {:?}", job.id.as_str())));
    }
    Ok(JobRecord {
        job,
        declared: row.get_ref(8)?.as_str_or_null()?.map(|json| read(8, json)).transpose()?,
        next_fire: time(row, 1)?,
        last_fire: time(row, 2)?,
        last_success: time(row, 3)?,
        paused: paused_at.map(|at| Box::new(Pause { at, by, note })),
    })
}

/// One log line as it is kept, in the JSON array of its part.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredLine<'a> {
    at: i64,
    stream: LogStream,
    level: LogLevel,
    message: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    fields: Cow<'a, [(String, String)]>,
}

impl<'a> From<&'a LogLine> for StoredLine<'a> {
    fn from(line: &'a LogLine) -> Self {
        Self {
            at: to_micros(line.at),
            stream: line.stream,
            level: line.level,
            message: Cow::Borrowed(&line.message),
            fields: Cow::Borrowed(&line.fields),
        }
    }
}

impl StoredLine<'_> {
    /// The line; `None` when its time is beyond the calendar.
    pub(super) fn into_line(self) -> Option<LogLine> {
        Some(LogLine {
            at: from_micros(self.at)?,
            stream: self.stream,
            level: self.level,
            message: self.message.into_owned(),
            fields: self.fields.into_owned(),
        })
    }
}
