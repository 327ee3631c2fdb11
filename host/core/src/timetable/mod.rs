//! Decides: which fires are due, which of them run, where and when.
//!
//! A [`Timetable`] is a state machine without a clock, a thread or a file. It is told what happened ([`Input`]) and
//! when, and answers with what is to be done ([`Action`]); [`Timetable::next_wake`] says when it wants to be asked
//! again. The caps on instances are decided here and nowhere else.
//!
//! ```
//! use std::sync::Arc;
//! use clockbox_core::{model::*, timetable::{Action, Change, Input, Timetable}, trigger::{Trigger, TriggerSpec}};
//!
//! let spec: TriggerSpec = serde_json::from_str(r#"{ "interval": "10s" }"#)?;
//! let job = Job {
//!     id: JobId::new("tick")?,
//!     plugin: PluginName::new("hello")?,
//!     pool: PoolName::default_pool(),
//!     trigger: Trigger::new(spec, chrono_tz::UTC)?,
//!     args: "null".into(),
//!     policy: Policy::default().into(),
//!     source: Source::Api,
//! };
//! let start: Timestamp = "2030-01-01T00:00:00Z".parse()?;
//! let mut timetable = Timetable::new();
//! timetable.handle(start, Input::Apply(Change { put: vec![Arc::new(job)], ..Change::default() }))?;
//! let fire = timetable.next_wake().unwrap();
//! assert_eq!(fire, "2030-01-01T00:00:10Z".parse::<Timestamp>()?);
//! let actions = timetable.handle(fire, Input::Wake)?;
//! assert!(actions.iter().any(|action| matches!(action, Action::Launch(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod admit;
mod apply;
mod backoff;
mod by_hand;
mod clock;
mod due;
mod entry;
mod fires;
mod input;
mod jobs;
mod pipeline;
mod restore;
mod runs;
mod slots;
mod soonest;
mod success;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub use action::{Action, Launch};
use entry::{Active, Place};
use hashbrown::HashMap;
pub use input::{Change, Input, Rejection};
use jobs::Jobs;
pub use pipeline::{Completed, Pipeline, Taken};
pub use restore::{Remembered, Unfinished};
use slots::Slots;
use success::Settling;

pub use crate::model::{Conflict, Running};

use crate::model::{
    Event, Job, JobId, JobRecord, Pause, PluginName, Pool, PoolName, Run, RunId, Sharing, Timestamp,
};

/// A pool, and how full it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolLoad {
    /// The pool.
    pub pool: Pool,
    /// Instances that run now.
    pub running: u32,
    /// Runs that wait for a place.
    pub waiting: usize,
}

/// The pure core of the scheduler: see the module's documentation.
#[derive(Debug, Default)]
pub struct Timetable {
    jobs: Jobs,
    pools: BTreeMap<PoolName, Slots>,
    /// Runs that are not in a final state.
    active: HashMap<RunId, Active>,
    /// When a job wants to be looked at: its next fire, jitter included.
    due: BTreeSet<(Timestamp, JobId)>,
    /// When a failed run wants its next attempt.
    retries: BTreeSet<(Timestamp, RunId)>,
    /// When a waiting run has waited too long.
    expiries: BTreeSet<(Timestamp, RunId)>,
    /// Successes on their way to the store that bring something about.
    settling: BTreeMap<RunId, Settling>,
    /// How many jobs there are that runs of a plugin added.
    added: BTreeMap<PluginName, usize>,
    last_run: Option<RunId>,
    /// The latest time of any input.
    latest: Option<Timestamp>,
    /// Declared jobs whose name somebody else's job has: each takes its place when that one goes.
    shadowed: BTreeMap<JobId, Arc<Job>>,
    /// Jobs of which a run ended or a fire did not become one: they may be done.
    ended: BTreeSet<JobId>,
    /// What jobs have in common.
    sharing: Sharing,
    paused: Option<Pause>,
    draining: bool,
    /// Nothing is decided for now, as nothing can be recorded.
    held: bool,
    /// Set when that is over, until what waits has been looked at.
    was_held: bool,
    /// Set by a restore until the first input that declares no jobs: what waits starts under the jobs of now.
    restoring: bool,
}

