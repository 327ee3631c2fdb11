//! The driver: it owns the timetable. It never waits for a guest or for the disk.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use clockbox_core::{
    model::{Event, Pause, Refusal, Report, RunId, Timestamp, format_roughly},
    timetable::{Action, Completed, Input, Pipeline, Timetable},
};
use clockbox_store::Writer;
use tokio::time::Instant;

use super::{
    Inbox, Message, Reload, SchedulerError,
    events::Events,
    inbox::Rest,
    reply::ReplyTo,
    shutdown::{Ending, KILL_GRACE, Shutdown, Stage},
};
use crate::{
    clock::{Clock, monotonic},
    pool::Pool,
};

/// Messages taken in before the timetable is asked for its next wake again.
const AT_ONCE: usize = 256;
/// Writes that may be on their way to the store before new fires wait for it: a store that is slow or fails must not
/// fill the memory. What comes due meanwhile is decided later, by its policy.
const MOST_PENDING: usize = 50_000;
/// A commit that takes longer than this holds due fires back as well: perhaps the database is locked.
const STALLED: Duration = Duration::from_secs(1);
/// A clock that goes back by less is of no account.
const SET_BACK: Duration = Duration::from_secs(2);
pub(super) struct Driver {
    pub(super) timetable: Timetable,
    pub(super) clock: Clock,
    pub(super) pool: Pool,
    pub(super) writer: Arc<Writer>,
    pub(super) events: Events,
    pub(super) inbox: Inbox,
    /// Answers of the timetable on their way to the store.
    pub(super) pipeline: Pipeline<ReplyTo<Vec<RunId>>>,
    /// When what waits in the pipeline was submitted, oldest first.
    pub(super) submitted: VecDeque<Instant>,
    /// What ended runs ask for: sent on its way together, with whatever else is to be written.
    pub(super) gathered: Vec<Action>,
    /// What is about jobs that a success changes which is on its way to the store: taken in when that is settled.
    pub(super) put_off: Vec<Message>,
    /// The latest time that the clock has shown.
    pub(super) latest: Option<Timestamp>,
    /// When its own thread means to look again.
    pub(super) armed: Option<Timestamp>,
    /// Its own thread must look anew, whatever it waits for.
    pub(super) ring: bool,
    pub(super) shutdown: Option<Shutdown>,
    /// The end cannot be awaited: the store is beyond repair, or a guest beyond stopping.
    pub(super) lost: Option<String>,
}

impl Driver {
    /// The first thing that it does.
    pub(super) fn begin(&mut self, restored: Vec<Action>) {
        self.dispatch(restored, None);
        self.events.publish(self.clock.now(), Event::SchedulerStarted);
        if let Some(Pause { by, note, .. }) = self.timetable.paused().cloned() {
            // Whoever wonders why nothing fires is to find the reason.
            self.events.publish(self.clock.now(), Event::SchedulerPaused { by, note });
        }
        self.wake();
    }

    /// Takes in what waits, as far as one turn goes.
    pub(super) fn work_off(&mut self) -> Rest {
        let mut is_more = true;
        for _ in 0..AT_ONCE {
            match self.inbox.next() {
                Some(message) => self.take(message),
                None if self.gathered.is_empty() => {
                    is_more = false;
                    break;
                }
                None => self.dispatch(Vec::new(), None),
            }
        }
        // A steady stream of messages must hide neither the end of a shutdown's grace nor a fire.
        self.next_stage();
        if self.timetable.next_wake().is_some_and(|at| at <= self.clock.now()) {
            self.wake_if_it_may();
        }
        self.dispatch(Vec::new(), None);
        let wake = self.wake_at();
        let is_earlier = wake.is_some_and(|at| self.armed.is_none_or(|armed| at < armed));
        if is_more {
            Rest::More
        } else if std::mem::take(&mut self.ring) || is_earlier || self.is_done() {
            self.armed = wake;
            Rest::Ring
        } else {
            Rest::Sleep
        }
    }

