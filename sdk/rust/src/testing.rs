//! The host's part in unit tests: outside a sandbox the job talks to this module.
//!
//! Everything is kept per thread, so tests that run in parallel do not see one another.
//!
//! ```
//! use clockbox_sdk::{JobError, context, job, log, testing};
//!
//! fn run(_: ()) -> Result<String, JobError> {
//!     log::info!("attempt {}", context::attempt());
//!     Ok(context::config("greeting").unwrap_or_default())
//! }
//! job!(run);
//!
//! let config = [("greeting".into(), "hi".into())].into();
//! testing::set_facts(testing::Facts { attempt: 2, config, ..Default::default() });
//! assert_eq!(testing::call(run, "null"), Ok(Some("hi".into())));
//! assert_eq!(testing::lines()[0].message, "attempt 2");
//! ```

use std::{cell::RefCell, collections::BTreeMap, fmt, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{JobError, context::Cause, log::Level};

/// What the functions of [`context`](crate::context) answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The name of the job.
    pub job_id: String,
    /// The id of the run.
    pub run_id: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The scheduled time, as RFC 3339 text.
    pub scheduled_at: String,
    /// The scheduled time of the latest successful run, as RFC 3339 text.
    pub previous_success: Option<String>,
    /// Why the run exists.
    pub cause: Cause,
    /// The idempotency key.
    pub idempotency_key: String,
    /// How much time is left.
    pub deadline: Duration,
    /// Whether the run is to stop.
    pub cancelled: bool,
    /// The plugin's `config` table.
    pub config: BTreeMap<String, String>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            job_id: "test-job".into(),
            run_id: "test-run".into(),
            attempt: 1,
            scheduled_at: "2030-01-01T00:00:00+00:00".into(),
            previous_success: None,
            cause: Cause::Trigger,
            idempotency_key: "test-key".into(),
            deadline: Duration::from_secs(60),
            cancelled: false,
            config: BTreeMap::new(),
        }
    }
}

/// A line that the job logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How grave it is.
    pub level: Level,
    /// Its text.
    pub message: String,
    /// Its fields: names and values.
    pub fields: Vec<(String, String)>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level, self.message)?;
        self.fields.iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))
    }
}

/// How far the job said it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: u64,
    /// Steps in all, where known.
    pub total: Option<u64>,
    /// What it is at.
    pub note: Option<String>,
}

/// What a run changes with its success.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) state: BTreeMap<String, Vec<u8>>,
    pub(crate) jobs: BTreeMap<String, Value>,
    pub(crate) runs: Vec<(String, Option<Value>)>,
}

/// What this thread's host knows and has heard.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) facts: Facts,
    pub(crate) lines: Vec<Line>,
    pub(crate) progress: Option<Progress>,
    pub(crate) kept: Kept,
    #[cfg(feature = "http")]
    pub(crate) answer: Option<std::rc::Rc<Answer>>,
}

#[cfg(feature = "http")]
pub(crate) type Answer = dyn Fn(&crate::http::Request) -> Result<crate::http::Response, crate::http::Error>;

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

pub(crate) fn host<T>(look: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with_borrow_mut(look)
}

/// Sets the facts of the runs to come on this thread.
pub fn set_facts(facts: Facts) {
    host(|host| host.facts = facts);
}

/// The lines that were logged on this thread since the last time this was asked.
#[must_use]
pub fn lines() -> Vec<Line> {
    host(|host| std::mem::take(&mut host.lines))
}

/// The latest progress that was reported on this thread.
#[must_use]
pub fn latest_progress() -> Option<Progress> {
    host(|host| host.progress.clone())
}

/// Answers the HTTP requests that are sent on this thread from now on. Without it they fail as not allowed.
#[cfg(feature = "http")]
pub fn answer_http(
    answer: impl Fn(&crate::http::Request) -> Result<crate::http::Response, crate::http::Error> + 'static,
) {
    host(|host| host.answer = Some(std::rc::Rc::new(answer)));
}

/// What the job remembers. Nothing expires, and there is no limit.
#[must_use]
pub fn state() -> BTreeMap<String, Vec<u8>> {
    host(|host| host.kept.state.clone())
}

/// Lets the job remember this.
pub fn set_state(state: BTreeMap<String, Vec<u8>>) {
    host(|host| host.kept.state = state);
}

/// The jobs that runs can see, by name, with the keys that they were given.
#[must_use]
pub fn jobs() -> BTreeMap<String, Value> {
    host(|host| host.kept.jobs.clone())
}

/// Lets there be these jobs.
pub fn set_jobs(jobs: BTreeMap<String, Value>) {
    host(|host| host.kept.jobs = jobs);
}

/// The jobs that runs on this thread asked to be run, with their arguments.
#[must_use]
pub fn job_runs() -> Vec<(String, Option<Value>)> {
    host(|host| host.kept.runs.clone())
}

/// Calls a job as the host does, with its arguments as JSON text, and gives its output, parsed. What a
/// failed run changed of its state and of jobs is undone.
///
/// # Errors
/// What the host would get.
pub fn call<A, T, F>(run: F, args: &str) -> Result<Option<Value>, JobError>
where
    A: DeserializeOwned,
    T: Serialize,
    F: FnOnce(A) -> Result<T, JobError>,
{
    let before = host(|host| host.kept.clone());
    let output = crate::job::call(run, args).inspect_err(|_| host(|host| host.kept = before))?;
    output.map(|text| serde_json::from_str(&text)).transpose().map_err(JobError::from)
}
