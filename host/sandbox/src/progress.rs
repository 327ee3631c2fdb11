//! Progress reports, held back so that a guest in a tight loop does not flood its listeners.

use std::sync::Arc;

use clockbox_core::model::Timestamp;

use crate::{
    RunSink,
    log::{Redactor, clean},
};

/// The shortest time between two reports that are passed on, in milliseconds.
const PAUSE_MS: i64 = 100;
/// The longest note, in characters.
const LONGEST_NOTE: usize = 500;
/// How much of a note is looked at, in bytes: escape sequences and secrets may take most of it.
const LOOKED_AT: usize = 16 << 10;

type Step = (u64, Option<u64>, Option<String>);

/// Passes on at most one report in 100 ms of the sink's time, and the last one.
pub(crate) struct Progress {
    sink: Arc<dyn RunSink>,
    redactor: Arc<Redactor>,
    passed_at: Option<Timestamp>,
    held: Option<Step>,
}

impl Progress {
    pub(crate) fn new(sink: Arc<dyn RunSink>, redactor: Arc<Redactor>) -> Self {
        Self { sink, redactor, passed_at: None, held: None }
    }

    /// Takes a report.
    pub(crate) fn report(&mut self, done: u64, total: Option<u64>, note: Option<String>) {
        let now = self.sink.now();
        let note = note.map(|note| {
            let start = &note[..note.floor_char_boundary(LOOKED_AT)];
            self.redactor.hide(&clean(start)).chars().take(LONGEST_NOTE).collect()
        });
        self.held = Some((done, total, note));
        // A clock that was set back must not silence the guest.
        let too_soon =
            self.passed_at.is_some_and(|at| (0..PAUSE_MS).contains(&(now - at).num_milliseconds()));
        if !too_soon {
            self.passed_at = Some(now);
            self.flush();
        }
    }

    /// Passes on what was held back.
    pub(crate) fn flush(&mut self) {
        if let Some((done, total, note)) = self.held.take() {
            self.sink.progress(done, total, note);
        }
    }
}
