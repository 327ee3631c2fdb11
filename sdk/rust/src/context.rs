//! The facts of the run that is under way.
//!
//! Outside a sandbox they are those of [`testing::Facts`](crate::testing::Facts).

use std::time::Duration;

use crate::{JobError, backend};

/// Why the run exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The job's trigger fired.
    Trigger,
    /// Somebody asked for it.
    Manual,
}

impl Cause {
    /// `trigger` or `manual`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Manual => "manual",
        }
    }
}

/// The name of the job.
#[must_use]
pub fn job_id() -> String {
    backend::job_id()
}

/// The id of the run; the same over all its attempts.
#[must_use]
pub fn run_id() -> String {
    backend::run_id()
}

/// The number of this attempt, from 1.
#[must_use]
pub fn attempt() -> u32 {
    backend::attempt()
}

/// The time that the run was scheduled for, as RFC 3339 text with an offset.
#[must_use]
pub fn scheduled_at() -> String {
    backend::scheduled_at()
}

/// The scheduled time of the job's latest successful run before this one, as RFC 3339 text with an offset.
#[must_use]
pub fn previous_success() -> Option<String> {
    backend::previous_success()
}

/// Why the run exists.
#[must_use]
pub fn cause() -> Cause {
    backend::cause()
}

/// A key that names this run for ever: hand it to services that can tell a repetition apart.
#[must_use]
pub fn idempotency_key() -> String {
    backend::idempotency_key()
}

/// How much time is left before the run is stopped.
#[must_use]
pub fn deadline() -> Duration {
    Duration::from_millis(backend::deadline_ms())
}

/// Whether the host wants this run to stop soon.
#[must_use]
pub fn is_cancelled() -> bool {
    backend::is_cancelled()
}

/// Ends the run where the host wants it to stop: a job that loops calls this now and then, with `?`.
///
/// ```
/// use clockbox_sdk::{JobError, context, testing};
///
/// fn run(_: ()) -> Result<u32, JobError> {
///     let mut done = 0;
///     for _ in 0..3 {
///         context::check_cancelled()?;
///         done += 1;
///     }
///     Ok(done)
/// }
/// assert_eq!(testing::call(run, "null"), Ok(Some(3.into())));
/// testing::set_facts(testing::Facts { cancelled: true, ..Default::default() });
/// assert!(matches!(testing::call(run, "null"), Err(JobError::Cancelled(_))));
/// ```
///
/// # Errors
/// [`JobError::Cancelled`] when [`is_cancelled`].
pub fn check_cancelled() -> Result<(), JobError> {
    match is_cancelled() {
        true => Err(JobError::cancelled("the host asked the run to stop")),
        false => Ok(()),
    }
}

/// A value of the plugin's `config` table in the manifest.
#[must_use]
pub fn config(key: &str) -> Option<String> {
    backend::config(key)
}
