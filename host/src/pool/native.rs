//! A run of a function of this program: what it knows, and what it can say.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::TimeDelta;
use clockbox_core::{
    model::{
        Cause, JobId, Limits, LogLevel, LogLine, LogStream, Outcome, Report, RunId, Timestamp, format_size,
    },
    timetable::Launch,
};
use clockbox_sandbox::{CancelToken, RunSink};
use serde::{Serialize, de::DeserializeOwned};

use super::{JobError, log_buffer::LogBuffer};

/// What a line costs beyond its text, as of plugins.
const LINE_COST: u64 = 16;
/// Reports of progress that come faster are left out.
const PROGRESS_EVERY: TimeDelta = TimeDelta::milliseconds(100);

/// The run that a function of this program is called for: see [`Builder::native_fn`](crate::Builder::native_fn). Clones
/// speak of the same one.
#[derive(Clone)]
pub struct NativeRun(Arc<Inner>);

struct Inner {
    launch: Launch,
    token: CancelToken,
    log: Arc<LogBuffer>,
    /// Bytes of log.
    used: AtomicU64,
    /// When progress was told last.
    told: Mutex<Option<Timestamp>>,
}

impl std::fmt::Debug for NativeRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "run {} of {:?}", self.id(), self.job().as_str())
    }
}

impl NativeRun {
    pub(super) fn new(launch: Launch, token: CancelToken, log: Arc<LogBuffer>) -> Self {
        Self(Arc::new(Inner { launch, token, log, used: AtomicU64::new(0), told: Mutex::new(None) }))
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &JobId {
        &self.0.launch.job.id
    }

    /// The run: its idempotency key, the same over all of its attempts.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.0.launch.run.id
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.launch.run.attempt
    }

    /// The nominal time of the fire.
    #[must_use]
    pub fn scheduled_at(&self) -> Timestamp {
        self.0.launch.run.scheduled_at
    }

    /// Why it runs.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.0.launch.run.cause
    }

    /// When a run of the job succeeded before: the scheduled time of that run.
    #[must_use]
    pub fn previous_success(&self) -> Option<Timestamp> {
        self.0.launch.previous_success
    }

    /// Whether it has been asked to stop. It has five seconds then, after which it is dropped where it awaits something.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.token.is_cancelled()
    }

    /// Ends when it is asked to stop.
    pub async fn cancelled(&self) {
        self.0.token.cancelled().await;
    }

    /// Writes into the run's log: a line for each line of the message, up to 256 KiB in all. What is said after the end of
    /// the run is lost.
    pub fn log(&self, level: LogLevel, message: impl AsRef<str>) {
        message.as_ref().lines().for_each(|line| self.line(level, line));
    }

    /// [`log`](Self::log) of the normal course.
    pub fn info(&self, message: impl AsRef<str>) {
        self.log(LogLevel::Info, message);
    }

    /// [`log`](Self::log) of what is odd.
    pub fn warn(&self, message: impl AsRef<str>) {
        self.log(LogLevel::Warn, message);
    }

    /// [`log`](Self::log) of a failure.
    pub fn error(&self, message: impl AsRef<str>) {
        self.log(LogLevel::Error, message);
    }

    /// Tells listeners how far it is: at most ten times a second, and when all is done.
    pub fn progress(&self, done: u64, total: Option<u64>, note: Option<String>) {
        let now = self.0.log.now();
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_soon = told.is_some_and(|told| now >= told && now - told < PROGRESS_EVERY);
        if is_soon && total != Some(done) {
            return;
        }
        *told = Some(now);
        drop(told);
        self.0.log.progress(done, total, note);
    }

    fn line(&self, level: LogLevel, text: &str) {
        let limit = Limits::default().log;
        let cost = text.len() as u64 + LINE_COST;
        let before = self.0.used.fetch_add(cost, Ordering::Relaxed);
        if before + cost <= limit {
            // It is shown on terminals.
            let message = text.chars().filter(|c| *c == '\t' || !c.is_control()).collect();
            self.pass(LogStream::Log, level, message);
        } else if before <= limit {
            let message = format!("the log is larger than {}: what follows is dropped", format_size(limit));
            // Nothing more fits, not even a shorter line.
            self.0.used.fetch_add(limit, Ordering::Relaxed);
            self.pass(LogStream::Host, LogLevel::Warn, message);
        }
    }

    fn pass(&self, stream: LogStream, level: LogLevel, message: String) {
        let at = self.0.log.now();
        self.0.log.log(LogLine { at, stream, level, message, fields: Vec::new() });
    }

    /// What it was called with.
    fn args<A: DeserializeOwned>(&self) -> Result<A, JobError> {
        let Launch { run, job, .. } = &self.0.launch;
        let text = run.args.as_deref().unwrap_or(&job.args);
        serde_json::from_str(text).map_err(JobError::invalid_args)
    }

    /// The launch and the token, for functions that want nothing else.
    pub(crate) fn into_parts(self) -> (Launch, CancelToken) {
        (self.0.launch.clone(), self.0.token.clone())
    }
}

/// Calls a function with its arguments, and makes a report of what it answers.
pub(crate) fn call<A, O, F, R>(function: &F, run: NativeRun) -> impl Future<Output = Report> + use<A, O, F, R>
where
    F: Fn(A, NativeRun) -> R,
    A: DeserializeOwned,
    O: Serialize,
    R: Future<Output = Result<O, JobError>>,
{
    // Before anything is waited for: arguments need not be fit for other threads.
    let answer = run.args().map(|args| function(args, run));
    async move {
        let output = match answer {
            Ok(answer) => answer.await.and_then(|output| text(&output)),
            Err(error) => Err(error),
        };
        match output {
            Ok(output) => Report { output, ..Report::new(Outcome::Succeeded) },
            Err(error) => error.into(),
        }
    }
}

/// An output as JSON; `()` and `None` say nothing.
fn text(output: &impl Serialize) -> Result<Option<String>, JobError> {
    let text = serde_json::to_string(output).map_err(|error| JobError::fatal("output", error))?;
    let (size, limit) = (text.len() as u64, Limits::default().output);
    if size > limit {
        let (size, limit) = (format_size(size), format_size(limit));
        return Err(JobError::retry(
            "output",
            format!("it has {size} and the limit is {limit}; return less"),
        ));
    }
    Ok(Some(text).filter(|text| text != "null"))
}
