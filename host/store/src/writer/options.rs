//! How a writer works, and what it tells of its store's troubles.

use std::{fmt, time::Duration};

use crate::StoreError;

/// What a writer tells about its store, on its thread: the receiver should do no more than send a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// A commit failed and will be tried again; what was submitted waits.
    Failing {
        /// Why.
        error: StoreError,
        /// How often it has failed in a row.
        failures: u32,
        /// After which pause it is tried again.
        retry_in: Duration,
    },
    /// A commit that had failed succeeded.
    Recovered {
        /// How often it had failed in a row.
        failures: u32,
    },
    /// The writer ended without writing everything; everyone concerned was told so.
    Ended {
        /// Why.
        reason: String,
        /// How many writes were not made.
        writes: usize,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failing { error, failures, retry_in } => {
                write!(
                    f,
                    "the store does not take what happened ({failures} times by now): {error}; trying again in {retry_in:?}"
                )
            }
            Self::Recovered { failures } => write!(f, "the store works again, after {failures} failures"),
            Self::Ended { reason, writes } => {
                write!(f, "the store's writer ended, {writes} writes were not made: {reason}")
            }
        }
    }
}

/// How a [`crate::Writer`] works. The default gathers up to 1,000 writes in a commit and tells its troubles to
/// `tracing`.
pub struct WriterOptions {
    /// The most writes in one commit (those of one submission stay together, however many).
    pub batch: usize,
    /// Is told of the store's troubles.
    pub on_trouble: Box<dyn FnMut(Trouble) + Send>,
    /// Waits before a commit is tried again, in place of the writer's own pause, which ends early when the writer is to
    /// give up: so that tests need not wait.
    pub pause: Option<Box<dyn FnMut(Duration) + Send>>,
}

impl Default for WriterOptions {
    fn default() -> Self {
        let log = |trouble: Trouble| match &trouble {
            Trouble::Recovered { .. } => tracing::info!("{trouble}"),
            Trouble::Failing { .. } => tracing::warn!("{trouble}"),
            Trouble::Ended { .. } => tracing::error!("{trouble}"),
        };
        Self { batch: 1000, on_trouble: Box::new(log), pause: None }
    }
}

impl fmt::Debug for WriterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterOptions").field("batch", &self.batch).finish_non_exhaustive()
    }
}