impl Timetable {
    /// A timetable without jobs. Pools that jobs name and nobody declared get the defaults of
    /// [`Pool::new`](crate::model::Pool::new).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what happened, at `now`, and answers what is to be done.
    ///
    /// A `now` before that of an earlier call (a clock that was set back) is taken as it is: fires that were decided
    /// stay decided, and the next ones wait for their time. When it went back by more than three hours it was wrong
    /// before: then the next fires are worked out anew from `now`.
    ///
    /// # Errors
    /// When a job or run that the input names does not exist, or nothing may start any more. Nothing has changed then.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Result<Vec<Action>, Rejection> {
        self.check(&input)?;
        let is_declaration = matches!(input, Input::Apply(_) | Input::AddJobs { .. });
        let mut actions = Vec::new();
        let out = &mut actions;
        self.follow_clock(now, out);
        self.expire(now, out);
        match input {
            Input::Wake => {}
            Input::Apply(change) => self.apply(now, change, out),
            Input::Finished { run, attempt, report } => self.finished(now, run, attempt, *report, out),
            Input::Refused(run) => self.refused(now, run, out),
            Input::Settled { run, answer } => self.settled(now, run, answer, out),
            Input::RunNow { job, args } => self.run_now(now, &job, args, out),
            Input::CancelRun { run, why } => self.stop(now, run, &why, out),
            Input::StopRunning { why } => self.stop_running(&why, out),
            Input::AddJobs { jobs, conflict } => self.add_jobs(now, jobs, conflict, out),
            Input::ModifyJob { job, patch } => self.modify_job(now, &job, *patch, out),
            Input::RemoveJob { job, running } => self.remove(now, &job, running, out),
            Input::RemoveAllJobs { running } => self.remove_all(now, running, out),
            Input::PauseJob { job, by, note } => self.pause_job(&job, Pause { at: now, by, note }, out),
            Input::ResumeJob(job) => self.resume_job(&job, out),
            Input::Pause { by, note } => self.pause(Pause { at: now, by, note }, out),
            Input::Resume => self.resume(now, out),
            Input::Drain => self.drain(out),
        }
        if self.restoring && !is_declaration {
            self.restoring = false;
            self.expire(now, out);
            self.start_waiting(now, out);
        }
        if !self.held && std::mem::take(&mut self.was_held) {
            self.start_waiting(now, out);
        }
        self.process(now, out);
        self.clean_up(now, out);
        Ok(actions)
    }

    /// While a store cannot keep up or fails, nothing is to start and no fire to be decided, whatever else is taken in:
    /// what becomes of them is decided when that is over, by the policies of then.
    pub fn hold(&mut self, held: bool) {
        self.was_held |= self.held && !held;
        self.held = held;
    }

    /// Whether everything is held.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Refuses what names something that is not there, before anything changes.
    fn check(&self, input: &Input) -> Result<(), Rejection> {
        match input {
            Input::RunNow { .. } if self.draining => Err(Rejection::Draining),
            Input::RunNow { job, .. }
            | Input::PauseJob { job, .. }
            | Input::ResumeJob(job)
            | Input::ModifyJob { job, .. }
            | Input::RemoveJob { job, .. }
                if self.job(job).is_none() =>
            {
                Err(Rejection::NoSuchJob(job.clone()))
            }
            Input::RemoveJob { job, .. } => match self.job(job).map(|record| &record.job.source) {
                Some(owner) if owner.is_reloaded() => {
                    Err(Rejection::NotOwner { job: job.clone(), owner: owner.clone() })
                }
                _ => Ok(()),
            },
            Input::AddJobs { jobs, conflict } => self.check_addition(jobs, *conflict),
            Input::CancelRun { run, .. } if !self.active.contains_key(run) => Err(Rejection::NoSuchRun(*run)),
            _ => Ok(()),
        }
    }

    /// When the timetable wants to be asked again, if nothing else happens: in the past when there is more to do now.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.draining {
            return None;
        }
        let due = self.due.first().filter(|_| self.paused.is_none()).map(|(at, _)| *at);
        let retry = self.retries.first().filter(|_| self.paused.is_none()).map(|(at, _)| *at);
        let expiry = self.expiries.first().map(|(at, _)| *at);
        [due, retry, expiry].into_iter().flatten().min()
    }

    /// Every job with what is remembered of it, in no order.
    pub fn jobs(&self) -> impl Iterator<Item = &JobRecord> {
        self.jobs.iter().filter(|entry| !entry.busy().removed).map(|entry| &entry.record)
    }

    /// Every pool, by name.
    pub fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.pools.values().map(|slots| &slots.pool)
    }

    /// Every pool, by name, with what runs in it and what waits for a place in it.
    pub fn loads(&self) -> impl Iterator<Item = PoolLoad> + '_ {
        self.pools.values().map(|slots| PoolLoad {
            pool: slots.pool.clone(),
            running: slots.running,
            waiting: slots.waiting(),
        })
    }

    /// A job by name.
    #[must_use]
    pub fn job(&self, id: &JobId) -> Option<&JobRecord> {
        self.jobs.get(id).filter(|entry| !entry.busy().removed).map(|entry| &entry.record)
    }

    /// Every run that waits, runs or is to be tried again, in no order.
    pub fn active_runs(&self) -> impl ExactSizeIterator<Item = &Run> {
        self.active.values().map(|active| &*active.run)
    }

    /// How many instances run now, in all pools.
    #[must_use]
    pub fn running(&self) -> usize {
        self.pools.values().map(|slots| slots.running as usize).sum()
    }

    /// Since when the whole scheduler is paused, by whom and why; `None` while it is not.
    #[must_use]
    pub fn paused(&self) -> Option<&Pause> {
        self.paused.as_ref()
    }

    /// Whether the scheduler is draining.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Whether runs may start at all.
    fn may_start(&self) -> bool {
        self.paused.is_none() && !self.draining && !self.restoring && !self.held
    }

    /// Starts whatever waits, as far as there is room: for when nobody has been told of a free place.
    fn start_waiting(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        // In an order of their own, so that the same inputs always have the same answers.
        let held = self.active.values().filter(|active| active.place == Place::Held);
        let held: BTreeSet<_> = held.map(|active| active.run.job.clone()).collect();
        let pools: Vec<_> = self.pools.keys().cloned().collect();
        pools.iter().for_each(|pool| self.fill(now, pool, out));
        held.iter().for_each(|job| self.release(now, job, out));
    }

    fn drain(&mut self, out: &mut Vec<Action>) {
        if !self.draining {
            self.draining = true;
            out.push(Action::Publish(Event::SchedulerDraining));
        }
    }

    fn next_run_id(&mut self, now: Timestamp) -> RunId {
        let id = RunId::next(self.last_run, now);
        self.last_run = Some(id);
        id
    }

    fn pool(&mut self, name: &PoolName) -> &mut Slots {
        self.pools.entry(name.clone()).or_insert_with(|| Slots::new(crate::model::Pool::new(name.clone())))
    }
}
