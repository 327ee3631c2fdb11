//! The host as a whole.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PoolView, job::PauseView};

/// How a host stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct StatusView {
    /// Its version.
    pub(crate) version: String,
    /// The number of its process.
    pub(crate) pid: u32,
    /// Since when it runs.
    pub(crate) started_at: DateTime<Utc>,
    /// The time as it sees it.
    pub(crate) now: DateTime<Utc>,
    /// The time zone of triggers that name none.
    pub(crate) timezone: String,
    /// Jobs.
    pub(crate) jobs: usize,
    /// Jobs that are paused.
    pub(crate) paused_jobs: usize,
    /// Runs whose instance runs now.
    pub(crate) running: usize,
    /// Runs that wait for their turn or for their next attempt.
    pub(crate) waiting: usize,
    /// When something is due next; in the past where that is late.
    pub(crate) next_wake: Option<DateTime<Utc>>,
    /// Since when everything is paused, by whom and why.
    pub(crate) paused: Option<PauseView>,
    /// Nothing starts any more, as the host is about to stop.
    pub(crate) draining: bool,
    /// The store, as the manifest writes it; nothing where the scheduler is part of a program.
    #[serde(default)]
    pub(crate) store: Option<String>,
    /// The pools.
    pub(crate) pools: Vec<PoolView>,
}
