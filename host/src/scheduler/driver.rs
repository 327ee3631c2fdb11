//! The driver: one task that owns the timetable. It never waits for a guest or for the disk.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use clockbox_core::{
    model::{Event, Pause, Refusal, Run, RunId, RunState, Timestamp, format_roughly},
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
/// A commit that takes longer than this holds due fires back as well: perhaps the database is locked.
const STALLED: Duration = Duration::from_secs(1);
/// A clock that goes back by less is of no account.
const SET_BACK: Duration = Duration::from_secs(2);
/// How long before the end of a shutdown's grace runs are asked to stop, at most half of it: they may end by themselves.
const ASK_BEFORE: Duration = Duration::from_secs(5);
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
    /// When what waits in the pipeline was submitted, oldest first.
    pub(super) submitted: VecDeque<Instant>,
    /// The latest time that the clock has shown.
    pub(super) latest: Option<Timestamp>,
    pub(super) shutdown: Option<Shutdown>,
    /// The end cannot be awaited: the store is beyond repair, or a guest beyond stopping.
    pub(super) lost: Option<String>,
}

/// How a driver ended, to be told to whoever asked for the end.
pub(super) struct Ending {
    lost: Option<String>,
    replies: Vec<ReplyTo<()>>,
    /// What came too late to be taken.
    late: mpsc::UnboundedReceiver<Message>,
}

impl Ending {
    /// What whoever asked for the end is answered.
    pub(super) fn answer(&self) -> Result<(), SchedulerError> {
        self.lost.clone().map_or(Ok(()), |why| Err(SchedulerError::Lost(why)))
    }

    /// Answers everyone who asked for the end, the late ones too; other late messages are dropped, which answers them.
    pub(super) fn tell(mut self) {
        self.late.close();
        while let Ok(message) = self.late.try_recv() {
            if let Message::Shutdown { reply, .. } = message {
                self.replies.push(reply);
            }
        }
        for reply in std::mem::take(&mut self.replies) {
            reply.answer(self.answer());
        }
    }
}

/// A shutdown under way.
pub(super) struct Shutdown {
    /// What still runs then is asked to stop.
    ask_at: Instant,
    /// What still runs then is stopped.
    kill_at: Instant,
    stage: Stage,
    replies: Vec<ReplyTo<()>>,
}

/// How far a shutdown has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Runs get time to end.
    Draining,
    /// They were asked to stop.
    Asked,
    /// They were stopped.
    Killed,
}

impl Shutdown {
    /// When its next stage begins.
    fn next_at(&self) -> Instant {
        match self.stage {
            Stage::Draining => self.ask_at,
            Stage::Asked => self.kill_at,
            Stage::Killed => self.kill_at + KILL_GRACE,
        }
    }
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
            let wake = self.timetable.next_wake().filter(|_| self.may_fire());
            let clock = self.clock.clone();
            let due = async move {
                match wake {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let next_stage = self.shutdown.as_ref().map(Shutdown::next_at);
            let grace_over = async move {
                match next_stage {
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
                    // A steady stream of messages must hide neither the end of a shutdown's grace nor a fire.
                    if next_stage.is_some_and(|at| at <= crate::clock::monotonic()) {
                        self.next_stage();
                    }
                    let is_due = self.timetable.next_wake().is_some_and(|at| at <= self.clock.now());
                    if is_due && self.may_fire() {
                        self.wake();
                    }
                }
                () = grace_over => self.next_stage(),
                () = due => {
                    // The store may have failed since this wait began.
                    if self.may_fire() {
                        self.wake();
                    }
                }
            }
        }
        self.stop()
    }

