//! The writer's thread: take, commit, tell; again while there is something.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use clockbox_core::model::{Refusal, Write};

use super::{
    NotWritten, Trouble, WriterOptions,
    backoff::backoff,
    commit_times::CommitTimes,
    queue::{Batch, Shared},
};
use crate::{JobStore, StoreError};

pub(super) struct Worker {
    store: Arc<dyn JobStore>,
    options: WriterOptions,
    shared: Arc<Shared>,
    times: Arc<CommitTimes>,
}

impl Worker {
    pub(super) fn new(
        store: Arc<dyn JobStore>,
        options: WriterOptions,
        shared: Arc<Shared>,
        times: Arc<CommitTimes>,
    ) -> Self {
        Self { store, options, shared, times }
    }

    pub(super) fn run(mut self) {
        while let Some(batch) = self.shared.take(self.options.batch) {
            match self.commit(&batch.writes) {
                Ok(answers) => self.tell(batch, answers),
                Err(reason) => return self.fail(batch, reason),
            }
        }
        self.shared.end("the writer was closed");
    }

    /// Commits a batch, however often that takes; an error is the reason why the writer has to end.
    fn commit(&mut self, writes: &[Write]) -> Result<Vec<Result<(), Refusal>>, String> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let mut failures = 0;
        loop {
            let error = match self.times.time(writes.len(), || attempt(&*self.store, writes)) {
                Ok(answers) => {
                    if failures > 0 {
                        self.shared.set_failing(false);
                        self.report(Trouble::Recovered { failures });
                    }
                    return Ok(answers);
                }
                Err(error) => error,
            };
            failures += 1;
            self.shared.set_failing(true);
            if !matches!(error, StoreError::Transient(_)) || self.shared.gives_up() {
                return Err(error.to_string());
            }
            let retry_in = backoff(failures);
            self.report(Trouble::Failing { error: error.clone(), failures, retry_in });
            match &mut self.options.pause {
                Some(pause) => pause(retry_in),
                None => self.shared.pause(retry_in),
            }
            if self.shared.gives_up() {
                return Err(error.to_string());
            }
        }
    }

    fn tell(&self, batch: Batch, answers: Vec<Result<(), Refusal>>) {
        // Whoever is told may ask at once how much is still pending, and wait for a word that never comes.
        self.shared.settle(batch.writes.len());
        let mut answers = answers.into_iter();
        for (count, done) in batch.parts {
            let own = answers.by_ref().take(count).collect();
            guarded(|| done(Ok(own)));
        }
    }

    fn fail(mut self, batch: Batch, reason: String) {
        let left = self.shared.end(&reason);
        let waiting = left.into_iter().map(|submission| (submission.writes.len(), submission.done));
        let mut writes = 0;
        for (count, done) in batch.parts.into_iter().chain(waiting) {
            writes += count;
            guarded(|| done(Err(NotWritten { reason: reason.clone() })));
        }
        self.report(Trouble::Ended { reason, writes });
    }

    fn report(&mut self, trouble: Trouble) {
        guarded(|| (self.options.on_trouble)(trouble));
    }
}

/// Commits once, and holds the store to what it promises.
pub(super) fn attempt(
    store: &dyn JobStore,
    writes: &[Write],
) -> Result<Vec<Result<(), Refusal>>, StoreError> {
    let answers = catch_unwind(AssertUnwindSafe(|| store.commit(writes)))
        .unwrap_or_else(|panic| Err(StoreError::Broken(format!("the store panicked: {}", words(&*panic)))))?;
    if answers.len() == writes.len() {
        Ok(answers)
    } else {
        let (answers, writes) = (answers.len(), writes.len());
        Err(StoreError::Broken(format!("the store gave {answers} answers to {writes} writes")))
    }
}

/// Calls back; a panic in there must not keep the others from being told.
pub(super) fn guarded(call: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(call)) {
        tracing::error!("a callback of the store's writer panicked: {}", words(&*panic));
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
