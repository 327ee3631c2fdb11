//! What a scheduler was started with.

use std::time::Duration;

use clockbox_core::model::History;

/// What a scheduler was started with, beside jobs, pools, plugins and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long runs are kept.
    pub history: History,
    /// How long runs may take to end when the scheduler stops, unless something else is said then.
    pub shutdown_grace: Duration,
}
