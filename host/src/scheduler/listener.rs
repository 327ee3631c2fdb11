//! Callbacks: a function of the program is called with whatever happens.

use std::{sync::Arc, thread::JoinHandle};

use tokio::sync::Notify;

use super::{Happening, Subscription};

/// What is called with each event, or with how many were lost because it was too slow for them.
pub(super) type Callback = Box<dyn FnMut(Result<Happening, u64>) + Send>;

/// A callback that listens; see [`Scheduler::on_event`](super::Scheduler::on_event). It goes on when this is dropped, until
/// the scheduler has stopped.
#[derive(Debug)]
pub struct Listener {
    stop: Arc<Notify>,
    thread: JoinHandle<()>,
}

impl Listener {
    pub(super) fn spawn(mut events: Subscription, mut callback: Callback) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("clockbox-listener".into()).spawn(move || {
            loop {
                let heard = runtime.block_on(async {
                    tokio::select! {
                        biased;
                        () = stopped.notified() => None,
                        heard = events.next() => heard,
                    }
                });
                match heard {
                    // Outside of async code, so that the callback may wait for an answer of the scheduler.
                    Some(heard) => callback(heard),
                    None => return,
                }
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends it, after the call that is under way; from within that call it does not wait for it.
    pub fn stop(self) {
        self.stop.notify_one();
        if self.thread.thread().id() != std::thread::current().id() {
            self.join();
        }
    }

    /// Waits until the scheduler has stopped and everything has been told.
    pub fn join(self) {
        // A callback that broke down has said so by itself.
        drop(self.thread.join());
    }
}
