//! Why a run of a function failed: the words of the SDK for plugins.

use std::{error::Error, fmt, time::Duration};

use clockbox_core::model::{Outcome, Report, RetryHint};

/// A reason is cut after so many characters.
const LONGEST_REASON: usize = 2_000;

/// Why a run of a function of this program failed, and what that means for another attempt. `?` turns any standard error
/// into one that is tried again, as in the SDK for plugins.
///
/// ```
/// use clockbox::JobError;
///
/// fn port(text: &str) -> Result<u16, JobError> {
///     text.parse().map_err(|error| JobError::fatal("bad-port", error))
/// }
/// assert_eq!(port("eighty").unwrap_err().to_string(), "bad-port: invalid digit found in string");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobError {
    reason: String,
    outcome: Outcome,
    retry: RetryHint,
}

impl JobError {
    /// The arguments do not fit the job: never tried again. The code is `invalid-args`.
    pub fn invalid_args(message: impl fmt::Display) -> Self {
        Self::fatal("invalid-args", message)
    }

    /// It may work the next time: tried again as the job's retry policy says.
    pub fn retry(code: &str, message: impl fmt::Display) -> Self {
        Self::new(Outcome::Failed, RetryHint::Policy, code, message)
    }

    /// Likewise, but not before this much time has passed.
    pub fn retry_after(delay: Duration, code: &str, message: impl fmt::Display) -> Self {
        Self::new(Outcome::Failed, RetryHint::After(delay), code, message)
    }

    /// It will not work the next time either: never tried again.
    pub fn fatal(code: &str, message: impl fmt::Display) -> Self {
        Self::new(Outcome::Failed, RetryHint::Never, code, message)
    }

    /// It stopped because it was asked to: never tried again. The code is `cancelled`.
    pub fn cancelled(message: impl fmt::Display) -> Self {
        Self::new(Outcome::Cancelled, RetryHint::Never, "cancelled", message)
    }

    fn new(outcome: Outcome, retry: RetryHint, code: &str, message: impl fmt::Display) -> Self {
        let words = format!("{code}: {message}");
        let reason = words.chars().take(LONGEST_REASON).collect();
        Self { reason, outcome, retry }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl<E: Error + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        let (mut words, mut cause) = (error.to_string(), error.source());
        while let Some(next) = cause {
            words = format!("{words}: {next}");
            cause = next.source();
        }
        Self::retry("error", words)
    }
}

impl From<JobError> for Report {
    fn from(error: JobError) -> Self {
        Self { retry: error.retry, ..Self::new(error.outcome).because(error.reason) }
    }
}
