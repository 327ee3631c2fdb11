//! Jobs, runs and stores to test with.

use std::sync::Arc;

use clockbox_core::{
    model::{
        Attempt, Cause, Job, JobId, JobRecord, LogLevel, LogLine, LogStream, Outcome, PluginName, Policy,
        PoolName, Refusal, Run, RunId, RunState, Source, StateChanges, StateEntry, Timestamp, Write,
    },
    trigger::{Trigger, TriggerSpec},
};
use clockbox_store::{Access, JobStore};

/// A time on 1 January 2030, such as `12:30:00` or `12:30:00.5`.
pub(crate) fn at(time: &str) -> Timestamp {
    format!("2030-01-01T{time}Z").parse().unwrap()
}

/// So many seconds after midnight.
pub(crate) fn second(n: u32) -> Timestamp {
    at(&format!("{:02}:{:02}:{:02}", n / 3600, n / 60 % 60, n % 60))
}

pub(crate) fn job_id(name: &str) -> JobId {
    JobId::new(name).unwrap()
}

pub(crate) fn run_id(number: i64) -> RunId {
    RunId::from_i64(number).unwrap()
}

pub(crate) fn job(name: &str) -> JobRecord {
    let spec = TriggerSpec::interval("1h");
    JobRecord {
        job: std::sync::Arc::new(Job {
            id: job_id(name),
            plugin: PluginName::new("hello").unwrap(),
            pool: PoolName::default_pool(),
            trigger: Trigger::new(spec, chrono_tz::Asia::Shanghai).unwrap(),
            args: r#"{"to":"ops@example.com"}"#.into(),
            policy: Policy::default().into(),
            source: Source::Manifest,
        }),
        declared: None,
        next_fire: None,
        last_fire: None,
        last_success: None,
        paused: None,
    }
}

pub(crate) fn put(record: &JobRecord) -> Write {
    Write::PutJob(Box::new(record.clone()))
}

/// A run that waits, recorded when it was scheduled.
pub(crate) fn waiting(id: i64, job: &str, scheduled_at: Timestamp) -> Run {
    Run {
        id: run_id(id),
        job: job_id(job),
        plugin: PluginName::new("hello").unwrap(),
        pool: PoolName::default_pool(),
        cause: Cause::Trigger,
        scheduled_at,
        recorded_at: scheduled_at,
        state: RunState::Waiting,
        attempt: 0,
        started_at: None,
        finished_at: None,
        retry_at: None,
        outcome: None,
        reason: None,
        output: None,
        coalesced: 0,
        args: None,
    }
}

/// The run after its first attempt ended.
pub(crate) fn finished(run: &Run, outcome: Outcome) -> Run {
    Run {
        state: RunState::Finished,
        attempt: 1,
        started_at: Some(run.scheduled_at),
        finished_at: Some(run.scheduled_at),
        outcome: Some(outcome),
        ..run.clone()
    }
}

pub(crate) fn missed(run: &Run) -> Run {
    Run { state: RunState::Missed, reason: Some("too late".to_owned()), ..run.clone() }
}

/// The record of a fire, which leaves the job's schedule alone.
pub(crate) fn fire(run: &Run) -> Write {
    Write::Fire { run: Arc::new(run.clone()), next_fire: None }
}

pub(crate) fn update(run: &Run) -> Write {
    Write::Update { run: Arc::new(run.clone()), attempt: None }
}

/// An entry to put.
pub(crate) fn entry(key: &str, value: &str, expires_at: Option<Timestamp>) -> (String, Option<StateEntry>) {
    (key.to_owned(), Some(StateEntry { value: value.as_bytes().into(), expires_at }))
}

/// A change of a job's state by hand, at noon.
pub(crate) fn state(job: &str, changes: StateChanges) -> Write {
    Write::State { job: job_id(job), changes: Box::new(changes), at: at("12:00:00") }
}

pub(crate) fn attempt(number: u32) -> Attempt {
    Attempt {
        number,
        started_at: second(number),
        finished_at: None,
        outcome: None,
        reason: None,
        backtrace: None,
        peak_memory: None,
    }
}

pub(crate) fn line(message: &str) -> LogLine {
    LogLine {
        at: at("12:00:00"),
        stream: LogStream::Stdout,
        level: LogLevel::Info,
        message: message.to_owned(),
        fields: Vec::new(),
    }
}

pub(crate) fn log(run: i64, attempt: u32, lines: &[LogLine]) -> Write {
    Write::Log { run: run_id(run), attempt, lines: lines.to_vec() }
}

/// Commits one write.
pub(crate) fn commit_one(store: &dyn JobStore, write: Write) -> Result<(), Refusal> {
    let mut answers = store.commit(&[write]).unwrap();
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

/// Commits writes none of which is refused.
pub(crate) fn commit(store: &dyn JobStore, writes: &[Write]) {
    assert_eq!(store.commit(writes).unwrap(), vec![Ok(()); writes.len()]);
}

/// The numbers of runs, in their order.
pub(crate) fn numbers(runs: &[Run]) -> Vec<i64> {
    runs.iter().map(|run| run.id.as_i64()).collect()
}

/// The access of a host that starts at noon.
pub(crate) fn as_host() -> Access {
    Access::ReadWrite { opened_at: at("12:00:00") }
}

/// The numbers of no runs.
pub(crate) const NONE: [i64; 0] = [];
