//! A writer in front of a store that commits at once: whoever submits commits.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use clockbox_core::model::Write;

use super::{
    NotWritten, Trouble, WriterOptions,
    commit_times::CommitTimes,
    queue::Done,
    work::{attempt, guarded},
};
use crate::JobStore;

pub(super) struct Direct {
    store: Arc<dyn JobStore>,
    times: Arc<CommitTimes>,
    state: Mutex<State>,
}

struct State {
    options: WriterOptions,
    /// Why nothing is taken any more.
    ended: Option<String>,
}

impl Direct {
    pub(super) fn new(store: Arc<dyn JobStore>, options: WriterOptions, times: Arc<CommitTimes>) -> Self {
        Self { store, times, state: Mutex::new(State { options, ended: None }) }
    }

    pub(super) fn submit(&self, writes: &[Write], done: Done) {
        // Told without the lock: whoever is told may submit again.
        let answers = self.commit(writes);
        guarded(|| done(answers));
    }

    fn commit(&self, writes: &[Write]) -> super::Answers {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = &state.ended {
            return Err(NotWritten { reason: reason.clone() });
        }
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        self.times.time(writes.len(), || attempt(&*self.store, writes)).map_err(|error| {
            let reason = error.to_string();
            state.ended = Some(reason.clone());
            let trouble = Trouble::Ended { reason: reason.clone(), writes: writes.len() };
            guarded(|| (state.options.on_trouble)(trouble));
            NotWritten { reason }
        })
    }

    /// Takes nothing more; a commit that is under way is waited for.
    pub(super) fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended.get_or_insert_with(|| "the writer was closed".to_owned());
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}
