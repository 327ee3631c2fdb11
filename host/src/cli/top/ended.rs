//! What ended, or never became a run.

use clockbox_core::model::{Event, Timestamp};

use crate::control::view::RunView;

/// A run that is over, or a fire that became none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) run: String,
    pub(super) job: String,
    pub(super) at: Timestamp,
    /// The outcome, or `missed` or `skipped`.
    pub(super) how: String,
    pub(super) took_ms: Option<u64>,
    pub(super) reason: Option<String>,
}

/// How an end is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    /// It was wanted so: by a policy, or by somebody.
    Meant,
    Bad,
}

impl Ended {
    /// As it is on record; `None` of a run that is not over.
    pub(super) fn of_record(run: RunView) -> Option<Self> {
        let how = match run.state.as_str() {
            "finished" => run.outcome?,
            "missed" | "skipped" => run.state,
            _ => return None,
        };
        // When a run was interrupted, only the next host's start is known; the pauses between attempts are no work.
        let took = (how != "interrupted" && run.attempt == 1)
            .then(|| Some(run.finished_at? - run.started_at?))
            .flatten()
            .and_then(|took| u64::try_from(took.num_milliseconds()).ok());
        let at = run.finished_at.unwrap_or(run.recorded_at);
        Some(Self { run: run.id, job: run.job, at, how, took_ms: took, reason: run.reason })
    }

    /// As it is told; `None` where nothing has ended.
    pub(super) fn of_event(at: Timestamp, event: Event) -> Option<Self> {
        let (job, run, how, took_ms, reason) = match event {
            Event::RunFinished { job, run, outcome, reason, elapsed_ms, attempt, .. } => {
                let took = elapsed_ms.filter(|_| attempt == 1);
                (job, run, outcome.to_string(), took, reason)
            }
            Event::Missed { job, run, reason, .. } => (job, run, "missed".to_owned(), None, Some(reason)),
            Event::Skipped { job, run, reason, .. } => (job, run, "skipped".to_owned(), None, Some(reason)),
            _ => return None,
        };
        Some(Self { run: run.to_string(), job: job.to_string(), at, how, took_ms, reason })
    }

    pub(super) fn mood(&self) -> Mood {
        match self.how.as_str() {
            "succeeded" => Mood::Good,
            "cancelled" | "skipped" => Mood::Meant,
            _ => Mood::Bad,
        }
    }
}
