//! A timetable with its answers sorted, and jobs in few words.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use clockbox_core::{
    model::*,
    timetable::{Action, Change, Conflict, Input, Rejection, Remembered, Running, Timetable, Unfinished},
    trigger::{Trigger, TriggerSpec},
};

pub(crate) const EVERY_10_S: &str = r#"{ "interval": "10s", "start": "2030-01-01T00:00:10Z" }"#;

pub(crate) fn at(seconds: i64) -> Timestamp {
    "2030-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + TimeDelta::seconds(seconds)
}

pub(crate) fn job(name: &str, trigger: &str) -> Job {
    let spec: TriggerSpec = serde_json::from_str(trigger).unwrap();
    Job {
        id: JobId::new(name).unwrap(),
        plugin: PluginName::new("hello").unwrap(),
        pool: PoolName::default_pool(),
        trigger: Trigger::new(spec, chrono_tz::UTC).unwrap(),
        args: "null".into(),
        policy: Policy {
            misfire_grace: Grace::Within(Duration::from_secs(60)),
            when_done: Some(WhenDone::Keep),
            ..Policy::default()
        }
        .into(),
        source: Source::Api,
    }
}

pub(crate) fn with(mut job: Job, how: impl FnOnce(&mut Policy)) -> Job {
    how(Arc::make_mut(&mut job.policy));
    job
}

pub(crate) fn pool(name: &str, max_instances: u32, queue: u32) -> Pool {
    Pool { name: PoolName::new(name).unwrap(), max_instances, queue }
}

/// A timetable and all that it has asked for.
pub(crate) struct Table {
    pub(crate) timetable: Timetable,
    pub(crate) actions: Vec<Action>,
}

impl Table {
    /// At second 0, with these jobs.
    pub(crate) fn new(jobs: impl IntoIterator<Item = Job>) -> Self {
        Self::with_pools([], jobs)
    }

    pub(crate) fn with_pools(
        pools: impl IntoIterator<Item = Pool>,
        jobs: impl IntoIterator<Item = Job>,
    ) -> Self {
        let mut table = Self { timetable: Timetable::new(), actions: Vec::new() };
        table.apply(0, Change { pools: pools.into_iter().collect(), ..Change::default() });
        table.add(0, jobs);
        table
    }

    pub(crate) fn restored(now: i64, jobs: Vec<JobRecord>, unfinished: Vec<Unfinished>) -> Self {
        let mut timetable = Timetable::new();
        let actions = timetable.restore(at(now), Remembered { jobs, unfinished, ..Remembered::default() });
        let mut table = Self { timetable, actions };
        table.wake(now);
        table
    }

    pub(crate) fn tell(&mut self, now: i64, input: Input) -> Result<(), Rejection> {
        self.actions.extend(self.timetable.handle(at(now), input)?);
        Ok(())
    }

    pub(crate) fn wake(&mut self, now: i64) {
        self.tell(now, Input::Wake).unwrap();
    }

    pub(crate) fn apply(&mut self, now: i64, change: Change) {
        self.tell(now, Input::Apply(change)).unwrap();
    }

    /// Adds jobs, in the place of those of their names.
    pub(crate) fn add(&mut self, now: i64, jobs: impl IntoIterator<Item = Job>) {
        let jobs = jobs.into_iter().map(Arc::new).collect();
        self.tell(now, Input::AddJobs { jobs, conflict: Conflict::Replace }).unwrap();
    }

    pub(crate) fn remove(&mut self, now: i64, job: &str, running: Running) {
        self.tell(now, Input::RemoveJob { job: JobId::new(job).unwrap(), running }).unwrap();
    }

    pub(crate) fn finish(&mut self, now: i64, run: RunId, outcome: Outcome) {
        self.finish_with(now, run, Report::new(outcome).because("as told"));
    }

    pub(crate) fn finish_with(&mut self, now: i64, run: RunId, report: Report) {
        let attempt = self.run(run).attempt;
        self.tell(now, Input::Finished { run, attempt, report: Box::new(report) }).unwrap();
    }

    /// The runs as last written, in the order of their ids.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let mut runs = std::collections::BTreeMap::new();
        for action in &self.actions {
            if let Action::Write(Write::Fire { run, .. } | Write::Update { run, .. }) = action {
                runs.insert(run.id, (**run).clone());
            }
        }
        runs.into_values().collect()
    }

    pub(crate) fn run(&self, id: RunId) -> Run {
        self.runs().into_iter().find(|run| run.id == id).unwrap()
    }

    /// (second, state, coalesced) of every record.
    pub(crate) fn states(&self) -> Vec<(i64, RunState, u32)> {
        let second = |run: &Run| (run.scheduled_at - at(0)).num_seconds();
        self.runs().iter().map(|run| (second(run), run.state, run.coalesced)).collect()
    }

    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        let attempt = |action: &Action| match action {
            Action::Write(Write::Update { attempt: Some(attempt), .. }) => Some((**attempt).clone()),
            _ => None,
        };
        self.actions.iter().filter_map(attempt).collect()
    }

    pub(crate) fn launches(&self) -> Vec<RunId> {
        let run = |action: &Action| match action {
            Action::Launch(launch) => Some(launch.run.id),
            _ => None,
        };
        self.actions.iter().filter_map(run).collect()
    }

    pub(crate) fn cancels(&self) -> Vec<RunId> {
        let run = |action: &Action| match action {
            Action::Cancel(run) => Some(*run),
            _ => None,
        };
        self.actions.iter().filter_map(run).collect()
    }

    /// What was to be kept of runs that are to stop: why, or that it is over.
    pub(crate) fn cancelling(&self) -> Vec<Option<String>> {
        let why = |action: &Action| match action {
            Action::Write(Write::Cancelling { why, .. }) => Some(why.clone()),
            _ => None,
        };
        self.actions.iter().filter_map(why).collect()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let event = |action: &Action| match action {
            Action::Publish(event) => Some(event.clone()),
            _ => None,
        };
        self.actions.iter().filter_map(event).collect()
    }

    pub(crate) fn record(&self, job: &str) -> JobRecord {
        self.timetable.job(&JobId::new(job).unwrap()).unwrap().clone()
    }
}
