//! What a run is given, and where what it says goes.

use std::sync::Arc;

use clockbox_core::model::{Cause, JobId, LogLine, RunId, Timestamp};

/// The facts of one attempt.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The job.
    pub job: JobId,
    /// The run; the guest's idempotency key.
    pub run: RunId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The nominal time of the fire.
    pub scheduled_at: Timestamp,
    /// The scheduled time of the job's latest successful run before this one.
    pub previous_success: Option<Timestamp>,
    /// Why the run exists.
    pub cause: Cause,
    /// The arguments: JSON text, `null` where there are none.
    pub args: Arc<str>,
}

/// Where a run's log and progress go, and where its time comes from.
///
/// Every method is called from inside the run: it must not block.
pub trait RunSink: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Takes a line of the run's log. Lines come in order, within the plugin's log limit.
    fn log(&self, line: LogLine);

    /// Takes a report of progress: at most one in 100 ms, and the last one.
    fn progress(&self, done: u64, total: Option<u64>, note: Option<String>);
}
