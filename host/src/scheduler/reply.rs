//! An answer that can be awaited or waited for.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::oneshot;

use super::SchedulerError;

/// The answer of a scheduler: await it in async code, or [`wait`](Reply::wait) for it elsewhere. A change is durable
/// when its answer is there; dropping the answer does not take the change back.
#[derive(Debug)]
#[must_use = "a change may have been refused"]
pub struct Reply<T>(oneshot::Receiver<Result<T, SchedulerError>>);

impl<T: Send + 'static> Reply<T> {
    pub(crate) fn channel() -> (ReplyTo<T>, Self) {
        let (sender, receiver) = oneshot::channel();
        // An error means that the asker no longer waits.
        let answer = move |answer| drop(sender.send(answer));
        (ReplyTo(Box::new(answer)), Self(receiver))
    }

    /// Blocks this thread until the answer is there. Not to be called from async code.
    ///
    /// # Errors
    /// What the call itself says, or that the scheduler has stopped.
    pub fn wait(self) -> Result<T, SchedulerError> {
        self.0.blocking_recv().unwrap_or(Err(SchedulerError::Stopped))
    }
}

impl<T> Future for Reply<T> {
    type Output = Result<T, SchedulerError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(SchedulerError::Stopped)))
    }
}

/// The end that answers; dropping it says that the scheduler has stopped.
pub(crate) struct ReplyTo<T>(Box<dyn FnOnce(Result<T, SchedulerError>) + Send>);

impl<T: Send + 'static> ReplyTo<T> {
    pub(crate) fn answer(self, answer: Result<T, SchedulerError>) {
        (self.0)(answer);
    }

    /// One that takes another kind of answer and turns it into `to`'s.
    pub(crate) fn mapping<U: Send + 'static>(
        to: ReplyTo<U>,
        how: impl FnOnce(T) -> Result<U, SchedulerError> + Send + 'static,
    ) -> Self {
        Self(Box::new(move |answer| to.answer(answer.and_then(how))))
    }
}
