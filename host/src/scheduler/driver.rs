//! The driver: one task that owns the timetable. It never waits for a guest or for the disk.

use std::{sync::Arc, time::Duration};

use clockbox_core::{
    model::{Event, Pause, Refusal, Run, RunId, RunState},
    timetable::{Action, Completed, Input, Pipeline, Timetable},
};
use clockbox_store::Writer;
use tokio::{sync::mpsc, time::Instant};

use super::{Inbox, Message, SchedulerError, events::Events, reply::ReplyTo};
use crate::{clock::Clock, pool::Pool};

/// Messages taken in before the timetable is asked for its next wake again.
const AT_ONCE: usize = 256;
/// A grace beyond what the clock can tell.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
/// Writes that may be on their way to the store before new fires wait for it: a store that is slow or fails must not
/// fill the memory. What comes due meanwhile is decided later, by its policy.
const MOST_PENDING: usize = 50_000;
/// How long after the grace of a shutdown a killed guest may take to be gone.
const KILL_GRACE: Duration = Duration::from_secs(5);

pub(super) struct Driver {
    pub(super) timetable: Timetable,
    pub(super) clock: Clock,
    pub(super) pool: Pool,
    pub(super) writer: Arc<Writer>,
    pub(super) events: Events,
    pub(super) inbox: Inbox,
    pub(super) messages: mpsc::UnboundedReceiver<Message>,
    /// Answers of the timetable on their way to the store.
    pub(super) pipeline: Pipeline<ReplyTo<Vec<RunId>>>,
    pub(super) shutdown: Option<Shutdown>,
    /// The end cannot be awaited: the store is beyond repair, or a guest beyond stopping.
    pub(super) lost: Option<String>,
}

/// How a driver ended, to be told to whoever asked for the end.
pub(super) struct Ending {
    lost: Option<String>,
    replies: Vec<ReplyTo<()>>,
}

impl Ending {
    pub(super) fn tell(self) {
        for reply in self.replies {
            reply.answer(match &self.lost {
                None => Ok(()),
                Some(why) => Err(SchedulerError::Lost(why.clone())),
            });
        }
    }
}

/// A shutdown under way.
pub(super) struct Shutdown {
    /// What still runs then is cancelled.
    cancel_at: Instant,
    cancelled: bool,
    replies: Vec<ReplyTo<()>>,
}

