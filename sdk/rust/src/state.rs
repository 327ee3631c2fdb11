//! What the job remembers from one run to the next: keys and values of its own, kept by the host.
//!
//! Needs the right `allow.state`. What a run changes takes effect with its success, and not at all when it fails: a run
//! that is tried again finds what was there before. An [`Error`] that `?` turns into a [`JobError`](crate::JobError)
//! keeps its code, and asks for a retry only where that can help.
//!
//! ```
//! use clockbox_sdk::{JobError, state, testing};
//!
//! fn run(_: ()) -> Result<u64, JobError> {
//!     let runs = state::get_json::<u64>("runs")?.unwrap_or(0) + 1;
//!     state::set_json("runs", &runs)?;
//!     Ok(runs)
//! }
//! assert_eq!(testing::call(run, "null"), Ok(Some(1.into())));
//! assert_eq!(testing::call(run, "null"), Ok(Some(2.into())));
//! assert_eq!(testing::state()["runs"], b"2");
//! ```

use std::{fmt, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use crate::backend;

/// The value of a key; `None` where there is none, or where it has expired.
///
/// # Errors
/// [`Error`] when the host does not answer.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    backend::state_get(key)
}

/// Sets the value of a key.
///
/// # Errors
/// [`ErrorKind::QuotaExceeded`] where the state would be larger than `limits.state`; nothing has changed then.
pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
    backend::state_set(key, value.as_ref(), None)
}

/// Sets the value of a key, which is gone after `ttl`; that counts in whole milliseconds.
///
/// # Errors
/// As those of [`set`].
pub fn set_for(ttl: Duration, key: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
    backend::state_set(key, value.as_ref(), Some(millis(ttl)))
}

/// The value of a key, read as JSON.
///
/// # Errors
/// [`ErrorKind::Other`] where it is something else.
pub fn get_json<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    let read = |value: Vec<u8>| {
        serde_json::from_slice(&value).map_err(|error| {
            Error::new(ErrorKind::Other, format!("the value of {key:?} is not the JSON expected: {error}"))
        })
    };
    get(key)?.map(read).transpose()
}

/// Sets the value of a key, as JSON.
///
/// # Errors
/// As those of [`set`]; [`ErrorKind::Other`] where JSON cannot hold the value.
pub fn set_json(key: &str, value: &impl Serialize) -> Result<(), Error> {
    let value = serde_json::to_vec(value).map_err(|error| {
        Error::new(ErrorKind::Other, format!("the value of {key:?} is not JSON: {error}"))
    })?;
    set(key, value)
}

/// Deletes a key; true where it had a value.
///
/// # Errors
/// [`Error`] when the host does not answer.
pub fn delete(key: &str) -> Result<bool, Error> {
    backend::state_delete(key)
}

/// The keys that begin with `prefix`, in the order of their bytes.
///
/// # Errors
/// [`Error`] when the host does not answer.
pub fn keys(prefix: &str) -> Result<Vec<String>, Error> {
    backend::state_keys(prefix)
}

/// Sets the value of a key (`None` deletes it) where it has the expected one (`None`: where it has none); true where it
/// had. That is compared again when the success of the run is recorded, and then the attempt fails where somebody else
/// has changed the key.
///
/// ```
/// use clockbox_sdk::state;
/// assert!(state::compare_and_swap("leader", None, Some(b"a"))?);
/// assert!(!state::compare_and_swap("leader", None, Some(b"b"))?);
/// assert_eq!(state::get("leader")?.unwrap(), b"a");
/// # Ok::<(), clockbox_sdk::state::Error>(())
/// ```
///
/// # Errors
/// As those of [`set`].
pub fn compare_and_swap(key: &str, expected: Option<&[u8]>, value: Option<&[u8]>) -> Result<bool, Error> {
    backend::state_compare_and_swap(key, expected, value)
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// Kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The right `allow.state` is not granted.
    Denied,
    /// A key has 1 to 512 bytes and no control characters.
    InvalidKey,
    /// The state would be larger than `limits.state`.
    QuotaExceeded,
    /// The host cannot read the state at the moment.
    Unavailable,
    /// Anything else.
    Other,
}

impl Error {
    /// An error of this kind, with a message for people.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The code of the failure that it becomes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            ErrorKind::Denied => "state-denied",
            ErrorKind::InvalidKey => "invalid-key",
            ErrorKind::QuotaExceeded => "state-full",
            ErrorKind::Unavailable => "state-unavailable",
            ErrorKind::Other => "state",
        }
    }

    /// Whether the same call will fail the same way again.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.kind != ErrorKind::Unavailable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JobError, testing};

    #[test]
    fn what_a_failed_run_wrote_is_not_there() {
        fn run(fail: bool) -> Result<(), JobError> {
            set("a", "1")?;
            set_for(Duration::from_secs(60), "b", "2")?;
            if fail { Err(JobError::fatal("told", "to fail")) } else { Ok(()) }
        }
        assert!(testing::call(run, "true").is_err());
        assert!(testing::state().is_empty());
        assert_eq!(testing::call(run, "false"), Ok(None));
        assert_eq!(keys("").unwrap(), ["a", "b"]);
        assert_eq!((delete("a"), delete("a")), (Ok(true), Ok(false)));
    }

    #[test]
    fn an_error_keeps_its_code() {
        let job_error = |kind| JobError::from(Error::new(kind, "because"));
        assert_eq!(job_error(ErrorKind::QuotaExceeded), JobError::fatal("state-full", "because"));
        assert_eq!(job_error(ErrorKind::Unavailable), JobError::retry("state-unavailable", "because"));
        assert_eq!(get("").unwrap_err().kind(), ErrorKind::InvalidKey);
    }
}
