//! Group commit: what many ask to be written goes to the store in few transactions.

mod backoff;
mod commit_times;
mod direct;
mod options;
mod queue;
mod work;

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use clockbox_core::model::{Refusal, Write};

pub use self::{
    commit_times::CommitFigures,
    options::{Trouble, WriterOptions},
};
use self::{
    commit_times::CommitTimes,
    direct::Direct,
    queue::{Answers, Done, End, Shared, Submission},
    work::Worker,
};
use crate::JobStore;

/// Why writes were not made: the writer has ended, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not written to the store: {reason}")]
pub struct NotWritten {
    /// Why the writer ended.
    pub reason: String,
}

/// What [`Writer::close`] left undone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{writes} writes did not reach the store: {reason}")]
pub struct CloseError {
    /// How many writes: those given up, and those of a commit that has not returned.
    pub writes: usize,
    /// Why.
    pub reason: String,
}

/// One thread that commits to a store whatever was submitted since its last commit, in the order of submission; or none,
/// where the store [commits at once](JobStore::commits_at_once): then each submission is committed by whoever submits it.
///
/// A passing failure ([`crate::StoreError::Transient`]) is told and the same batch tried again, with growing pauses;
/// any other ends the writer, and everyone whose writes were not made is told so. Dropping it flushes like
/// [`Writer::close`], but gives up at the first failure.
///
/// ```
/// use std::sync::{Arc, mpsc};
/// use clockbox_core::model::{JobId, Write};
/// use clockbox_store::{MemoryStore, Writer, WriterOptions};
///
/// let writer = Writer::spawn(Arc::new(MemoryStore::new()), WriterOptions::default())?;
/// let (tell, told) = mpsc::channel();
/// let write = Write::RemoveJob(JobId::new("report")?);
/// writer.submit(vec![write], move |answers| drop(tell.send(answers)));
/// assert_eq!(told.recv()?, Ok(vec![Ok(())]));
/// writer.close(std::time::Duration::from_secs(5))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer {
    way: Way,
    times: Arc<CommitTimes>,
}

enum Way {
    Queued { shared: Arc<Shared>, thread: Mutex<Option<JoinHandle<()>>> },
    Direct(Direct),
}

impl Writer {
    /// Starts the thread, where the store needs one.
    ///
    /// # Errors
    /// When the operating system has no thread to give.
    pub fn spawn(store: Arc<dyn JobStore>, options: WriterOptions) -> io::Result<Self> {
        let times = Arc::new(CommitTimes::default());
        if store.commits_at_once() {
            let way = Way::Direct(Direct::new(store, options, Arc::clone(&times)));
            return Ok(Self { way, times });
        }
        let shared = Arc::new(Shared::default());
        let worker = Worker::new(store, options, Arc::clone(&shared), Arc::clone(&times));
        let thread = thread::Builder::new().name("clockbox-writer".to_owned()).spawn(move || worker.run())?;
        Ok(Self { way: Way::Queued { shared, thread: Mutex::new(Some(thread)) }, times })
    }

    /// Hands over writes, to be applied in order and in one transaction, after all that was submitted before.
    ///
    /// Once they are durable, `done` gets one answer for each; or [`NotWritten`] when the writer has ended. It is called
    /// on the writer's thread, or on this one (where the store commits at once, or the writer has ended), so it should do
    /// no more than send a message.
    pub fn submit(
        &self,
        writes: Vec<Write>,
        done: impl FnOnce(Result<Vec<Result<(), Refusal>>, NotWritten>) + Send + 'static,
    ) {
        let done: Done = Box::new(done);
        match &self.way {
            Way::Direct(direct) => direct.submit(&writes, done),
            Way::Queued { shared, .. } => {
                if let Err((submission, ended)) = shared.push(Submission { writes, done }) {
                    (submission.done)(Err(ended));
                }
            }
        }
    }

    /// How many writes wait or are being committed: grows while the store fails, so that a caller can hold back.
    #[must_use]
    pub fn pending(&self) -> usize {
        match &self.way {
            Way::Direct(_) => 0,
            Way::Queued { shared, .. } => shared.pending(),
        }
    }

    /// Whether the latest commit failed and is to be tried again. No longer so when those are told whose writes it made.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        match &self.way {
            Way::Direct(_) => false,
            Way::Queued { shared, .. } => shared.is_failing(),
        }
    }

    /// Measures from here on how long commits take, by a clock that only goes forward. Until then nobody asks the time.
    pub fn measure(&self, stopwatch: fn() -> Duration) {
        self.times.measure(stopwatch);
    }

    /// What was committed since [`measure`](Self::measure), and how long it took.
    #[must_use]
    pub fn commit_figures(&self) -> CommitFigures {
        self.times.figures()
    }

    /// Commits what was submitted and ends the thread; gives up on a store that has not taken it all within `patience`.
    /// Those whose writes are given up are told so. A commit that is under way by then is left to itself: its callers
    /// are told how it ended, if it ever does.
    ///
    /// # Errors
    /// When not everything is known to be written.
    pub fn close(&self, patience: Duration) -> Result<(), CloseError> {
        let (shared, thread) = match &self.way {
            Way::Direct(direct) => {
                direct.close();
                return Ok(());
            }
            Way::Queued { shared, thread } => (shared, thread),
        };
        shared.close();
        match shared.await_end(patience) {
            Ok(End { reason, lost }) => {
                take(thread).into_iter().for_each(join);
                if lost == 0 { Ok(()) } else { Err(CloseError { writes: lost, reason }) }
            }
            Err((End { reason, lost }, left)) => {
                for submission in left {
                    (submission.done)(Err(NotWritten { reason: reason.clone() }));
                }
                // Not waited for: it may hang in a call of the store for ever.
                drop(take(thread));
                Err(CloseError { writes: lost, reason })
            }
        }
    }
}

fn take(thread: &Mutex<Option<JoinHandle<()>>>) -> Option<JoinHandle<()>> {
    thread.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn join(thread: JoinHandle<()>) {
    // A callback may own the writer: the thread cannot wait for itself.
    if thread.thread().id() != thread::current().id() && thread.join().is_err() {
        tracing::error!("the store's writer thread panicked");
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Way::Queued { shared, thread } = &self.way
            && let Some(thread) = take(thread)
        {
            shared.close();
            shared.give_up();
            join(thread);
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("pending", &self.pending()).finish_non_exhaustive()
    }
}
