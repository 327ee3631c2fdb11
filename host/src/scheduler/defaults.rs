//! What jobs have that say nothing of their own, as it is now.

use std::sync::{Arc, PoisonError, RwLock};

use clockbox_core::model::JobDefaults;

/// The defaults of the jobs that people, programs and runs add: the scheduler's, which a reload may change. Clones are
/// the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults(Arc<RwLock<Arc<JobDefaults>>>);

impl Defaults {
    pub(crate) fn get(&self) -> Arc<JobDefaults> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, defaults: JobDefaults) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(defaults);
    }
}
