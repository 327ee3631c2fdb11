//! What a timetable is told, and what it answers.

use std::sync::Arc;

use crate::model::{Job, JobId, Pool, Report, RunId};

/// Something that a timetable is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// Time has passed: look for what is due.
    Wake,
    /// Pools and jobs are added, changed or removed together.
    Apply(Change),
    /// An attempt ended.
    Finished {
        /// The run.
        run: RunId,
        /// The attempt, from 1; another one's report is ignored.
        attempt: u32,
        /// How it ended.
        report: Box<Report>,
    },
    /// The store refused the record of this run: it must not be launched.
    Refused(RunId),
    /// Run a job now, once, without moving its schedule.
    RunNow {
        /// The job.
        job: JobId,
        /// Arguments in place of the job's: JSON text.
        args: Option<String>,
    },
    /// Stop a run: drop it where it waits, else ask its instance to stop.
    CancelRun {
        /// The run.
        run: RunId,
        /// Why, for the record.
        why: String,
    },
    /// Let a job not fire until it is resumed. Its fires are caught up then, by its policy.
    PauseJob {
        /// The job.
        job: JobId,
        /// Who paused it, and why.
        note: Option<String>,
    },
    /// Let a job fire again.
    ResumeJob(JobId),
    /// Let no job fire until the scheduler is resumed.
    Pause,
    /// Let jobs fire again.
    Resume,
    /// Start nothing more; what runs may end.
    Drain,
}

/// Pools and jobs that come, change and go together.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Pools to add or to resize. What runs in a pool that shrinks runs on.
    pub pools: Vec<Pool>,
    /// Jobs to add or to replace by name. A job whose trigger stays the same keeps its next fire.
    pub put: Vec<Arc<Job>>,
    /// Jobs to remove. What runs of them runs on; what waits is recorded as skipped.
    pub remove: Vec<JobId>,
}

/// Why a timetable did not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no job of that name.
    #[error("there is no job {:?}", .0.as_str())]
    NoSuchJob(JobId),
    /// There is no run of that id under way.
    #[error("run {0} is not under way")]
    NoSuchRun(RunId),
    /// The scheduler is draining.
    #[error("the scheduler is stopping and starts nothing more")]
    Draining,
}