    /// When it has to look again, if nothing else happens.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.timetable.next_wake().filter(|_| self.may_fire())
    }

    /// When the next stage of a shutdown begins.
    pub(super) fn next_stage_at(&self) -> Option<Instant> {
        self.shutdown.as_ref().map(Shutdown::next_at)
    }

    /// Whether due fires may be decided now. While the store fails or cannot keep up they wait, and their policy decides
    /// when it works again: a decision that cannot be recorded would block its job, and its next fires with it.
    fn may_fire(&self) -> bool {
        let oldest = self.submitted.front();
        let is_stalled = oldest.is_some_and(|since| monotonic().saturating_duration_since(*since) > STALLED);
        !is_stalled && !self.writer.is_failing() && self.writer.pending() < MOST_PENDING
    }

    /// Whether a message has to wait until a success is settled.
    fn must_wait(&self, message: &Message) -> bool {
        self.timetable.is_settling()
            && match message {
                Message::Tell { input, .. } => self.timetable.must_wait(input),
                Message::Finished { report, .. } => self.timetable.must_wait_for(report),
                // What it comes to depends on what is being settled.
                Message::Decide { .. } | Message::Reload(_) => true,
                _ => false,
            }
    }

    fn take(&mut self, message: Message) {
        match message {
            message if self.must_wait(&message) => self.put_off.push(message),
            Message::Tell { input, reply } => self.tell(input, Some(reply)),
            Message::Decide { decision, reply } => match decision(&self.timetable) {
                Ok(input) => self.tell(input, Some(reply)),
                Err(error) => reply.answer(Err(error)),
            },
            Message::Reload(reload) => {
                let Reload { plugins, change, event, reply } = *reload;
                let now = self.look_at_the_clock();
                self.pool.replace_plugins(plugins, now);
                self.timetable.hold(!self.may_fire());
                let mut actions = self.timetable.handle(now, Input::Apply(change)).unwrap_or_default();
                actions.push(Action::Publish(event));
                self.dispatch(actions, Some(reply));
            }
            Message::Ask(question) => question(&self.timetable),
            Message::Publish(event) => self.dispatch(vec![Action::Publish(event)], None),
            Message::Finished { run, attempt, report } => self.finished(run, attempt, report),
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

    /// An attempt ended. Where many end at about the same time, they are recorded in one batch.
    fn finished(&mut self, run: RunId, attempt: u32, report: Box<Report>) {
        self.pool.forget(run);
        let now = self.look_at_the_clock();
        self.timetable.hold(!self.may_fire());
        let actions = self.timetable.handle(now, Input::Finished { run, attempt, report });
        // What it says of the end of a run is never rejected.
        self.gathered.append(&mut actions.unwrap_or_default());
    }

    fn wake(&mut self) {
        self.tell(Input::Wake, None);
    }

    /// Decides what is due, unless the store has failed meanwhile.
    pub(super) fn wake_if_it_may(&mut self) {
        if self.may_fire() {
            self.wake();
        }
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
    fn dispatch(&mut self, mut actions: Vec<Action>, reply: Option<ReplyTo<Vec<RunId>>>) {
        if !self.gathered.is_empty() {
            // What was decided first goes first.
            self.gathered.append(&mut actions);
            actions = std::mem::take(&mut self.gathered);
        }
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
        self.submitted.push_back(monotonic());
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
        if !completed.events.is_empty() {
            self.events.publish_all(self.clock.now(), completed.events);
        }
        self.pool.launch(completed.launches);
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
        if !completed.settled.is_empty() {
            for (run, answer) in completed.settled {
                self.tell(Input::Settled { run, answer }, None);
            }
            for message in std::mem::take(&mut self.put_off) {
                self.take(message);
            }
        }
    }

    fn begin_shutdown(&mut self, grace: Duration, reply: ReplyTo<()>) {
        self.ring = true;
        let wanted = Shutdown::new(monotonic(), grace, reply);
        match &mut self.shutdown {
            Some(shutdown) => shutdown.hurry(wanted),
            None => {
                self.shutdown = Some(wanted);
                self.tell(Input::Drain, None);
            }
        }
    }

    /// Goes on with a shutdown where a part of its grace is over.
    pub(super) fn next_stage(&mut self) {
        let now = monotonic();
        let Some(shutdown) = self.shutdown.as_mut().filter(|shutdown| shutdown.next_at() <= now) else {
            return;
        };
        self.ring = true;
        match shutdown.advance(now) {
            Stage::Draining => {}
            Stage::Asked => {
                let why = "the scheduler stopped before the run had ended".to_owned();
                self.tell(Input::StopRunning { why }, None);
            }
            Stage::Killed => self.pool.kill_all(),
            // What was running is found interrupted at the next start.
            Stage::GivenUp => {
                self.lost = Some(format!(
                    "{} runs and {} batches of records were not done in time",
                    self.timetable.running(),
                    self.pipeline.len()
                ));
            }
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.lost.is_some()
            || self.shutdown.is_some() && self.timetable.running() == 0 && self.pipeline.is_empty()
    }

    pub(super) fn stop(mut self) -> Ending {
        if let Err(error) = self.writer.close(KILL_GRACE) {
            self.lost.get_or_insert(error.to_string());
        }
        if let Some(why) = &self.lost {
            tracing::error!("the scheduler could not end in order: {why}");
        }
        self.events.publish(self.clock.now(), Event::SchedulerStopped);
        let replies = self.shutdown.take().map(Shutdown::into_replies).unwrap_or_default();
        Ending::new(self.lost.take(), replies, self.inbox.clone())
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
