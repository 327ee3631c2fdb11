//! What a run brings about, beside its output, if it succeeds.

use super::{JobChanges, StateChanges};

/// What takes effect in the transaction that records the success of a run, or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// What it changes of its job's state.
    pub state: Option<StateChanges>,
    /// What it asks to be done about jobs.
    pub jobs: Option<JobChanges>,
}

impl Effects {
    /// The same, unless it is nothing at all.
    #[must_use]
    pub fn if_any(self) -> Option<Box<Self>> {
        (self.state.is_some() || self.jobs.is_some()).then(|| Box::new(self))
    }
}
