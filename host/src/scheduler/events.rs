//! What happened, told to whoever listens.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use clockbox_core::model::{Event, Timestamp};
use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

/// Events kept for a listener that is slow; one that is slower is told how many it missed.
const KEPT: usize = 16_384;

/// An event with its number and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happening {
    /// Counts up from 1 since the scheduler started.
    pub seq: u64,
    /// When it was published.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// The publishing end.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    sender: broadcast::Sender<Happening>,
    seq: Arc<AtomicU64>,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::channel(KEPT).0, seq: Arc::default() }
    }

    pub(crate) fn publish(&self, at: Timestamp, event: Event) {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed) + 1;
        // An error means that nobody listens.
        drop(self.sender.send(Happening { seq, at, event }));
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        Subscription(self.sender.subscribe())
    }
}

/// The listening end. It gets every event from its creation on, in order.
#[derive(Debug)]
pub struct Subscription(broadcast::Receiver<Happening>);

impl Subscription {
    /// The next event: `Err(n)` when `n` events were lost because this listener was too slow, `None` once the
    /// scheduler has stopped.
    pub async fn next(&mut self) -> Option<Result<Happening, u64>> {
        match self.0.recv().await {
            Ok(happening) => Some(Ok(happening)),
            Err(RecvError::Lagged(lost)) => Some(Err(lost)),
            Err(RecvError::Closed) => None,
        }
    }

    /// The next event, waited for by blocking this thread. Not to be called from async code.
    pub fn next_blocking(&mut self) -> Option<Result<Happening, u64>> {
        match self.0.blocking_recv() {
            Ok(happening) => Some(Ok(happening)),
            Err(RecvError::Lagged(lost)) => Some(Err(lost)),
            Err(RecvError::Closed) => None,
        }
    }

    /// The next event, if it is there already.
    pub fn try_next(&mut self) -> Option<Result<Happening, u64>> {
        match self.0.try_recv() {
            Ok(happening) => Some(Ok(happening)),
            Err(TryRecvError::Lagged(lost)) => Some(Err(lost)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}
