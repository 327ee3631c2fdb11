//! Other jobs: adding, changing and running them.
//!
//! Needs the right `allow.jobs`, which says how far it goes: jobs of the run's own plugin, unless more are granted. What
//! a run asks for takes effect with its success, and not at all when it fails. An [`Error`] that `?` turns into a
//! [`JobError`](crate::JobError) keeps its code, and asks for a retry only where that can help.
//!
//! ```
//! use clockbox_sdk::{JobError, jobs, testing};
//! use serde_json::json;
//!
//! fn run(host: String) -> Result<(), JobError> {
//!     let job = json!({ "trigger": { "interval": "5m" }, "args": { "host": host } });
//!     jobs::add(&format!("watch-{host}"), &job, jobs::Conflict::Ignore)?;
//!     Ok(())
//! }
//! testing::call(run, r#""a""#).unwrap();
//! assert_eq!(testing::jobs()["watch-a"]["args"]["host"], "a");
//! ```

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::backend;

/// What becomes of a job that is added under a name that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflict {
    /// The call is refused.
    #[default]
    Error,
    /// It takes the other's place, where the run may change that one.
    Replace,
    /// The other stays as it is.
    Ignore,
}

/// Adds a job. `job` has the keys of a section `[jobs.NAME]` of the manifest; without a trigger it runs once, as soon as
/// it is added.
///
/// # Errors
/// [`Error`] where the name is taken, the job is not understood, or the right does not go as far.
pub fn add(name: &str, job: &impl Serialize, on_conflict: Conflict) -> Result<(), Error> {
    backend::jobs_add(name, &text(job)?, on_conflict)
}

/// Changes a job that a run added: `changes` has the keys to change.
///
/// # Errors
/// As those of [`add`].
pub fn modify(name: &str, changes: &impl Serialize) -> Result<(), Error> {
    backend::jobs_modify(name, &text(changes)?)
}

/// Lets a job not fire until it is resumed, and says why.
///
/// # Errors
/// [`Error`] where there is no such job, or the right does not go as far.
pub fn pause<'a>(name: &str, note: impl Into<Option<&'a str>>) -> Result<(), Error> {
    backend::jobs_pause(name, note.into())
}

/// Lets a job fire again.
///
/// # Errors
/// As those of [`pause`].
pub fn resume(name: &str) -> Result<(), Error> {
    backend::jobs_resume(name)
}

/// Removes a job that a run added.
///
/// # Errors
/// As those of [`pause`].
pub fn remove(name: &str) -> Result<(), Error> {
    backend::jobs_remove(name)
}

/// Runs a job once, on top of its schedule, with its own arguments.
///
/// # Errors
/// As those of [`pause`].
pub fn run(name: &str) -> Result<(), Error> {
    backend::jobs_run(name, None)
}

/// Runs a job once, on top of its schedule, with other arguments.
///
/// # Errors
/// As those of [`pause`].
pub fn run_with(name: &str, args: &impl Serialize) -> Result<(), Error> {
    backend::jobs_run(name, Some(&text(args)?))
}

/// The names of the jobs that the run can see, in order.
///
/// # Errors
/// [`Error`] when the host does not answer.
pub fn list() -> Result<Vec<String>, Error> {
    backend::jobs_list()
}

/// A job that the run can see, with its keys and times; `None` where there is none.
///
/// # Errors
/// [`Error`] when the host does not answer.
pub fn get(name: &str) -> Result<Option<Value>, Error> {
    let read = |text: String| {
        serde_json::from_str(&text)
            .map_err(|error| Error::new(ErrorKind::Other, format!("the host's answer is not JSON: {error}")))
    };
    backend::jobs_get(name)?.map(read).transpose()
}

fn text(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::Invalid, format!("JSON cannot hold it: {error}")))
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
    /// The right `allow.jobs` does not go as far.
    Denied,
    /// There is no job of that name that the run can see.
    NoSuchJob,
    /// There is a job of that name already.
    JobExists,
    /// The name, the job or its arguments are not understood.
    Invalid,
    /// More jobs or more changes than the right allows.
    TooMany,
    /// The host cannot look at its jobs at the moment.
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
            ErrorKind::Denied => "jobs-denied",
            ErrorKind::NoSuchJob => "no-such-job",
            ErrorKind::JobExists => "job-exists",
            ErrorKind::Invalid => "invalid-job",
            ErrorKind::TooMany => "too-many-jobs",
            ErrorKind::Unavailable => "jobs-unavailable",
            ErrorKind::Other => "jobs",
        }
    }

    /// Whether the same call will fail the same way again.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        !matches!(self.kind, ErrorKind::Unavailable | ErrorKind::TooMany)
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
    use serde_json::json;

    use super::*;
    use crate::{JobError, testing};

    #[test]
    fn what_is_asked_for_shows_at_once_and_goes_with_a_failure() {
        fn job(fail: bool) -> Result<(), JobError> {
            add("a", &json!({ "args": 1 }), Conflict::Error)?;
            modify("a", &json!({ "args": 2 }))?;
            pause("a", "enough")?;
            run_with("a", &3)?;
            assert_eq!(list()?, ["a"]);
            assert_eq!(get("a")?.unwrap()["args"], 2);
            if fail { Err(JobError::fatal("told", "to fail")) } else { Ok(()) }
        }
        assert!(testing::call(job, "true").is_err());
        assert!(testing::jobs().is_empty() && testing::job_runs().is_empty());
        assert_eq!(testing::call(job, "false"), Ok(None));
        assert_eq!(testing::jobs()["a"]["paused"]["note"], "enough");
        assert_eq!(testing::job_runs(), [("a".to_owned(), Some(json!(3)))]);
        assert_eq!(add("a", &json!({}), Conflict::Error).unwrap_err().kind(), ErrorKind::JobExists);
        assert_eq!(remove("b").unwrap_err().code(), "no-such-job");
        assert_eq!((resume("a"), remove("a"), list()), (Ok(()), Ok(()), Ok(vec![])));
    }
}
