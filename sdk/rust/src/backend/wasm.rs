//! Inside a sandbox: the component's imports.

use super::bindings::{
    clockbox::job::{context, log, progress, types},
    exports::clockbox::job::runner,
};
use crate::{Failure, JobError, context::Cause, log::Level};

pub(crate) use context::{
    attempt, config, deadline_ms, idempotency_key, is_cancelled, job_id, previous_success, run_id,
    scheduled_at,
};

pub(crate) fn cause() -> Cause {
    match context::cause() {
        context::RunCause::Trigger => Cause::Trigger,
        context::RunCause::Manual => Cause::Manual,
    }
}

pub(crate) fn log(level: Level, message: &str, fields: &[(&str, String)]) {
    let level = match level {
        Level::Trace => log::Level::Trace,
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    let fields: Vec<_> = fields
        .iter()
        .map(|(key, value)| log::Field { key: (*key).to_owned(), value: value.clone() })
        .collect();
    log::write(level, message, &fields);
}

pub(crate) fn progress(done: u64, total: Option<u64>, note: Option<&str>) {
    progress::report(done, total, note);
}

impl From<JobError> for runner::JobError {
    fn from(error: JobError) -> Self {
        let wit = |Failure { code, message }| types::Failure { code, message };
        match error {
            JobError::InvalidArgs(failure) => Self::InvalidArgs(wit(failure)),
            JobError::Retry(failure) => Self::Retry(wit(failure)),
            JobError::RetryAfter(failure, delay) => Self::RetryAfter(types::RetryAfter {
                failure: wit(failure),
                delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            }),
            JobError::Fatal(failure) => Self::Fatal(wit(failure)),
            JobError::Cancelled(failure) => Self::Cancelled(wit(failure)),
        }
    }
}
