//! Pools.

use clockbox_core::timetable::PoolLoad;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A pool, and how full it is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct PoolView {
    /// Its name.
    pub(crate) name: String,
    /// The most instances at one time.
    pub(crate) max_instances: u32,
    /// The most runs that wait for a place.
    pub(crate) queue: u32,
    /// Instances that run now.
    pub(crate) running: u32,
    /// Runs that wait for a place.
    pub(crate) waiting: usize,
}

impl From<PoolLoad> for PoolView {
    fn from(load: PoolLoad) -> Self {
        let PoolLoad { pool, running, waiting } = load;
        Self {
            name: pool.name.to_string(),
            max_instances: pool.max_instances,
            queue: pool.queue,
            running,
            waiting,
        }
    }
}
