//! What was submitted and is not written yet, shared between the submitters and the writer's thread.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clockbox_core::model::{Refusal, Write};

use super::NotWritten;

/// How a submission ended: one answer for each of its writes, or why they were not made.
pub(super) type Answers = Result<Vec<Result<(), Refusal>>, NotWritten>;

/// Is told how a submission ended.
pub(super) type Done = Box<dyn FnOnce(Answers) + Send>;

/// Writes that belong together, and who is to be told.
pub(super) struct Submission {
    pub(super) writes: Vec<Write>,
    pub(super) done: Done,
}

/// The submissions of one commit: their writes end to end, and for each how many are its own.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) writes: Vec<Write>,
    pub(super) parts: Vec<(usize, Done)>,
}

/// How a writer ended.
#[derive(Clone)]
pub(super) struct End {
    pub(super) reason: String,
    /// How many writes are not known to be in the store.
    pub(super) lost: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Submission>,
    /// Writes in the queue and in the commit that is under way.
    pending: usize,
    closing: bool,
    /// The latest commit failed, and is to be tried again.
    failing: bool,
    /// The next failure is the last.
    give_up: bool,
    end: Option<End>,
}

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    /// No code of others runs under this lock, so a panic cannot leave the state half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pending(&self) -> usize {
        self.lock().pending
    }

    pub(super) fn is_failing(&self) -> bool {
        self.lock().failing
    }

    pub(super) fn set_failing(&self, failing: bool) {
        self.lock().failing = failing;
    }

    /// Queues a submission; gives it back when the writer has ended.
    pub(super) fn push(&self, submission: Submission) -> Result<(), (Submission, NotWritten)> {
        let mut state = self.lock();
        if let Some(end) = &state.end {
            let reason = end.reason.clone();
            return Err((submission, NotWritten { reason }));
        }
        state.pending += submission.writes.len();
        state.queue.push_back(submission);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits for submissions and takes as many as fit a batch, one at least; `None` when the writer is to end.
    pub(super) fn take(&self, most: usize) -> Option<Batch> {
        let state = self.lock();
        let mut state = self
            .changed
            .wait_while(state, |state| state.queue.is_empty() && !state.closing)
            .unwrap_or_else(PoisonError::into_inner);
        let mut batch = Batch::default();
        while let Some(next) = state.queue.front() {
            if !batch.parts.is_empty() && batch.writes.len().saturating_add(next.writes.len()) > most {
                break;
            }
            let Some(Submission { mut writes, done }) = state.queue.pop_front() else { break };
            batch.parts.push((writes.len(), done));
            if batch.writes.is_empty() {
                batch.writes = writes;
            } else {
                batch.writes.append(&mut writes);
            }
        }
        (!batch.parts.is_empty()).then_some(batch)
    }

    /// A batch of so many writes is done with.
    pub(super) fn settle(&self, writes: usize) {
        self.lock().pending -= writes;
    }

    /// Waits before another try; ends early, or at once, when the writer is to give up.
    pub(super) fn pause(&self, pause: Duration) {
        let state = self.lock();
        // Whether the time passed or the state changed makes no difference here.
        drop(self.changed.wait_timeout_while(state, pause, |state| !state.give_up));
    }

    pub(super) fn gives_up(&self) -> bool {
        self.lock().give_up
    }

    /// The writer's thread ends: nothing is accepted from here on, and what waits is handed back.
    pub(super) fn end(&self, reason: &str) -> VecDeque<Submission> {
        let mut state = self.lock();
        let lost = state.pending;
        // What close() gave up before stands.
        state.end.get_or_insert(End { reason: reason.to_owned(), lost });
        state.pending = 0;
        let left = std::mem::take(&mut state.queue);
        drop(state);
        self.changed.notify_all();
        left
    }

    /// Asks the thread to end once the queue is empty.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    /// The next failure of the store is the last.
    pub(super) fn give_up(&self) {
        self.lock().give_up = true;
        self.changed.notify_all();
    }

    /// How the thread ended, when it does within `patience`; else ends the queue in its place, and hands back what
    /// waited.
    pub(super) fn await_end(&self, patience: Duration) -> Result<End, (End, VecDeque<Submission>)> {
        let state = self.lock();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, patience, |state| state.end.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = &state.end {
            return Ok(end.clone());
        }
        let reason = format!("the store did not take everything within {patience:?}");
        let end = End { reason, lost: state.pending };
        state.end = Some(end.clone());
        state.give_up = true;
        let left = std::mem::take(&mut state.queue);
        state.pending -= left.iter().map(|submission| submission.writes.len()).sum::<usize>();
        drop(state);
        self.changed.notify_all();
        Err((end, left))
    }
}
