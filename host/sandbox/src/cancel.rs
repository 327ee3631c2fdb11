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
    changed: Notify,
}

impl CancelToken {
    /// A token that asks for nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the guest to stop: `context.is-cancelled` answers true from now on. A guest that goes on for longer than
    /// its `limits.cancel_grace` is stopped as by [`kill`](Self::kill).
    pub fn cancel(&self) {
        self.reach(ASKED);
    }

    /// Stops the guest: at its next epoch tick (10 ms), or at once when it waits in a call of the host. The run ends
    /// as `cancelled`.
    pub fn kill(&self) {
        self.reach(KILLED);
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

    /// Ends when [`cancel`](Self::cancel) or [`kill`](Self::kill) has been called.
    pub async fn cancelled(&self) {
        self.reached(ASKED).await;
    }

    /// Ends when [`kill`](Self::kill) has been called.
    pub async fn killed(&self) {
        self.reached(KILLED).await;
    }

    fn reach(&self, stage: u8) {
        self.0.stage.fetch_max(stage, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    async fn reached(&self, stage: u8) {
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            // Registered before the look at the stage, so that a change in between is not missed.
            changed.as_mut().enable();
            if self.0.stage.load(Ordering::SeqCst) >= stage {
                return;
            }
            changed.await;
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

    #[tokio::test]
    async fn who_waits_for_a_kill_is_not_woken_by_a_cancel() {
        let token = CancelToken::new();
        let killed = tokio::spawn({
            let token = token.clone();
            async move { token.killed().await }
        });
        tokio::task::yield_now().await;
        token.cancel();
        token.cancelled().await;
        tokio::task::yield_now().await;
        assert!(!killed.is_finished());
        token.kill();
        killed.await.unwrap();
    }

    #[test]
    fn a_cancel_after_a_kill_takes_nothing_back() {
        let token = CancelToken::new();
        token.kill();
        token.cancel();
        assert!(token.is_killed());
    }
}