impl Driver {
    /// Goes on until a shutdown is complete, or the store is lost.
    pub(super) async fn run(mut self, restored: Vec<Action>) -> Ending {
        self.dispatch(restored, None);
        self.events.publish(self.clock.now(), Event::SchedulerStarted);
        if let Some(Pause { by, note, .. }) = self.timetable.paused().cloned() {
            // Whoever wonders why nothing fires is to find the reason.
            self.events.publish(self.clock.now(), Event::SchedulerPaused { by, note });
        }
        self.wake();
        while !self.is_done() {
            let wake = self.timetable.next_wake().filter(|_| self.writer.pending() < MOST_PENDING);
            let clock = self.clock.clone();
            let due = async move {
                match wake {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let cancel_at = self.shutdown.as_ref().map(|shutdown| shutdown.cancel_at);
            let grace_over = async move {
                match cancel_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                message = self.messages.recv() => {
                    let Some(message) = message else { break };
                    self.take(message);
                    for _ in 0..AT_ONCE {
                        let Ok(message) = self.messages.try_recv() else { break };
                        self.take(message);
                    }
                    // A steady stream of messages must not hide a fire.
                    let is_due = self.timetable.next_wake().is_some_and(|at| at <= self.clock.now());
                    if is_due && self.writer.pending() < MOST_PENDING {
                        self.wake();
                    }
                }
                () = grace_over => self.end_grace(),
                () = due => self.wake(),
            }
        }
        self.stop()
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Tell { input, reply } => self.tell(input, Some(reply)),
            Message::Reload { plugins, change, event, reply } => {
                self.pool.replace_plugins(plugins);
                let mut actions =
                    self.timetable.handle(self.clock.now(), Input::Apply(change)).unwrap_or_default();
                actions.push(Action::Publish(event));
                self.dispatch(actions, Some(reply));
            }
            Message::Ask(question) => question(&self.timetable),
            Message::Publish(event) => self.dispatch(vec![Action::Publish(event)], None),
            Message::Finished { run, attempt, report } => {
                self.tell(Input::Finished { run, attempt, report }, None)
            }
            Message::Durable(answers) => self.durable(&answers),
            Message::StoreLost(why) => {
                tracing::error!(
                    "the store is lost and nothing can be recorded, so the scheduler stops: {why}"
                );
                self.pool.kill_all();
                self.lost = Some(why);
            }
            Message::Shutdown { grace, reply } => self.begin_shutdown(grace, reply),
        }
    }

    fn wake(&mut self) {
        self.tell(Input::Wake, None);
    }

    fn tell(&mut self, input: Input, reply: Option<ReplyTo<Vec<RunId>>>) {
        match self.timetable.handle(self.clock.now(), input) {
            Ok(actions) => self.dispatch(actions, reply),
            Err(rejection) => {
                if let Some(reply) = reply {
                    reply.answer(Err(rejection.into()));
                }
            }
        }
    }

    /// Sends an answer of the timetable on its way: writes first, the rest when they are durable.
    fn dispatch(&mut self, actions: Vec<Action>, reply: Option<ReplyTo<Vec<RunId>>>) {
        if actions.is_empty() && reply.is_none() {
            return;
        }
        let taken = self.pipeline.take(actions, reply);
        for run in taken.cancels {
            self.pool.cancel(run);
        }
        if let Some(completed) = taken.completed {
            self.complete(completed);
        }
        let Some(writes) = taken.writes else { return };
        let inbox = self.inbox.clone();
        self.writer.submit(writes, move |answers| {
            inbox.send(match answers {
                Ok(answers) => Message::Durable(answers),
                Err(error) => Message::StoreLost(error.to_string()),
            });
        });
    }

    fn durable(&mut self, answers: &[Result<(), Refusal>]) {
        if let Some(completed) = self.pipeline.durable(answers) {
            self.complete(completed);
        }
    }

    fn complete(&mut self, completed: Completed<ReplyTo<Vec<RunId>>>) {
        // Told first: what a guest reports of its progress must not be heard before its start.
        let now = self.clock.now();
        for event in completed.events {
            self.events.publish(now, event);
        }
        for launch in completed.launches {
            self.pool.launch(launch);
        }
        if let Some(reply) = completed.reply {
            let answer =
                if completed.all_refused { Err(SchedulerError::Refused) } else { Ok(completed.recorded) };
            reply.answer(answer);
        }
        for run in completed.refused {
            self.tell(Input::Refused(run), None);
        }
    }

    fn begin_shutdown(&mut self, grace: Duration, reply: ReplyTo<()>) {
        let now = crate::clock::monotonic();
        let cancel_at = now.checked_add(grace).unwrap_or_else(|| now + FAR);
        match &mut self.shutdown {
            // A second request may only shorten the grace.
            Some(shutdown) => {
                shutdown.cancel_at = shutdown.cancel_at.min(cancel_at);
                shutdown.replies.push(reply);
            }
            None => {
                self.shutdown = Some(Shutdown { cancel_at, cancelled: false, replies: vec![reply] });
                self.tell(Input::Drain, None);
            }
        }
    }

    /// The grace of a shutdown is over.
    fn end_grace(&mut self) {
        let Some(shutdown) = &mut self.shutdown else { return };
        if shutdown.cancelled {
            // What was running is found interrupted at the next start.
            self.lost = Some(format!(
                "{} runs and {} batches of records were not done in time",
                self.timetable.running(),
                self.pipeline.len()
            ));
            return;
        }
        shutdown.cancelled = true;
        shutdown.cancel_at = crate::clock::monotonic() + KILL_GRACE;
        let is_running = |run: &&Run| run.state == RunState::Running;
        let running: Vec<RunId> = self.timetable.active_runs().filter(is_running).map(|run| run.id).collect();
        for run in running {
            let why = "the scheduler stopped before the run had ended".to_owned();
            self.tell(Input::CancelRun { run, why }, None);
        }
        self.pool.kill_all();
    }

    fn is_done(&self) -> bool {
        self.lost.is_some()
            || self.shutdown.is_some() && self.timetable.running() == 0 && self.pipeline.is_empty()
    }

    fn stop(mut self) -> Ending {
        if let Err(error) = self.writer.close(KILL_GRACE) {
            self.lost.get_or_insert(error.to_string());
        }
        if let Some(why) = &self.lost {
            tracing::error!("the scheduler could not end in order: {why}");
        }
        self.events.publish(self.clock.now(), Event::SchedulerStopped);
        let replies = self.shutdown.take().map(|shutdown| shutdown.replies).unwrap_or_default();
        Ending { lost: self.lost.take(), replies }
    }
}
