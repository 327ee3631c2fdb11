//! Why a run failed.

use std::{error::Error, fmt, time::Duration};

/// What went wrong: a code that programs can tell apart, and a message for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A short stable word such as `connect-refused`.
    pub code: String,
    /// What went wrong, in a sentence.
    pub message: String,
}

/// Why a run failed, and what that means for another attempt.
///
/// `?` turns any standard error into [`JobError::Retry`] with the code `error`; use [`OrFail`] to say more.
///
/// ```
/// use clockbox_sdk::{JobError, OrFail};
///
/// fn port(text: &str) -> Result<u16, JobError> {
///     text.parse::<u16>().or_fatal("bad-port")
/// }
/// let error = port("eighty").unwrap_err();
/// assert_eq!(error, JobError::fatal("bad-port", "invalid digit found in string"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobError {
    /// The arguments do not fit the job. Never tried again.
    InvalidArgs(Failure),
    /// It may work the next time: tried again as the job's retry policy says.
    Retry(Failure),
    /// Likewise, but not before this much time has passed.
    RetryAfter(Failure, Duration),
    /// It will not work the next time either. Never tried again.
    Fatal(Failure),
    /// The job noticed that it is to stop, and stopped. Never tried again.
    Cancelled(Failure),
}

impl JobError {
    /// The arguments do not fit the job; the code is `invalid-args`.
    pub fn invalid_args(message: impl fmt::Display) -> Self {
        Self::InvalidArgs(failure("invalid-args", message))
    }

    /// It may work the next time.
    pub fn retry(code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::Retry(failure(code, message))
    }

    /// It may work the next time, but not before `delay` has passed. The delay counts in whole milliseconds, and
    /// more than 30 days count as 30 days unless the cap of the job's retry policy is longer.
    pub fn retry_after(delay: Duration, code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::RetryAfter(failure(code, message), delay)
    }

    /// It will not work the next time either.
    pub fn fatal(code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::Fatal(failure(code, message))
    }

    /// The job stopped because it was asked to; the code is `cancelled`.
    pub fn cancelled(message: impl fmt::Display) -> Self {
        Self::Cancelled(failure("cancelled", message))
    }

    /// The code and the message.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        match self {
            Self::InvalidArgs(failure)
            | Self::Retry(failure)
            | Self::RetryAfter(failure, _)
            | Self::Fatal(failure)
            | Self::Cancelled(failure) => failure,
        }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { code, message } = self.failure();
        write!(f, "{code}: {message}")
    }
}

/// An error of `state`, `jobs` or `http` keeps its code, and is tried again only where another attempt can help. Any other error is tried
/// again.
impl<E: Error + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        let any = &error as &dyn std::any::Any;
        let named = |code: &str, is_permanent: bool, error: &dyn fmt::Display| match is_permanent {
            true => Self::fatal(code, error),
            false => Self::retry(code, error),
        };
        if let Some(state) = any.downcast_ref::<crate::state::Error>() {
            return named(state.code(), state.is_permanent(), state);
        }
        if let Some(jobs) = any.downcast_ref::<crate::jobs::Error>() {
            return named(jobs.code(), jobs.is_permanent(), jobs);
        }
        #[cfg(feature = "http")]
        if let Some(http) = any.downcast_ref::<crate::http::Error>() {
            return match http.kind() {
                // What is wrong with a request is mostly wrong with the arguments that it was made of.
                crate::http::ErrorKind::InvalidRequest => Self::InvalidArgs(failure(http.code(), http)),
                _ => named(http.code(), http.is_permanent(), http),
            };
        }
        Self::retry("error", chain(&error))
    }
}

/// Says what a failed step means for the run: for results of standard errors, strings, and boxed or `anyhow` errors.
///
/// ```
/// use clockbox_sdk::{JobError, OrFail};
///
/// let missing: Result<(), &str> = Err("no such table");
/// assert_eq!(missing.or_retry("db").unwrap_err(), JobError::retry("db", "no such table"));
/// assert_eq!(missing.or_invalid_args().unwrap_err(), JobError::invalid_args("no such table"));
/// ```
pub trait OrFail<T> {
    /// An error ends the run as [`JobError::Fatal`] with this code.
    ///
    /// # Errors
    /// The error, with its sources in the message.
    fn or_fatal(self, code: &str) -> Result<T, JobError>;

    /// An error ends the attempt as [`JobError::Retry`] with this code.
    ///
    /// # Errors
    /// The error, with its sources in the message.
    fn or_retry(self, code: &str) -> Result<T, JobError>;

    /// An error ends the run as [`JobError::InvalidArgs`].
    ///
    /// # Errors
    /// The error, with its sources in the message.
    fn or_invalid_args(self) -> Result<T, JobError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> OrFail<T> for Result<T, E> {
    fn or_fatal(self, code: &str) -> Result<T, JobError> {
        self.map_err(|error| JobError::fatal(code, chain(&*error.into())))
    }

    fn or_retry(self, code: &str) -> Result<T, JobError> {
        self.map_err(|error| JobError::retry(code, chain(&*error.into())))
    }

    fn or_invalid_args(self) -> Result<T, JobError> {
        self.map_err(|error| JobError::invalid_args(chain(&*error.into())))
    }
}

fn failure(code: impl Into<String>, message: impl fmt::Display) -> Failure {
    Failure { code: code.into(), message: message.to_string() }
}

/// The error and its sources, from the outside in; a source that its parent already quotes is left out.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let part = inner.to_string();
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot read the port")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn outer() -> Outer {
        Outer("x".parse::<u8>().unwrap_err())
    }

    #[test]
    fn a_question_mark_asks_for_a_retry_and_keeps_the_sources() {
        fn step() -> Result<(), JobError> {
            Err(outer())?
        }
        let error = step().unwrap_err();
        assert_eq!(error, JobError::retry("error", "cannot read the port: invalid digit found in string"));
    }

    #[test]
    fn the_sources_of_a_fatal_error_are_kept_too() {
        let error = Err::<(), _>(outer()).or_fatal("port").unwrap_err();
        assert_eq!(error.to_string(), "port: cannot read the port: invalid digit found in string");
    }

    #[test]
    fn boxed_errors_and_strings_can_be_classified() {
        let boxed: Result<(), Box<dyn Error + Send + Sync>> = Err("gone".into());
        assert_eq!(boxed.or_fatal("x").unwrap_err(), JobError::fatal("x", "gone"));
        assert_eq!(
            Err::<(), _>(String::from("gone")).or_retry("x").unwrap_err(),
            JobError::retry("x", "gone")
        );
    }
}
