//! What a job asks of the scheduler, beside when to fire.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Allow, Grace};

/// What becomes of several fires of one job that are due at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coalesce {
    /// The latest runs; the others are counted on its run (`coalesce = true`).
    #[default]
    Latest,
    /// The earliest runs; the others are counted on its run.
    Earliest,
    /// Each runs (`coalesce = false`).
    All,
}

/// What becomes of a fire whose job is at its `max_instances`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// It is recorded as skipped.
    #[default]
    Skip,
    /// It waits, one at a time; a surplus is recorded as skipped.
    Wait,
    /// The oldest run is cancelled, and the fire takes its place.
    Replace,
}

/// What becomes of a run that a crash of the host interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// It stays interrupted.
    #[default]
    AtMostOnce,
    /// It runs again under the same run id, up to the attempts of [`Retry`] (at least one more).
    AtLeastOnce,
}

/// What becomes of a job whose trigger has nothing left to fire, once its last run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenDone {
    /// It stays in the list of jobs.
    Keep,
    /// It is removed; its history stays.
    Remove,
}

/// How often and how fast a failed run is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts in all, the first one included; 1 means no retry.
    pub attempts: u32,
    /// The longest pause before the second attempt.
    pub backoff: Duration,
    /// What that pause is multiplied with for each further attempt.
    pub factor: f64,
    /// The longest pause of all.
    pub cap: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 1, backoff: Duration::from_secs(10), factor: 2.0, cap: Duration::from_secs(3600) }
    }
}

/// The policy of a job.
///
/// ```
/// use clockbox_core::model::{Coalesce, Overlap, Policy};
/// let policy = Policy::default();
/// assert_eq!((policy.max_instances, policy.coalesce, policy.overlap), (1, Coalesce::Latest, Overlap::Skip));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// How late a fire may be noticed and still run.
    pub misfire_grace: Grace,
    /// What becomes of several fires due at once.
    pub coalesce: Coalesce,
    /// The most runs of this job at one time, at least 1.
    pub max_instances: u32,
    /// What becomes of a fire beyond that.
    pub overlap: Overlap,
    /// Higher goes first when runs wait for a place in the pool.
    pub priority: i32,
    /// What becomes of an interrupted run.
    pub delivery: Delivery,
    /// What becomes of a failed run.
    pub retry: Retry,
    /// What becomes of the job once it is done; `None` leaves it to its source, see
    /// [`Job::when_done`](super::Job::when_done).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_done: Option<WhenDone>,
    /// What its runs may reach, out of what the plugin may; `None` is all of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Box<Allow>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            misfire_grace: Grace::Within(Duration::from_secs(3600)),
            coalesce: Coalesce::default(),
            max_instances: 1,
            overlap: Overlap::default(),
            priority: 0,
            delivery: Delivery::default(),
            retry: Retry::default(),
            when_done: None,
            allow: None,
        }
    }
}
