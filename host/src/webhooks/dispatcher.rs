//! Hears what happens, and decides who is told.

use std::{collections::BTreeMap, time::Duration};

use clockbox_core::model::{Event, Outcome, Run, RunState, WebhookName};
use clockbox_store::RunFilter;
use tokio::{
    sync::{mpsc::UnboundedReceiver, oneshot, watch},
    task::JoinSet,
};

use super::{
    Settings, State, States,
    health::{Health, is_failure},
    lane::Lane,
    message::Message,
};
use crate::{
    manifest::{Occasion, WebhookSettings},
    scheduler::{Happening, Scheduler, Subscription},
};

/// What the thread is told to do.
#[derive(Debug)]
pub(super) enum Command {
    Set(Settings),
    Tell(oneshot::Sender<States>),
    Stop(Duration),
}

/// The name of this machine.
pub(super) fn host_name() -> String {
    hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|_| "localhost".to_owned())
}

pub(super) struct Dispatcher {
    scheduler: Scheduler,
    /// Nothing is listened to while nobody is to be told.
    events: Option<Subscription>,
    settings: Settings,
    lanes: BTreeMap<WebhookName, Lane>,
    tasks: JoinSet<()>,
    closing: watch::Sender<bool>,
    health: Health,
    host: String,
    start: String,
}

impl Dispatcher {
    pub(super) fn new(scheduler: Scheduler, events: Subscription, settings: Settings) -> Self {
        // Numbers of events begin anew with each start.
        let start = format!("{:x}.{:x}", scheduler.clock().now().timestamp_micros(), std::process::id());
        Self {
            scheduler,
            events: (!settings.is_empty()).then_some(events),
            settings,
            lanes: BTreeMap::new(),
            tasks: JoinSet::new(),
            closing: watch::channel(false).0,
            health: Health::default(),
            host: host_name(),
            start,
        }
    }

    /// Goes on until it is told to stop, or nobody is left who could.
    pub(super) async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        let settings = std::mem::take(&mut self.settings);
        self.set(settings);
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(Command::Set(settings)) => self.set(settings),
                    Some(Command::Tell(reply)) => {
                        let state = |lane: &Lane| State { settings: lane.settings(), counts: lane.counts() };
                        let states = self.lanes.iter().map(|(name, lane)| (name.clone(), state(lane)));
                        // Whoever asked may not wait any more.
                        _ = reply.send(states.collect());
                    }
                    Some(Command::Stop(patience)) => return self.stop(patience).await,
                    None => return,
                },
                heard = next(&mut self.events) => self.hear(heard),
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => told(done),
            }
        }
    }

    fn set(&mut self, settings: Settings) {
        if settings.is_empty() {
            self.events = None;
        } else if self.events.is_none() {
            self.health.forget_all();
            self.events = Some(self.scheduler.subscribe());
        }
        let (stay, gone): (BTreeMap<_, _>, _) =
            std::mem::take(&mut self.lanes).into_iter().partition(|(name, _)| settings.contains_key(name));
        gone.into_values().for_each(Lane::remove);
        self.lanes = stay;
        for (name, settings) in settings {
            match self.lanes.get(&name) {
                Some(lane) if *lane.settings() == settings => {}
                Some(lane) => lane.set(settings),
                None => {
                    let (clock, closing) = (self.scheduler.clock().clone(), self.closing.subscribe());
                    let lane = Lane::new(name.clone(), settings, clock, closing, &mut self.tasks);
                    self.lanes.insert(name, lane);
                }
            }
        }
    }

    fn hear(&mut self, heard: Option<Result<Happening, u64>>) {
        match heard {
            Some(Ok(happening)) => self.tell(&happening),
            Some(Err(lost)) => {
                self.health.forget_all();
                tracing::warn!("events were too many for the webhooks, which are not told of them: {lost}");
            }
            // The scheduler has stopped.
            None => self.events = None,
        }
    }

    /// Tells everybody who wants to hear of it.
    fn tell(&mut self, happening: &Happening) {
        let event = &happening.event;
        if let Event::JobRemoved { job } = event {
            self.health.forget(job);
        }
        let mut run = Looked::default();
        let is_recovery = self.is_recovery(event, &mut run);
        let wanted: Vec<(WebhookName, Occasion)> = self
            .lanes
            .iter()
            .filter_map(|(name, lane)| Some((name.clone(), wants(&lane.settings(), event, is_recovery)?)))
            .collect();
        for (name, occasion) in wanted {
            let record = run.of(&self.scheduler, event);
            let message = Message::new(occasion, happening, record, &self.host, &self.start);
            if let Some(lane) = self.lanes.get_mut(&name) {
                lane.offer(message);
            }
        }
    }

    /// Takes in how a run ended. The store is asked for the run before it where nothing is known and somebody wants to know.
    fn is_recovery(&mut self, event: &Event, run: &mut Looked) -> bool {
        let Event::RunFinished { job, outcome, .. } = event else { return false };
        let is_wanted =
            self.lanes.values().any(|lane| wants(&lane.settings(), event, true) == Some(Occasion::Recovery));
        let scheduler = &self.scheduler;
        let before = || {
            let run = if is_wanted { run.of(scheduler, event)? } else { return None };
            let outcomes = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Cancelled);
            let filter = RunFilter {
                job: Some(job.clone()),
                states: vec![RunState::Finished],
                outcomes: outcomes.collect(),
                after: Some((run.scheduled_at, run.id)),
                limit: Some(1),
                ..RunFilter::default()
            };
            let runs = scheduler.store().runs(&filter);
            let runs =
                runs.map_err(|error| tracing::warn!("webhooks: how {job} did before is not known: {error}"));
            runs.ok()?.first()?.outcome
        };
        self.health.ended(job, *outcome, before)
    }

    /// Sends what has happened so far, as far as `patience` allows.
    async fn stop(mut self, patience: Duration) {
        while let Some(heard) = self.events.as_mut().and_then(Subscription::try_next) {
            self.hear(Some(heard));
        }
        self.closing.send_replace(true);
        let left: Vec<_> = std::mem::take(&mut self.lanes).into_values().map(Lane::close).collect();
        let all = async {
            while let Some(done) = self.tasks.join_next().await {
                told(done);
            }
        };
        if tokio::time::timeout(patience, all).await.is_err() {
            self.tasks.abort_all();
        }
        left.into_iter().for_each(|tell| tell());
    }
}

