//! How much of what ran is kept.

use std::time::Duration;

/// How long runs are kept: what is beyond either bound is deleted in the background.
///
/// ```
/// use clockbox_core::model::History;
/// assert_eq!(History::default().keep_per_job, 1000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// How long a run is kept after it was recorded.
    pub keep: Duration,
    /// The most runs kept of each job.
    pub keep_per_job: u32,
}

impl Default for History {
    fn default() -> Self {
        Self { keep: Duration::from_secs(30 * 86_400), keep_per_job: 1000 }
    }
}
