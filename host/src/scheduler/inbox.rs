//! The way to a driver: messages, and whoever works them off.
//!
//! A driver is worked by one thread at a time, but not always by its own: whoever has something for it and finds it free
//! works it off where he is. A guest that ends then records its end and starts the next one without a change of threads,
//! which costs more than all of that. What comes while somebody is at it, he finds when he looks again before he goes.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

use tokio::sync::Notify;

use super::{Message, driver::Driver};

/// How often a thread that has other things to do looks again, when messages keep coming.
const TURNS: u32 = 16;

/// The way to a driver. Clones lead to the same one.
#[derive(Clone)]
pub(crate) struct Inbox(Arc<Shared>);

struct Shared {
    messages: Mutex<Messages>,
    /// Absent before the start and after the end.
    driver: Mutex<Option<Driver>>,
    /// Wakes the driver's own thread.
    bell: Notify,
}

#[derive(Default)]
struct Messages {
    waiting: VecDeque<Message>,
    closed: bool,
}

/// What is left to do for a driver that has worked off what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing until its thread wakes as it had meant to.
    Sleep,
    /// Its thread must look anew: at the time it sleeps until, or at the end.
    Ring,
    /// There is more than one turn allows.
    More,
}

impl Inbox {
    /// The way to a driver that is yet to come.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared { messages: Mutex::default(), driver: Mutex::default(), bell: Notify::new() }))
    }

    /// Sends a message, for the driver's own thread or whoever is at it; false when the driver has stopped. A reply in
    /// the message is then dropped, which answers its asker that the scheduler has stopped.
    pub(crate) fn send(&self, message: Message) -> bool {
        let is_put = self.put(message);
        // Whoever is at it looks again before he goes.
        if is_put && self.0.driver.try_lock().is_ok() {
            self.0.bell.notify_one();
        }
        is_put
    }

    /// Sends a message and works it off on this thread, where nobody else is at it. That waits neither for a guest nor
    /// for a disk; a long backlog is left to the driver's own thread.
    pub(crate) fn hand(&self, message: Message) -> bool {
        let is_put = self.put(message);
        if is_put {
            self.turn();
        }
        is_put
    }

    fn put(&self, message: Message) -> bool {
        let mut messages = self.messages();
        if messages.closed {
            return false;
        }
        messages.waiting.push_back(message);
        true
    }

    /// The oldest message that waits.
    pub(super) fn next(&self) -> Option<Message> {
        self.messages().waiting.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages().waiting.is_empty()
    }

    /// Waits until the driver's own thread is to look.
    pub(super) async fn rung(&self) {
        self.0.bell.notified().await;
    }

    /// The driver comes to its place and does the first thing, before anybody else can be at it.
    pub(super) fn install<T>(&self, driver: Driver, begin: impl FnOnce(&mut Driver) -> T) -> Option<T> {
        let mut place = self.driver();
        *place = Some(driver);
        Self::guarded(&mut place, begin)
    }

    /// Does something with the driver, when whoever is at it has gone; `None` when there is none any more.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Driver) -> T) -> Option<T> {
        let mut place = self.driver();
        Self::guarded(&mut place, work)
    }

    /// Takes the driver from its place: from here on messages only gather.
    pub(super) fn take(&self) -> Option<Driver> {
        self.driver().take()
    }

    /// Takes no more messages, and hands out those that came too late.
    pub(super) fn close(&self) -> impl Iterator<Item = Message> {
        let mut messages = self.messages();
        messages.closed = true;
        std::mem::take(&mut messages.waiting).into_iter()
    }

    /// Works off what waits, while nobody else does.
    fn turn(&self) {
        for _ in 0..TURNS {
            if self.is_empty() {
                return;
            }
            // A driver that cannot be had is worked by somebody, who will find what was put in.
            let mut place = match self.0.driver.try_lock() {
                Ok(place) => place,
                Err(TryLockError::WouldBlock) => return,
                Err(TryLockError::Poisoned(place)) => place.into_inner(),
            };
            let rest = Self::guarded(&mut place, Driver::work_off);
            drop(place);
            match rest {
                Some(Rest::Sleep) => {}
                Some(Rest::Ring) => self.0.bell.notify_one(),
                // The thread finds that it has come to its end.
                Some(Rest::More) | None => return self.0.bell.notify_one(),
            }
        }
        self.0.bell.notify_one();
    }

    /// A driver that panics is gone, whichever thread it was on: with it goes the scheduler.
    fn guarded<T>(place: &mut Option<Driver>, work: impl FnOnce(&mut Driver) -> T) -> Option<T> {
        let driver = place.as_mut()?;
        match catch_unwind(AssertUnwindSafe(|| work(driver))) {
            Ok(done) => Some(done),
            Err(_) => {
                tracing::error!("the scheduler broke down; this is a mistake in it");
                *place = None;
                None
            }
        }
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.0.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn driver(&self) -> MutexGuard<'_, Option<Driver>> {
        self.0.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::scheduler::{Scheduler, SchedulerError};

    fn ask(question: impl FnOnce() + Send + 'static) -> Message {
        Message::Ask(Box::new(move |_| question()))
    }

    #[test]
    fn what_is_handed_to_a_driver_that_nobody_is_at_is_done_on_this_thread() {
        let scheduler = Scheduler::builder().start().unwrap();
        let (tell, told) = channel();
        // Until its own thread sleeps, that one may be at it.
        loop {
            let tell = tell.clone();
            assert!(scheduler.inbox().hand(ask(move || tell.send(std::thread::current().id()).unwrap())));
            if told.recv().unwrap() == std::thread::current().id() {
                return;
            }
        }
    }

    #[test]
    fn what_comes_while_somebody_is_at_it_is_done_by_him_and_in_order() {
        let scheduler = Scheduler::builder().start().unwrap();
        let inbox = scheduler.inbox().clone();
        let (tell, told) = channel();
        let again = inbox.clone();
        assert!(inbox.hand(ask(move || {
            for n in 0..1000 {
                let tell = tell.clone();
                assert!(again.hand(ask(move || tell.send(n).unwrap())));
            }
            assert!(!again.is_empty(), "nobody else can be at it");
        })));
        assert_eq!(told.iter().collect::<Vec<_>>(), (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn every_message_of_many_threads_is_done() {
        let scheduler = Scheduler::builder().start().unwrap();
        let (tell, told) = channel();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (tell, inbox) = (tell.clone(), scheduler.inbox());
                scope.spawn(move || {
                    for n in 0..500 {
                        let tell = tell.clone();
                        let message = ask(move || tell.send((thread, n)).unwrap());
                        let is_put = if n % 2 == 0 { inbox.hand(message) } else { inbox.send(message) };
                        assert!(is_put);
                    }
                });
            }
        });
        drop(tell);
        let mut seen = [0; 8];
        for (thread, n) in told {
            assert_eq!(std::mem::replace(&mut seen[thread], n + 1), n, "in the order of each thread");
        }
        assert_eq!(seen, [500; 8]);
    }

    #[test]
    fn a_driver_that_breaks_down_leaves_nobody_waiting() {
        let scheduler = Scheduler::builder().start().unwrap();
        let mut events = scheduler.subscribe();
        scheduler.inbox().hand(ask(|| panic!("as the test wants it")));
        while events.next_blocking().is_some() {}
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(scheduler.stopped());
        assert!(scheduler.is_stopped());
        assert!(matches!(scheduler.ping().wait(), Err(SchedulerError::Stopped)));
        let end = scheduler.shutdown(std::time::Duration::ZERO).wait();
        assert!(matches!(end, Err(SchedulerError::Stopped)));
    }
}
