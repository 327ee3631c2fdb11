//! The way to stop a run: first by asking, then by force.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::sync::Notify;

const ASKED: u8 = 1;
const KILLED: u8 = 2;

/// Stops one run. Clones speak of the same run.
///
/// ```
/// use clockbox_sandbox::CancelToken;
/// let token = CancelToken::new();
/// token.clone().cancel();
/// assert!(token.is_cancelled() && !token.is_killed());
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stage: AtomicU8,
    killed: Notify,
}

impl CancelToken {
    /// A token that asks for nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the guest to stop: `context.is-cancelled` answers true from now on.
    pub fn cancel(&self) {
        self.0.stage.fetch_max(ASKED, Ordering::SeqCst);
    }

    /// Stops the guest: at its next epoch tick (10 ms), or at once when it waits in a call of the host. The run ends
    /// as `cancelled`.
    pub fn kill(&self) {
        self.0.stage.fetch_max(KILLED, Ordering::SeqCst);
        self.0.killed.notify_waiters();
    }

    /// Whether the guest has been asked to stop, or was stopped.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.stage.load(Ordering::SeqCst) >= ASKED
    }

    /// Whether the guest was stopped by force.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.0.stage.load(Ordering::SeqCst) >= KILLED
    }

    /// Ends when [`kill`](Self::kill) has been called.
    pub async fn killed(&self) {
        let mut notified = std::pin::pin!(self.0.killed.notified());
        // Registered before the look at the flag, so that a kill in between is not missed.
        notified.as_mut().enable();
        if !self.is_killed() {
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_kill_wakes_who_waits_and_is_not_missed_by_who_comes_later() {
        let token = CancelToken::new();
        let waiter = tokio::spawn({
            let token = token.clone();
            async move { token.killed().await }
        });
        tokio::task::yield_now().await;
        token.kill();
        waiter.await.unwrap();
        token.killed().await;
        assert!(token.is_cancelled());
    }

    #[test]
    fn a_cancel_after_a_kill_takes_nothing_back() {
        let token = CancelToken::new();
        token.kill();
        token.cancel();
        assert!(token.is_killed());
    }
}
