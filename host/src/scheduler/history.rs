//! Old runs are forgotten, in the background and a few at a time.

use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use clockbox_core::model::{History, Timestamp};
use clockbox_store::JobStore;

use crate::clock::Clock;

/// How often old runs are looked for.
const EVERY: Duration = Duration::from_secs(60);
/// Runs deleted in one transaction, so that fires never wait long for the store.
const AT_ONCE: u32 = 500;

/// The thread that prunes.
pub(super) struct Pruner {
    alive: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Pruner {
    /// Ends the thread, after the transaction that is under way.
    fn drop(&mut self) {
        drop(self.alive.take());
        // A panic of it has been told by itself.
        _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Prunes until what it returns is dropped.
pub(super) fn spawn(store: Arc<dyn JobStore>, clock: Clock, history: History) -> std::io::Result<Pruner> {
    let (alive, stopped) = mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name("clockbox-history".into()).spawn(move || {
        while stopped.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
            prune(&*store, clock.now(), history, &stopped);
        }
    })?;
    Ok(Pruner { alive: Some(alive), thread: Some(thread) })
}

fn prune(store: &dyn JobStore, now: Timestamp, history: History, stopped: &mpsc::Receiver<()>) {
    let keep = chrono::TimeDelta::from_std(history.keep).unwrap_or(chrono::TimeDelta::MAX);
    let before = now.checked_sub_signed(keep).unwrap_or(Timestamp::MIN_UTC);
    loop {
        match store.prune(before, history.keep_per_job, AT_ONCE) {
            Ok(deleted) if deleted == AT_ONCE && stopped.try_recv() == Err(mpsc::TryRecvError::Empty) => {}
            Ok(_) => return,
            Err(error) => {
                tracing::warn!("old runs could not be deleted, the next try is in a minute: {error}");
                return;
            }
        }
    }
}
