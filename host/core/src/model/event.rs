//! What happened, for listeners: published after the store has it.
//!
//! Events come in the order in which the timetable decided, each once the rows that it speaks of are written. Of one
//! run: `fired` (where a trigger caused it), `run-waiting` (where it waits), then for each attempt `run-started`, any
//! number of `run-progressed`, and `run-retrying`; at last `run-finished`. An attempt that the end of its host cut off
//! is told as `run-interrupted` at the next start, before the `run-retrying` or `run-finished` that follows from it. A
//! fire that becomes no run is told as `missed` or `skipped` alone, or after its `fired` and `run-waiting`.

use serde::{Deserialize, Serialize};

use super::{Cause, JobId, Outcome, RunId, Timestamp};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The scheduler runs.
    SchedulerStarted,
    /// No new run starts from here on.
    SchedulerDraining,
    /// The scheduler ended.
    SchedulerStopped,
    /// Nothing starts until it is resumed. Told again at each start in between.
    SchedulerPaused {
        /// Who paused it.
        by: Option<String>,
        /// Why.
        note: Option<String>,
    },
    /// Jobs fire again.
    SchedulerResumed,
    /// A job was added.
    JobAdded {
        /// The job.
        job: JobId,
    },
    /// A job was changed.
    JobModified {
        /// The job.
        job: JobId,
    },
    /// A job was removed.
    JobRemoved {
        /// The job.
        job: JobId,
    },
    /// A job was paused.
    JobPaused {
        /// The job.
        job: JobId,
        /// Who paused it.
        by: Option<String>,
        /// Why.
        note: Option<String>,
    },
    /// A job was resumed.
    JobResumed {
        /// The job.
        job: JobId,
    },
    /// A fire became a run.
    Fired {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
        /// The nominal time of the fire.
        scheduled_at: Timestamp,
        /// How many other due fires it stands for.
        coalesced: u32,
    },
    /// A fire came too late to run.
    Missed {
        /// The job.
        job: JobId,
        /// The record of it.
        run: RunId,
        /// The nominal time of the fire.
        scheduled_at: Timestamp,
        /// How many other due fires are recorded with it. Those of a run that had waited were told with its `fired`.
        coalesced: u32,
        /// Why.
        reason: String,
    },
    /// A fire was not run because of overlap or saturation.
    Skipped {
        /// The job.
        job: JobId,
        /// The record of it.
        run: RunId,
        /// The nominal time of the fire.
        scheduled_at: Timestamp,
        /// How many other due fires are recorded with it. Those of a run that had waited were told with its `fired`.
        coalesced: u32,
        /// Why.
        reason: String,
    },
    /// A fire waits for a place.
    RunWaiting {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
        /// The nominal time of the fire.
        scheduled_at: Timestamp,
    },
    /// An attempt was released to start.
    RunStarted {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
        /// The nominal time of the fire.
        scheduled_at: Timestamp,
        /// The attempt, from 1.
        attempt: u32,
        /// Why the run exists.
        cause: Cause,
    },
    /// A run ended.
    RunFinished {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
        /// The last attempt; 0 where none was begun.
        attempt: u32,
        /// Why the run exists.
        cause: Cause,
        /// How it ended.
        outcome: Outcome,
        /// Why, in words.
        reason: Option<String>,
        /// Milliseconds from the start of its first attempt; `None` when it never started, or was interrupted.
        elapsed_ms: Option<u64>,
    },
    /// An attempt failed, another follows.
    RunRetrying {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
        /// The attempt that failed.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
        /// Why, in words.
        reason: Option<String>,
        /// When the next attempt is due.
        retry_at: Timestamp,
    },
    /// The host ended before the end of an attempt was recorded. What follows from it is told next.
    RunInterrupted {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
        /// The attempt that was cut off.
        attempt: u32,
    },
    /// A guest reported its progress.
    RunProgressed {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
        /// How much is done.
        done: u64,
        /// Of how much, where the guest knows.
        total: Option<u64>,
        /// A note of the guest's.
        note: Option<String>,
    },
    /// A new manifest or plugin is in force.
    Reloaded {
        /// Jobs added.
        added: usize,
        /// Jobs changed.
        changed: usize,
        /// Jobs removed.
        removed: usize,
    },
    /// A new manifest or plugin was refused; the last good one stays in force.
    ReloadRejected {
        /// Every problem, a line each.
        problems: Vec<String>,
    },
}

impl Event {
    /// The run whose record the event speaks of.
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        match self {
            Self::Fired { run, .. }
            | Self::Missed { run, .. }
            | Self::Skipped { run, .. }
            | Self::RunWaiting { run, .. }
            | Self::RunStarted { run, .. }
            | Self::RunFinished { run, .. }
            | Self::RunRetrying { run, .. }
            | Self::RunInterrupted { run, .. }
            | Self::RunProgressed { run, .. } => Some(*run),
            _ => None,
        }
    }
}
