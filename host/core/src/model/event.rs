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
        /// What was refused meanwhile, plugin by plugin; `reload-rejected` follows and names it.
        #[serde(default)]
        refused: usize,
    },
    /// A new manifest or plugin was refused; the last good one stays in force, with the rights and limits of now.
    ReloadRejected {
        /// Every problem, a line each.
        problems: Vec<String>,
    },
}

impl Event {
    /// The names of all events, as they stand in JSON.
    pub const NAMES: [&str; 21] = [
        "scheduler-started",
        "scheduler-draining",
        "scheduler-stopped",
        "scheduler-paused",
        "scheduler-resumed",
        "job-added",
        "job-modified",
        "job-removed",
        "job-paused",
        "job-resumed",
        "fired",
        "missed",
        "skipped",
        "run-waiting",
        "run-started",
        "run-finished",
        "run-retrying",
        "run-interrupted",
        "run-progressed",
        "reloaded",
        "reload-rejected",
    ];

    /// Its name, as it stands in JSON.
    ///
    /// ```
    /// use clockbox_core::model::Event;
    /// assert_eq!(Event::SchedulerResumed.name(), "scheduler-resumed");
    /// assert!(Event::NAMES.contains(&"scheduler-resumed"));
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SchedulerStarted => "scheduler-started",
            Self::SchedulerDraining => "scheduler-draining",
            Self::SchedulerStopped => "scheduler-stopped",
            Self::SchedulerPaused { .. } => "scheduler-paused",
            Self::SchedulerResumed => "scheduler-resumed",
            Self::JobAdded { .. } => "job-added",
            Self::JobModified { .. } => "job-modified",
            Self::JobRemoved { .. } => "job-removed",
            Self::JobPaused { .. } => "job-paused",
            Self::JobResumed { .. } => "job-resumed",
            Self::Fired { .. } => "fired",
            Self::Missed { .. } => "missed",
            Self::Skipped { .. } => "skipped",
            Self::RunWaiting { .. } => "run-waiting",
            Self::RunStarted { .. } => "run-started",
            Self::RunFinished { .. } => "run-finished",
            Self::RunRetrying { .. } => "run-retrying",
            Self::RunInterrupted { .. } => "run-interrupted",
            Self::RunProgressed { .. } => "run-progressed",
            Self::Reloaded { .. } => "reloaded",
            Self::ReloadRejected { .. } => "reload-rejected",
        }
    }

    /// The job that the event is about.
    #[must_use]
    pub fn job(&self) -> Option<&JobId> {
        match self {
            Self::JobAdded { job }
            | Self::JobModified { job }
            | Self::JobRemoved { job }
            | Self::JobPaused { job, .. }
            | Self::JobResumed { job }
            | Self::Fired { job, .. }
            | Self::Missed { job, .. }
            | Self::Skipped { job, .. }
            | Self::RunWaiting { job, .. }
            | Self::RunStarted { job, .. }
            | Self::RunFinished { job, .. }
            | Self::RunRetrying { job, .. }
            | Self::RunInterrupted { job, .. }
            | Self::RunProgressed { job, .. } => Some(job),
            Self::SchedulerStarted
            | Self::SchedulerDraining
            | Self::SchedulerStopped
            | Self::SchedulerPaused { .. }
            | Self::SchedulerResumed
            | Self::Reloaded { .. }
            | Self::ReloadRejected { .. } => None,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_json() {
        for name in Event::NAMES {
            let bare = serde_json::from_str::<Event>(&format!(r#"{{ "event": "{name}" }}"#));
            // Where something belongs to an event, it is missing; the name itself is known.
            match bare {
                Ok(event) => assert_eq!(event.name(), name),
                Err(error) => assert!(error.to_string().starts_with("missing field"), "{name}: {error}"),
            }
        }
        let unknown = serde_json::from_str::<Event>(r#"{ "event": "x" }"#).unwrap_err().to_string();
        assert_eq!(
            unknown.matches('`').count(),
            2 * (1 + Event::NAMES.len()),
            "a name is missing: {unknown}"
        );
        let job = JobId::new("a").unwrap();
        let event = Event::JobPaused { job: job.clone(), by: None, note: None };
        assert_eq!(serde_json::to_value(&event).unwrap()["event"], event.name());
        assert_eq!((event.job(), event.run()), (Some(&job), None));
    }
}