async fn next(events: &mut Option<Subscription>) -> Option<Result<Happening, u64>> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

/// A task that broke down is told; one that was ended was meant to be.
fn told(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done
        && error.is_panic()
    {
        tracing::error!("a webhook broke down: {error}");
    }
}

/// What a webhook takes an event for, if it wants to hear of it.
fn wants(settings: &WebhookSettings, event: &Event, is_recovery: bool) -> Option<Occasion> {
    let is_meant =
        |job: &str| settings.jobs.is_empty() || settings.jobs.iter().any(|pattern| pattern.matches(job));
    if event.job().is_some_and(|job| !is_meant(job.as_str())) {
        return None;
    }
    let is_it = |occasion: &Occasion| match (occasion, event) {
        (Occasion::Recovery, Event::RunFinished { outcome, .. }) => {
            is_recovery && *outcome == Outcome::Succeeded
        }
        (Occasion::Failure, Event::RunFinished { outcome, .. }) => is_failure(*outcome),
        (Occasion::Success, Event::RunFinished { outcome, .. }) => *outcome == Outcome::Succeeded,
        (Occasion::Miss, Event::Missed { .. }) => true,
        (Occasion::Event(name), event) => *name == event.name(),
        _ => false,
    };
    // The most telling word of several: a recovery is a success and a run that finished.
    let mut fitting: Vec<Occasion> = settings.events.iter().copied().filter(is_it).collect();
    fitting.sort_by_key(|occasion| match occasion {
        Occasion::Recovery => 0,
        Occasion::Event(_) => 2,
        _ => 1,
    });
    fitting.first().copied()
}

/// The record of an event's run, looked up once and only where it is needed.
#[derive(Default)]
struct Looked(Option<Option<Run>>);

impl Looked {
    fn of(&mut self, scheduler: &Scheduler, event: &Event) -> Option<&Run> {
        let look = || {
            let id = event.run()?;
            let found = scheduler.store().run(id);
            let found = found.map_err(|error| tracing::warn!("webhooks: the record of run {id}: {error}"));
            found.ok()?.map(|detail| detail.run)
        };
        self.0.get_or_insert_with(look).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use clockbox_core::model::{Cause, JobId, RunId, Timestamp};

    use super::*;
    use crate::manifest::JobPattern;

    fn settings(events: &[Occasion], jobs: &[&str]) -> WebhookSettings {
        WebhookSettings {
            events: events.to_vec(),
            jobs: jobs.iter().map(|job| JobPattern::new(*job)).collect(),
            ..WebhookSettings::to("http://a.example".parse().unwrap())
        }
    }

    fn finished(job: &str, outcome: Outcome) -> Event {
        let (job, run) = (JobId::new(job).unwrap(), RunId::next(None, Timestamp::UNIX_EPOCH));
        let cause = Cause::Trigger;
        Event::RunFinished { job, run, attempt: 1, cause, outcome, reason: None, elapsed_ms: None }
    }

    #[test]
    fn the_most_telling_word_is_taken() {
        let all = settings(
            &[Occasion::Event("run-finished"), Occasion::Success, Occasion::Recovery, Occasion::Failure],
            &[],
        );
        let word = |outcome, is_recovery| wants(&all, &finished("a", outcome), is_recovery);
        assert_eq!(word(Outcome::Succeeded, true), Some(Occasion::Recovery));
        assert_eq!(word(Outcome::Succeeded, false), Some(Occasion::Success));
        assert_eq!(word(Outcome::OutOfMemory, false), Some(Occasion::Failure));
        assert_eq!(word(Outcome::Cancelled, false), Some(Occasion::Event("run-finished")));
    }

    #[test]
    fn what_is_not_asked_for_is_not_told() {
        let usual = WebhookSettings::to("http://a.example".parse().unwrap());
        assert_eq!(wants(&usual, &finished("a", Outcome::Cancelled), false), None);
        assert_eq!(wants(&usual, &finished("a", Outcome::Succeeded), false), None);
        assert_eq!(wants(&usual, &Event::SchedulerStopped, false), None);
        let some = settings(&[Occasion::Failure, Occasion::Event("scheduler-stopped")], &["b*"]);
        assert_eq!(wants(&some, &finished("a", Outcome::Failed), false), None);
        assert_eq!(wants(&some, &finished("b1", Outcome::Failed), false), Some(Occasion::Failure));
        assert!(wants(&some, &Event::SchedulerStopped, false).is_some(), "it is about no job");
    }
}
