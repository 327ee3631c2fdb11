//! A scheduler that somebody stays with until it has stopped.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use super::{Scheduler, SchedulerError};

/// How long runs may take to end, unless something else is said.
pub(super) const GRACE: Duration = Duration::from_secs(30);

/// The wait for the end.
type Ended = Pin<Box<dyn Future<Output = Result<(), SchedulerError>> + Send>>;

/// Ends when its scheduler has stopped; dropped before that, it stops it gently. See [`Scheduler::serve`].
#[must_use = "the scheduler is stopped when this is dropped"]
pub struct Serving {
    scheduler: Scheduler,
    grace: Duration,
    is_stopped_by_ctrl_c: bool,
    end: Option<Ended>,
}

impl Serving {
    pub(super) fn new(scheduler: Scheduler, grace: Duration) -> Self {
        Self { scheduler, grace, is_stopped_by_ctrl_c: false, end: None }
    }

    /// How long runs may take to end when this stops the scheduler; what the builder says if nothing is
    /// said here.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Stops the scheduler at Ctrl-C (SIGINT) too, and at SIGTERM on unix. A second one takes the rest of the grace from
    /// what still runs. From the first poll on these signals do not end the program by themselves any more.
    pub fn stop_on_ctrl_c(mut self) -> Self {
        self.is_stopped_by_ctrl_c = true;
        self
    }

    /// Blocks this thread until the scheduler has stopped. Not to be called from async code.
    ///
    /// # Errors
    /// As when it is awaited; or that there is no thread left for this.
    pub fn wait(self) -> Result<(), SchedulerError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| SchedulerError::Signals(error.to_string()))?;
        runtime.block_on(self)
    }
}

impl Future for Serving {
    /// `Ok` when the scheduler was asked to stop and recorded everything.
    type Output = Result<(), SchedulerError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let end = this.end.get_or_insert_with(|| {
            let (scheduler, grace) = (this.scheduler.clone(), this.grace);
            match this.is_stopped_by_ctrl_c {
                true => Box::pin(until_ctrl_c(scheduler, grace)),
                false => Box::pin(async move { scheduler.ended().await }),
            }
        });
        end.as_mut().poll(context)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !self.scheduler.is_stopped() {
            // Nobody waits for it any more; it is done all the same.
            drop(self.scheduler.shutdown(self.grace));
        }
    }
}

async fn until_ctrl_c(scheduler: Scheduler, grace: Duration) -> Result<(), SchedulerError> {
    let refused = |error: std::io::Error| SchedulerError::Signals(error.to_string());
    let mut signals = Signals::new().map_err(refused)?;
    let mut left = grace;
    loop {
        tokio::select! {
            biased;
            ended = scheduler.ended() => return ended,
            () = signals.next() => {
                drop(scheduler.shutdown(left));
                left = Duration::ZERO;
            }
        }
    }
}

/// What asks a program to end.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(windows)]
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        self.interrupt.recv().await;
    }
}
