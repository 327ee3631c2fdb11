//! From parts to a running scheduler.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
};

use clockbox_core::{
    model::{History, Job, JobDefaults, PluginName, Pool, Report, RunState},
    timetable::{Change, Conflict, Input, Launch, Pipeline, Rejection, Remembered, Timetable, Unfinished},
};
use clockbox_sandbox::{CancelToken, Plugin};
use clockbox_store::{JobStore, MemoryStore, Snapshot, StoreError, Writer, WriterOptions};

use super::{Defaults, Events, Inbox, Scheduler, Subscription, driver::Driver, history, thread};
use crate::{
    clock::Clock,
    pool::{self, Sinks, Work, Works},
};

/// Why a scheduler did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store could not be read.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// A job cannot be added to what the store knows.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Gathers the parts of a scheduler: see [`Scheduler::builder`].
#[must_use]
pub struct Builder {
    clock: Clock,
    store: Arc<dyn JobStore>,
    works: Works,
    pools: Vec<Pool>,
    jobs: Vec<Arc<Job>>,
    declared: Option<Vec<Arc<Job>>>,
    refused: BTreeSet<PluginName>,
    history: History,
    events: Events,
    defaults: Defaults,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            clock: Clock::system(),
            store: Arc::new(MemoryStore::new()),
            works: Works::default(),
            pools: Vec::new(),
            jobs: Vec::new(),
            declared: None,
            refused: BTreeSet::new(),
            history: History::default(),
            events: Events::new(),
            defaults: Defaults::default(),
        }
    }

    /// Where jobs and runs are kept; a memory store if nothing is said.
    pub fn store(mut self, store: Arc<dyn JobStore>) -> Self {
        self.store = store;
        self
    }

    /// The clock; the system's if nothing is said.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Adds a pool, or replaces the one of that name.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pools.push(pool);
        self
    }

    /// Adds a loaded plugin under a name that jobs can refer to.
    pub fn plugin(self, name: PluginName, plugin: Plugin) -> Self {
        self.works.insert(name, Work::Plugin(plugin), None);
        self
    }

    /// Adds what plugin names stand for.
    pub(crate) fn works(self, works: BTreeMap<PluginName, Work>) -> Self {
        self.works.replace_plugins(works, None);
        self
    }

    /// Adds a trusted function of this program under a name that jobs can refer to, in the place of a plugin. It runs
    /// in the same pools, on the same threads (which on Linux have a lower priority than the scheduler's own) and leaves
    /// the same history.
    pub fn native<F, R>(self, name: PluginName, function: F) -> Self
    where
        F: Fn(Launch, CancelToken) -> R + Send + Sync + 'static,
        R: Future<Output = Report> + Send + 'static,
    {
        let boxed = move |launch: Launch, token: CancelToken| Box::pin(function(launch, token)) as _;
        self.works.insert(name, Work::Native(Arc::new(boxed)), None);
        self
    }

    /// Adds a job. One that the store knows under this name already is replaced, what was modified by hand included; it
    /// keeps its next fire while its trigger stays the same, and stays paused where it is. A job of the manifest or
    /// folder is not replaced: then the start fails.
    pub fn job(mut self, job: Job) -> Self {
        self.jobs.push(Arc::new(job));
        self
    }

    /// These are all the jobs of the manifest and the plugin folder: others from there that the store knows are
    /// removed. Jobs of other sources stay, and so does what was modified by hand of a job whose declaration is what it
    /// was.
    pub fn declared(mut self, jobs: impl IntoIterator<Item = Arc<Job>>) -> Self {
        self.declared = Some(jobs.into_iter().collect());
        self
    }

    /// What these plugins say of their jobs cannot be read at the moment: declared jobs of theirs that the store knows
    /// stay as they are there, so that a broken file costs no job its place in its schedule.
    pub fn refused(mut self, plugins: impl IntoIterator<Item = PluginName>) -> Self {
        self.refused.extend(plugins);
        self
    }

    /// What jobs have that are added while the scheduler runs and say nothing of their own: `[defaults]` of a manifest,
    /// `job_defaults` of APScheduler. It counts for jobs that are written as keys: those that runs add, and those of the
    /// control API. A [`Job`] of this program says everything itself.
    pub fn defaults(self, defaults: JobDefaults) -> Self {
        self.defaults.set(defaults);
        self
    }

    /// How long runs are kept.
    pub fn history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// What happens from the start on. [`Scheduler::subscribe`] comes too late for what happens at once.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.events.subscribe()
    }

    /// Starts the scheduler on threads of its own and returns its handle.
    ///
    /// # Errors
    /// When the store cannot be read, a job of [`Builder::job`] cannot be added, or a thread cannot be started.
    pub fn start(self) -> Result<Scheduler, StartError> {
        let mut timetable = Timetable::new();
        let now = self.clock.now();
        self.works.start(now);
        let snapshot = self.store.load()?;
        for line in &snapshot.unreadable {
            tracing::error!(
                "{line}; the scheduler goes on without it (a job that the manifest declares is declared anew)"
            );
        }
        let unfinished = unfinished(&*self.store, &snapshot)?;
        let Snapshot { jobs, last_run, paused, .. } = snapshot;
        let change = self.declared.map(|declared| Change::at_start(&jobs, &declared, &self.refused));
        let pools = Change { pools: self.pools, ..Change::default() };
        let mut actions = timetable.handle(now, Input::Apply(pools))?;
        actions.extend(timetable.restore(now, Remembered { jobs, unfinished, last_run, paused }));
        actions.extend(timetable.handle(now, Input::Apply(change.unwrap_or_default()))?);
        let jobs = Input::AddJobs { jobs: self.jobs, conflict: Conflict::Replace };
        actions.extend(timetable.handle(now, jobs)?);

        let events = self.events;
        let inbox = Inbox::new();
        let writer = Arc::new(Writer::spawn(Arc::clone(&self.store), WriterOptions::default())?);
        let sinks = Arc::new(Sinks {
            inbox: inbox.clone(),
            writer: Arc::clone(&writer),
            store: Arc::clone(&self.store),
            defaults: self.defaults.clone(),
            events: events.clone(),
            clock: self.clock.clone(),
        });
        let pool = pool::Pool::new(self.works.clone(), sinks)?;
        let pruner = history::spawn(Arc::clone(&self.store), self.clock.clone(), self.history)?;
        let written = Arc::clone(&writer);
        let driver = Driver {
            timetable,
            clock: self.clock.clone(),
            pool,
            writer,
            events: events.clone(),
            inbox: inbox.clone(),
            pipeline: Pipeline::new(),
            submitted: std::collections::VecDeque::new(),
            gathered: Vec::new(),
            put_off: Vec::new(),
            latest: None,
            armed: None,
            ring: false,
            shutdown: None,
            lost: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stopped, on_stop) = tokio::sync::watch::channel(None);
        let own = inbox.clone();
        std::thread::Builder::new().name("clockbox-driver".into()).spawn(move || {
            let ending = runtime.block_on(thread::run(&own, driver, actions));
            drop(pruner);
            match ending {
                Some(ending) => {
                    stopped.send_replace(Some(ending.answer()));
                    ending.tell();
                }
                // It broke down: whoever waits for an answer is not to wait for ever.
                None => drop(own.close().collect::<Vec<_>>()),
            }
        })?;
        let (works, defaults) = (self.works, self.defaults);
        Ok(Scheduler::new(inbox, self.store, written, works, events, self.clock, defaults, on_stop))
    }
}

fn unfinished(store: &dyn JobStore, snapshot: &Snapshot) -> Result<Vec<Unfinished>, StoreError> {
    snapshot
        .unfinished
        .iter()
        .map(|run| {
            let attempt_started_at = match run.state {
                RunState::Running | RunState::Retrying => store.run(run.id)?.and_then(|detail| {
                    detail.attempts.last().map(|attempt| attempt.finished_at.unwrap_or(attempt.started_at))
                }),
                _ => None,
            };
            Ok(Unfinished { run: run.clone(), attempt_started_at })
        })
        .collect()
}
