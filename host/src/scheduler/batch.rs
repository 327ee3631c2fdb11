//! What waits for a commit.

use std::collections::HashSet;

use clockbox_core::{
    model::{Event, RunId, Write},
    timetable::{Action, Launch},
};

use super::{SchedulerError, reply::ReplyTo};

/// One answer of the timetable, sorted by when its parts may happen.
#[derive(Default)]
pub(super) struct Batch {
    /// When it was sent on its way to the store, where it was.
    pub(super) submitted_at: Option<tokio::time::Instant>,
    /// To be made durable first.
    pub(super) writes: Vec<Write>,
    /// At once.
    pub(super) cancels: Vec<RunId>,
    /// Once the writes are durable.
    pub(super) launches: Vec<Launch>,
    /// Then told.
    pub(super) events: Vec<Event>,
    /// Then answered.
    pub(super) reply: Option<ReplyTo<Vec<RunId>>>,
    /// Runs that the batch records for the first time.
    pub(super) recorded: Vec<RunId>,
}

impl Batch {
    pub(super) fn new(actions: Vec<Action>) -> Self {
        let mut batch = Self::default();
        for action in actions {
            match action {
                Action::Write(write) => {
                    if let Write::Fire { run, .. } = &write {
                        batch.recorded.push(run.id);
                    }
                    batch.writes.push(write);
                }
                Action::Launch(launch) => batch.launches.push(launch),
                Action::Cancel(run) => batch.cancels.push(run),
                Action::Publish(event) => batch.events.push(event),
            }
        }
        batch
    }

    /// Drops what depends on records that the store refused.
    pub(super) fn without(&mut self, refused: &[RunId]) {
        if refused.is_empty() {
            return;
        }
        let refused: HashSet<RunId> = refused.iter().copied().collect();
        self.launches.retain(|launch| !refused.contains(&launch.run.id));
        self.events.retain(|event| run_of(event).is_none_or(|run| !refused.contains(&run)));
        self.recorded.retain(|run| !refused.contains(run));
    }

    pub(super) fn answer(&mut self, all_refused: bool) {
        if let Some(reply) = self.reply.take() {
            let answer = if all_refused {
                Err(SchedulerError::Refused)
            } else {
                Ok(std::mem::take(&mut self.recorded))
            };

            reply.answer(answer);
        }
    }
}

fn run_of(event: &Event) -> Option<RunId> {
    match event {
        Event::Missed { run, .. }
        | Event::Skipped { run, .. }
        | Event::RunWaiting { run, .. }
        | Event::RunStarted { run, .. }
        | Event::RunFinished { run, .. }
        | Event::RunRetrying { run, .. } => Some(*run),
        _ => None,
    }
}
