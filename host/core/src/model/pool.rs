//! Pools: named caps on concurrent instances.

use serde::{Deserialize, Serialize};

use super::PoolName;

/// A named cap on concurrent instances, in the place of a thread or process executor.
///
/// ```
/// use clockbox_core::model::{Pool, PoolName};
/// let pool = Pool::new(PoolName::default_pool());
/// assert_eq!((pool.max_instances, pool.queue), (20, 1000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Its name; jobs refer to it.
    pub name: PoolName,
    /// The most instances at one time, at least 1.
    pub max_instances: u32,
    /// The most runs that wait for a place; a fire beyond that is recorded as skipped.
    pub queue: u32,
}

impl Pool {
    /// A pool with the default cap of 20 instances and a queue of 1,000.
    #[must_use]
    pub fn new(name: PoolName) -> Self {
        Self { name, max_instances: 20, queue: 1000 }
    }
}
