//! What happened, told to whoever listens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// The publishing end. Listeners hear its end when it is closed, not when its last clone is gone: handles outlive the
/// scheduler.
#[derive(Debug, Clone)]
pub(crate) struct Events(Arc<Mutex<State>>);

/// Under one lock, so that listeners hear the numbers in order whichever threads publish.
#[derive(Debug)]
struct State {
    /// `None` once the scheduler has stopped.
    sender: Option<broadcast::Sender<Happening>>,
    /// The number of the latest event.
    seq: u64,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { sender: Some(broadcast::channel(KEPT).0), seq: 0 })))
    }

    pub(crate) fn publish(&self, at: Timestamp, event: Event) {
        self.publish_all(at, [event]);
    }

    /// Publishes events that happened together, in their order.
    pub(crate) fn publish_all(&self, at: Timestamp, events: impl IntoIterator<Item = Event>) {
        let mut state = self.lock();
        for event in events {
            state.seq += 1;
            let seq = state.seq;
            if let Some(sender) = &state.sender {
                // An error means that nobody listens.
                drop(sender.send(Happening { seq, at, event }));
            }
        }
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        // There is nothing to hear of a scheduler that has stopped: the sender of that channel is gone at once.
        let ended = || broadcast::channel(1).1;
        let state = self.lock();
        let events = state.sender.as_ref().map_or_else(ended, broadcast::Sender::subscribe);
        Subscription { events, heard: state.seq }
    }

    /// The number of the latest event.
    pub(crate) fn latest(&self) -> u64 {
        self.lock().seq
    }

    /// Nothing happens any more: listeners hear what was published, and then the end.
    pub(crate) fn close(&self) {
        self.lock().sender = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The listening end. It gets every event from its creation on, in order.
#[derive(Debug)]
pub struct Subscription {
    events: broadcast::Receiver<Happening>,
    /// The number of the latest event that was heard or lost.
    heard: u64,
}

impl Subscription {
    /// The next event: `Err(n)` when `n` events were lost because this listener was too slow, `None` once the
    /// scheduler has stopped.
    pub async fn next(&mut self) -> Option<Result<Happening, u64>> {
        let received = self.events.recv().await;
        self.take(received)
    }

    /// The next event, waited for by blocking this thread. Not to be called from async code.
    pub fn next_blocking(&mut self) -> Option<Result<Happening, u64>> {
        let received = self.events.blocking_recv();
        self.take(received)
    }

    /// Whether the scheduler has stopped and everything has been heard: no [`try_next`](Self::try_next) brings anything
    /// any more.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.events.is_closed() && self.events.is_empty()
    }

    /// The next event, if it is there already: for loops that look from time to time, and must not wait.
    pub fn try_next(&mut self) -> Option<Result<Happening, u64>> {
        match self.events.try_recv() {
            Ok(happening) => self.take(Ok(happening)),
            Err(TryRecvError::Lagged(lost)) => self.take(Err(RecvError::Lagged(lost))),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }

    /// The number of the latest event that it has heard, lost, or come too late for.
    pub(crate) fn heard(&self) -> u64 {
        self.heard
    }

    fn take(&mut self, received: Result<Happening, RecvError>) -> Option<Result<Happening, u64>> {
        match received {
            Ok(happening) => {
                self.heard = happening.seq;
                Some(Ok(happening))
            }
            Err(RecvError::Lagged(lost)) => {
                self.heard += lost;
                Some(Err(lost))
            }
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2030-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn events_are_heard_in_the_order_of_their_numbers() {
        let events = Events::new();
        let mut heard = events.subscribe();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..2000).for_each(|_| events.publish(now(), Event::SchedulerResumed)));
            }
        });
        let numbers: Vec<u64> =
            std::iter::from_fn(|| heard.try_next()).map(|happening| happening.unwrap().seq).collect();
        assert_eq!(numbers, (1..=16_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_listener_hears_what_was_published_and_then_the_end() {
        let events = Events::new();
        let mut heard = events.subscribe();
        events.publish(now(), Event::SchedulerStopped);
        events.close();
        events.publish(now(), Event::SchedulerResumed);
        assert!(!heard.is_ended(), "there is something to be heard");
        assert_eq!(heard.next_blocking().unwrap().unwrap().event, Event::SchedulerStopped);
        assert_eq!(heard.next_blocking(), None);
        assert_eq!(events.subscribe().next_blocking(), None);
        assert!(heard.is_ended() && events.subscribe().is_ended());
    }

    #[test]
    fn a_listener_knows_how_far_it_has_heard_whatever_it_lost() {
        let events = Events::new();
        events.publish(now(), Event::SchedulerStarted);
        let mut heard = events.subscribe();
        assert_eq!(heard.heard(), 1, "what was before it");
        let more = KEPT as u64 + 10;
        (0..more).for_each(|_| events.publish(now(), Event::SchedulerResumed));
        assert_eq!((heard.try_next(), heard.heard()), (Some(Err(10)), 11));
        while heard.try_next().is_some() {}
        assert_eq!((heard.heard(), events.latest()), (more + 1, more + 1));
    }
}
