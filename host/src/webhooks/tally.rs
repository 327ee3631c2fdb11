//! What became of the messages of a webhook.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// How many messages a webhook was sent, and was not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Those that it took.
    pub delivered: u64,
    /// Those that were given up after the last retry.
    pub failed: u64,
    /// Those that found its queue full.
    pub dropped: u64,
    /// Those that wait, the one that is being sent included.
    pub waiting: u64,
}

/// Counts them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    taken: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Tally {
    pub(super) fn taken(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (delivered, failed) = (read(&self.delivered), read(&self.failed));
        let waiting = read(&self.taken).saturating_sub(delivered + failed);
        Counts { delivered, failed, dropped: read(&self.dropped), waiting }
    }
}
