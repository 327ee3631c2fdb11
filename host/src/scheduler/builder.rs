//! From parts to a running scheduler.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clockbox_core::{
    model::{
        History, IdError, IntoJob, InvalidJob, Job, JobDefaults, JobTerms, PluginName, PluginSpec, Pool,
        PoolName, Report, RunState,
    },
    timetable::{Change, Conflict, Input, Launch, Pipeline, Remembered, Timetable, Unfinished},
};
use clockbox_sandbox::{CancelToken, Plugin, SandboxOptions};
use clockbox_store::{Access, JobStore, MemoryStore, Snapshot, StoreError, Writer, WriterOptions};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Defaults, Events, Happening, Inbox, Listener, Scheduler, SchedulerError, Settings, StartError,
    Subscription, driver::Driver, history, listener::Callback, plugins::Plugins, serving::GRACE, thread,
};
use crate::{
    clock::Clock,
    pool::{self, JobError, NativeRun, Sinks, Work, Works},
};

/// A job that is made when the scheduler starts: its defaults may still be said after it.
type Draft = Box<dyn FnOnce(JobTerms<'_>) -> Result<Job, InvalidJob> + Send>;

/// Where jobs and runs are kept.
enum Kept {
    /// In a store that is open.
    In(Arc<dyn JobStore>),
    /// In the store of this URL, which is opened at the start; a relative path begins at the folder.
    At(String, PathBuf),
}

/// Gathers the parts of a scheduler: see [`Scheduler::builder`].
#[must_use]
pub struct Builder {
    clock: Clock,
    store: Kept,
    works: Works,
    plugins: Plugins,
    pools: Vec<Pool>,
    jobs: Vec<Draft>,
    callbacks: Vec<(Subscription, Callback)>,
    /// The first name that cannot be one.
    misnamed: Option<IdError>,
    declared: Option<Vec<Arc<Job>>>,
    refused: BTreeSet<PluginName>,
    history: History,
    grace: Duration,
    events: Events,
    defaults: Defaults,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            clock: Clock::system(),
            store: Kept::In(Arc::new(MemoryStore::new())),
            works: Works::default(),
            plugins: Plugins::default(),
            pools: Vec::new(),
            jobs: Vec::new(),
            callbacks: Vec::new(),
            misnamed: None,
            declared: None,
            refused: BTreeSet::new(),
            history: History::default(),
            grace: GRACE,
            events: Events::new(),
            defaults: Defaults::default(),
        }
    }

    /// Where jobs and runs are kept; a memory store if nothing is said.
    pub fn store(mut self, store: Arc<dyn JobStore>) -> Self {
        self.store = Kept::In(store);
        self
    }

    /// The same by its URL: `sqlite:clockbox.db`, or `memory:`. A relative path begins at the current folder. It is opened
    /// at the start, and is this scheduler's alone.
    pub fn store_url(self, url: impl Into<String>) -> Self {
        self.store_in(url, "")
    }

    /// The same; a relative path begins at this folder.
    pub fn store_in(mut self, url: impl Into<String>, folder: impl AsRef<Path>) -> Self {
        self.store = Kept::At(url.into(), folder.as_ref().to_owned());
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

    /// Adds a pool of this size, or replaces the one of that name: `default` is the one of jobs that name none.
    pub fn pool_of(mut self, name: impl AsRef<str>, max_instances: u32) -> Self {
        match self.named(PoolName::new(name)) {
            Some(name) => self.pool(Pool { max_instances, ..Pool::new(name) }),
            None => self,
        }
    }

    /// Loads a plugin from a file at the start, without rights and under the usual limits. [`PluginSpec`] says what more
    /// there is to be said of one: [`plugin_spec`](Self::plugin_spec).
    pub fn plugin_file(mut self, name: impl AsRef<str>, path: impl Into<PathBuf>) -> Self {
        match self.named(PluginName::new(name)) {
            Some(name) => self.plugin_spec(PluginSpec::new(name, path)),
            None => self,
        }
    }

    /// Loads a plugin from its file at the start: with a pin, rights, limits and configuration of its own.
    ///
    /// ```no_run
    /// use clockbox::{HttpGrant, Limits, PluginSpec, Rights, Scheduler};
    /// use std::time::Duration;
    ///
    /// let report = PluginSpec {
    ///     rights: Rights { http: vec![HttpGrant::to("https://api.example.com".parse()?)], ..Rights::default() },
    ///     limits: Limits { timeout: Duration::from_secs(30), ..Limits::default() },
    ///     ..PluginSpec::new("report".parse()?, "jobs/report.wasm")
    /// };
    /// let scheduler = Scheduler::builder().plugin_spec(report).start()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plugin_spec(mut self, spec: PluginSpec) -> Self {
        self.plugins.specs.insert(spec.name.clone(), spec);
        self
    }

    /// How the sandbox of the plugin files is set up: the cache of compiled code above all, of which there is none if
    /// nothing is said. Its `max_instances` is to be beyond the sum of the pools.
    pub fn sandbox(mut self, options: SandboxOptions) -> Self {
        self.plugins.options = Some(options);
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
        let boxed = move |run: NativeRun| {
            let (launch, token) = run.into_parts();
            Box::pin(function(launch, token)) as _
        };
        self.works.insert(name, Work::Native(Arc::new(boxed)), None);
        self
    }

    /// The same for a function of typed arguments and output, which can write into its run's log and say how a failure is
    /// meant. It gets the job's `args`, or those of a run on demand; arguments that do not fit fail the run for good.
    ///
    /// It runs on a runtime of the scheduler's own. What blocks belongs into `tokio::task::spawn_blocking`.
    ///
    /// ```
    /// use clockbox::{Job, JobError, Scheduler};
    ///
    /// #[derive(serde::Deserialize, serde::Serialize)]
    /// struct Order {
    ///     id: u64,
    /// }
    ///
    /// let scheduler = Scheduler::builder()
    ///     .native_fn("charge", |order: Order, run| async move {
    ///         run.info(format!("order {}, attempt {}", order.id, run.attempt()));
    ///         match order.id {
    ///             0 => Err(JobError::fatal("no-such-order", "there is no order 0")),
    ///             id => Ok(format!("receipt {id}")),
    ///         }
    ///     })
    ///     .start()?;
    /// let mut events = scheduler.subscribe();
    /// scheduler.add_job(Job::new("order-7").plugin("charge").args(Order { id: 7 })).wait()?;
    /// while !matches!(events.next_blocking().unwrap().unwrap().event, clockbox::Event::RunFinished { .. }) {}
    /// let run = &scheduler.store().runs(&Default::default())?[0];
    /// assert_eq!(run.output.as_deref(), Some("\"receipt 7\""));
    /// # scheduler.shutdown(std::time::Duration::ZERO).wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn native_fn<A, O, F, R>(mut self, name: impl AsRef<str>, function: F) -> Self
    where
        A: DeserializeOwned + 'static,
        O: Serialize + 'static,
        F: Fn(A, NativeRun) -> R + Send + Sync + 'static,
        R: Future<Output = Result<O, JobError>> + Send + 'static,
    {
        let Some(name) = self.named(PluginName::new(name)) else { return self };
        let boxed = move |run: NativeRun| Box::pin(pool::call(&function, run)) as _;
        self.works.insert(name, Work::Native(Arc::new(boxed)), None);
        self
    }

    /// Adds a job. One that the store knows under this name already is replaced, what was modified by hand included; it
    /// keeps its next fire while its trigger stays the same, and stays paused where it is. A job of the manifest or
    /// folder is not replaced: then the start fails.
    ///
    /// ```
    /// use clockbox::{Job, Scheduler};
    /// use std::time::Duration;
    ///
    /// let scheduler = Scheduler::builder()
    ///     .native_fn("greet", |name: String, run| async move {
    ///         run.info(format!("hello {name}"));
    ///         Ok::<_, clockbox::JobError>(())
    ///     })
    ///     .job(Job::new("hourly").plugin("greet").args("world").every(Duration::from_secs(3600)))
    ///     .job(Job::new("nightly").plugin("greet").args("moon").trigger("cron 30 5 * * mon-fri"))
    ///     .start()?;
    /// assert_eq!(scheduler.jobs().wait()?.len(), 2);
    /// # scheduler.shutdown(Duration::ZERO).wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn job(mut self, job: impl IntoJob) -> Self {
        self.jobs.push(Box::new(move |terms| job.into_job(terms)));
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

    /// The time zone of triggers that name none, in the place of that of the defaults.
    pub fn timezone(self, zone: chrono_tz::Tz) -> Self {
        let defaults = JobDefaults { timezone: zone, ..(*self.defaults.get()).clone() };
        self.defaults(defaults)
    }

    /// How long runs are kept.
    pub fn history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// How long runs may take to end when [`Scheduler::serve`] or [`Scheduler::run_blocking`] stops the scheduler; 30 seconds
    /// if nothing is said.
    pub fn shutdown_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// What happens from the start on. [`Scheduler::subscribe`] comes too late for what happens at once.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.events.subscribe()
    }

    /// Calls a function with whatever happens from the start on: see [`Scheduler::on_event`].
    pub fn on_event(mut self, callback: impl FnMut(Result<Happening, u64>) + Send + 'static) -> Self {
        let events = self.subscribe();
        self.callbacks.push((events, Box::new(callback)));
        self
    }

    /// Starts the scheduler on threads of its own and returns its handle. It blocks while it opens the store and compiles
    /// plugin files: in async code call it by `tokio::task::spawn_blocking`.
    ///
    /// # Errors
    /// When the store cannot be read, a plugin file is refused, a job of [`Builder::job`] cannot be added, or a thread
    /// cannot be started.
    pub fn start(self) -> Result<Scheduler, StartError> {
        if let Some(error) = self.misnamed {
            return Err(error.into());
        }
        let now = self.clock.now();
        // The lock on the store is taken first: a second scheduler must not even compile.
        let store = match self.store {
            Kept::In(store) => store,
            Kept::At(url, folder) => {
                clockbox_store::open(&url, &folder, Access::ReadWrite { opened_at: now })?
            }
        };
        let slots = self.pools.iter().fold(0_u32, |sum, pool| sum.saturating_add(pool.max_instances));
        for (name, plugin) in self.plugins.load(slots)? {
            self.works.insert(name, Work::Plugin(plugin), None);
        }
        self.works.start(now);
        let defaults = self.defaults.get();
        let terms = JobTerms { defaults: &defaults, now };
        let drafts = self.jobs.into_iter().map(|draft| draft(terms).map(Arc::new));
        let added: Vec<Arc<Job>> = drafts.collect::<Result<_, _>>()?;
        let mut timetable = Timetable::new();
        let snapshot = store.load()?;
        for line in &snapshot.unreadable {
            tracing::error!(
                "{line}; the scheduler goes on without it (a job that the manifest declares is declared anew)"
            );
        }
        let unfinished = unfinished(&*store, &snapshot)?;
        let Snapshot { jobs, cancelling, last_run, paused, .. } = snapshot;
        let change = self.declared.map(|declared| Change::at_start(&jobs, &declared, &self.refused));
        let pools = Change { pools: self.pools, ..Change::default() };
        let mut actions = timetable.handle(now, Input::Apply(pools))?;
        actions.extend(timetable.restore(now, Remembered { jobs, unfinished, cancelling, last_run, paused }));
        actions.extend(timetable.handle(now, Input::Apply(change.unwrap_or_default()))?);
        let jobs = Input::AddJobs { jobs: added, conflict: Conflict::Replace };
        actions.extend(timetable.handle(now, jobs)?);

        let events = self.events;
        let inbox = Inbox::new();
        let writer = Arc::new(Writer::spawn(Arc::clone(&store), WriterOptions::default())?);
        let sinks = Arc::new(Sinks {
            inbox: inbox.clone(),
            writer: Arc::clone(&writer),
            store: Arc::clone(&store),
            defaults: self.defaults.clone(),
            events: events.clone(),
            clock: self.clock.clone(),
        });
        let pool = pool::Pool::new(self.works.clone(), sinks)?;
        let pruner = history::spawn(Arc::clone(&store), self.clock.clone(), self.history)?;
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
        for (events, callback) in self.callbacks {
            drop(Listener::spawn(events, callback)?);
        }
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
        let settings = Settings { history: self.history, shutdown_grace: self.grace };
        let (works, defaults) = (self.works, self.defaults);
        Ok(Scheduler::new(inbox, store, written, works, events, self.clock, defaults, settings, on_stop))
    }
}

impl Builder {
    /// Starts the scheduler and stays with it on this thread until somebody shuts it down, a job of its own for instance;
    /// [`Serving`](super::Serving) does that with options, Ctrl-C for instance.
    ///
    /// # Errors
    /// When it does not start, or cannot end in order.
    ///
    /// ```no_run
    /// use clockbox::{Job, Scheduler};
    ///
    /// let scheduler = Scheduler::builder().job(Job::new("nightly").cron("30 5 * * *")).start()?;
    /// scheduler.serve().stop_on_ctrl_c().wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_blocking(self) -> Result<(), RunError> {
        Ok(self.start()?.run_blocking()?)
    }

    /// Keeps the first name that cannot be one for the start to tell.
    pub(super) fn named<T>(&mut self, name: Result<T, IdError>) -> Option<T> {
        name.map_err(|error| _ = self.misnamed.get_or_insert(error)).ok()
    }
}

/// Why a scheduler that was to run until its end did not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It did not end in order.
    #[error(transparent)]
    End(#[from] SchedulerError),
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