    /// Whether due fires may be decided now. While the store fails or cannot keep up they wait, and their policy decides
    /// when it works again: a decision that cannot be recorded would block its job, and its next fires with it.
    fn may_fire(&self) -> bool {
        let oldest = self.submitted.front();
        let is_stalled =
            oldest.is_some_and(|since| crate::clock::monotonic().saturating_duration_since(*since) > STALLED);
        !is_stalled && !self.writer.is_failing() && self.writer.pending() < MOST_PENDING
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Tell { input, reply } => self.tell(input, Some(reply)),
            Message::Reload { plugins, change, event, reply } => {
                self.pool.replace_plugins(plugins);
                let now = self.look_at_the_clock();
                self.timetable.hold(!self.may_fire());
                let mut actions = self.timetable.handle(now, Input::Apply(change)).unwrap_or_default();
                actions.push(Action::Publish(event));
                self.dispatch(actions, Some(reply));
            }
            Message::Ask(question) => question(&self.timetable),
            Message::Publish(event) => self.dispatch(vec![Action::Publish(event)], None),
            Message::Finished { run, attempt, report } => {
                self.pool.forget(run);
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
        let now = self.look_at_the_clock();
        self.timetable.hold(!self.may_fire());
        match self.timetable.handle(now, input) {
            Ok(actions) => self.dispatch(actions, reply),
            Err(rejection) => {
                if let Some(reply) = reply {
                    reply.answer(Err(rejection.into()));
                }
            }
        }
    }

    /// The time now; a clock that was set back is told, as fires wait for it or are worked out anew.
    fn look_at_the_clock(&mut self) -> Timestamp {
        let now = self.clock.now();
        if let Some(back) =
            self.latest.and_then(|latest| (latest - now).to_std().ok()).filter(|back| *back >= SET_BACK)
        {
            tracing::warn!(
                "the clock went back by {}: up to 3 hours are waited for, so that nothing fires twice; after more, next \
                 fires are worked out anew",
                format_roughly(back)
            );
            self.latest = Some(now);
        }
        self.latest = self.latest.max(Some(now));
        now
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
        self.submitted.push_back(crate::clock::monotonic());
        let inbox = self.inbox.clone();
        self.writer.submit(writes, move |answers| {
            inbox.send(match answers {
                Ok(answers) => Message::Durable(answers),
                Err(error) => Message::StoreLost(error.to_string()),
            });
        });
    }

    fn durable(&mut self, answers: &[Result<(), Refusal>]) {
        self.submitted.pop_front();
        if let Some(completed) = self.pipeline.durable(answers) {
            self.complete(completed);
        }
        self.end_hold();
    }

    /// What was held back while the store did not keep up goes on.
    fn end_hold(&mut self) {
        if self.timetable.is_held() && self.may_fire() {
            self.wake();
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
            tracing::warn!(%run, "not run: there is a record of its job at its time already, from another host or a clock that was wrong");
            self.pool.forget(run);
            self.tell(Input::Refused(run), None);
        }
    }

    fn begin_shutdown(&mut self, grace: Duration, reply: ReplyTo<()>) {
        let now = crate::clock::monotonic();
        let grace = grace.min(FAR);
        let kill_at = now + grace;
        let ask_at = kill_at - ASK_BEFORE.min(grace / 2);
        match &mut self.shutdown {
            // A second request may only shorten the grace.
            Some(shutdown) => {
                shutdown.ask_at = shutdown.ask_at.min(ask_at);
                shutdown.kill_at = shutdown.kill_at.min(kill_at);
                shutdown.replies.push(reply);
            }
            None => {
                let replies = vec![reply];
                self.shutdown = Some(Shutdown { ask_at, kill_at, stage: Stage::Draining, replies });
                self.tell(Input::Drain, None);
            }
        }
    }

    /// A part of a shutdown's grace is over.
    fn next_stage(&mut self) {
        let Some(shutdown) = &mut self.shutdown else { return };
        match shutdown.stage {
            Stage::Draining => {
                shutdown.stage = Stage::Asked;
                let is_running = |run: &&Run| run.state == RunState::Running;
                let running: Vec<RunId> =
                    self.timetable.active_runs().filter(is_running).map(|run| run.id).collect();
                for run in running {
                    let why = "the scheduler stopped before the run had ended".to_owned();
                    self.tell(Input::CancelRun { run, why }, None);
                }
            }
            Stage::Asked => {
                shutdown.stage = Stage::Killed;
                // From here on the clock runs for the killed, whenever the grace was to end.
                shutdown.kill_at = crate::clock::monotonic();
                self.pool.kill_all();
            }
            // What was running is found interrupted at the next start.
            Stage::Killed => {
                self.lost = Some(format!(
                    "{} runs and {} batches of records were not done in time",
                    self.timetable.running(),
                    self.pipeline.len()
                ));
            }
        }
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
        let late = std::mem::replace(&mut self.messages, mpsc::unbounded_channel().1);
        Ending { lost: self.lost.take(), replies, late }
    }
}

impl Drop for Driver {
    /// Also after a panic: whoever listens is not to wait for ever.
    fn drop(&mut self) {
        self.events.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::scheduler::Scheduler;

    /// A question that asks itself again: the driver never finds its inbox empty.
    fn ask_for_ever(inbox: &Inbox) -> bool {
        let again = inbox.clone();
        inbox.send(Message::Ask(Box::new(move |_| _ = ask_for_ever(&again))))
    }

    #[test]
    fn a_steady_stream_of_messages_does_not_prolong_the_grace_of_a_shutdown() {
        let stubborn = |_, _| std::future::pending();
        let name = || "stubborn".parse().unwrap();
        let scheduler = Scheduler::builder().native(name(), stubborn).start().unwrap();
        let job = clockbox_core::model::Job {
            id: "a".parse().unwrap(),
            plugin: name(),
            pool: clockbox_core::model::PoolName::default_pool(),
            trigger: clockbox_core::trigger::Trigger::new(Default::default(), chrono_tz::UTC).unwrap(),
            args: "null".into(),
            policy: Default::default(),
            source: clockbox_core::model::Source::Api,
        };
        scheduler.add_job(job).wait().unwrap();
        assert!(ask_for_ever(scheduler.inbox()));
        let (ended, end) = channel();
        let stopping = scheduler.shutdown(Duration::ZERO);
        std::thread::spawn(move || ended.send(stopping.wait()));
        // Only a driver that goes on answering for ever takes so long.
        end.recv_timeout(Duration::from_secs(60)).expect("the grace never ends").unwrap();
    }
}
