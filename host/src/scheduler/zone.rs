//! The time zone of triggers that name none, as it is now.

use std::sync::{Arc, PoisonError, RwLock};

use chrono_tz::Tz;

/// The time zone of the jobs that runs add: the scheduler's, which a reload may change. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Zone(Arc<RwLock<Tz>>);

impl Default for Zone {
    fn default() -> Self {
        Self(Arc::new(RwLock::new(Tz::UTC)))
    }
}

impl Zone {
    pub(crate) fn get(&self) -> Tz {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, zone: Tz) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = zone;
    }
}
