//! Runs: one execution of a job for one fire, or on demand.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{JobId, Outcome, PluginName, PoolName, RunId, Timestamp};

/// Why a run exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The job's trigger fired.
    Trigger,
    /// Somebody asked for it.
    Manual,
}

impl Cause {
    /// The name used in JSON, in the store and at the terminal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Manual => "manual",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Cause {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "trigger" => Ok(Self::Trigger),
            "manual" => Ok(Self::Manual),
            _ => Err(format!("{text:?} is not a cause; the causes are trigger, manual")),
        }
    }
}

/// Where a fire stands. A fire becomes one record, in one of these states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It waits for a place in its pool, or for another run of its job to end.
    Waiting,
    /// An attempt is under way.
    Running,
    /// The last attempt failed; the next one is due at `retry_at`.
    Retrying,
    /// It ended; `outcome` says how.
    Finished,
    /// It came too late to run; `reason` says why.
    Missed,
    /// It was not run because of overlap or saturation; `reason` says why.
    Skipped,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Running, Self::Retrying, Self::Finished, Self::Missed, Self::Skipped];

    /// The name used in JSON, in the store and at the terminal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Finished => "finished",
            Self::Missed => "missed",
            Self::Skipped => "skipped",
        }
    }

    /// Whether nothing more will happen to the run.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Missed | Self::Skipped)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RunState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            format!("{text:?} is not a state; the states are {}", Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

/// The record of one fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id, and the guest's idempotency key.
    pub id: RunId,
    /// The job.
    pub job: JobId,
    /// The plugin as it was when the fire was recorded.
    pub plugin: PluginName,
    /// The pool likewise.
    pub pool: PoolName,
    /// Why it exists.
    pub cause: Cause,
    /// The nominal time of the fire; unique for each job.
    pub scheduled_at: Timestamp,
    /// When the record was made.
    pub recorded_at: Timestamp,
    /// Where it stands.
    pub state: RunState,
    /// The latest attempt, from 1; 0 before the first.
    pub attempt: u32,
    /// When the first attempt was released to start.
    pub started_at: Option<Timestamp>,
    /// When the run ended.
    pub finished_at: Option<Timestamp>,
    /// When the next attempt is due, in state `retrying`.
    pub retry_at: Option<Timestamp>,
    /// How it ended, in state `finished`.
    pub outcome: Option<Outcome>,
    /// Why, in words: of a failure, of a miss, of a skip.
    pub reason: Option<String>,
    /// The guest's output: JSON text of a job component.
    pub output: Option<String>,
    /// How many other due fires this one stands for.
    pub coalesced: u32,
    /// Arguments in place of the job's, for a run on demand: JSON text.
    pub args: Option<String>,
}

/// One try of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// When it was released to start.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why, in words.
    pub reason: Option<String>,
    /// The WebAssembly backtrace of a trap.
    pub backtrace: Option<String>,
    /// The most memory that the guest held, in bytes.
    pub peak_memory: Option<u64>,
}
