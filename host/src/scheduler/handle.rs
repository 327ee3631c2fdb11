//! The public handle on a running scheduler.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clockbox_core::{
    model::{
        IntoJob, JobDefaults, JobId, JobPatch, JobRecord, JobTerms, Pause, PluginName, Pool, Run, RunId,
        StateChanges, Write,
    },
    timetable::{Change, Conflict, Input, PoolLoad, Rejection, Running, Timetable},
    trigger::Trigger,
};
use clockbox_sandbox::Plugin;
use clockbox_store::{JobStore, Writer};
use tokio::sync::watch;

use super::{
    Builder, Defaults, Events, Happening, Inbox, Listener, Message, Reply, SchedulerError, Serving, Settings,
    Status, Subscription, reply::ReplyTo,
};
use crate::{
    clock::Clock,
    pool::{Loaded, Work, Works},
};

/// A handle on a running scheduler. Clones refer to the same one; it runs until [`shutdown`](Self::shutdown), also when
/// every handle is gone.
///
/// ```
/// use clockbox::{
///     Job, JobId, Outcome, PluginName, Policy, PoolName, Report, Scheduler, Source, Trigger, TriggerSpec,
/// };
///
/// let scheduler = Scheduler::builder()
///     .native(PluginName::new("greet")?, |_launch, _cancel| async { Report::new(Outcome::Succeeded) })
///     .start()?;
/// let mut events = scheduler.subscribe();
/// let job = Job {
///     id: JobId::new("hello")?,
///     plugin: PluginName::new("greet")?,
///     pool: PoolName::default_pool(),
///     trigger: Trigger::new(TriggerSpec::default(), chrono_tz::UTC)?, // once, now
///     args: "null".into(),
///     policy: Policy::default().into(),
///     source: Source::Api,
/// };
/// scheduler.add_job(job).wait()?;
/// let finished = std::iter::from_fn(|| events.next_blocking())
///     .any(|happening| matches!(happening.unwrap().event, clockbox::Event::RunFinished { .. }));
/// assert!(finished);
/// assert_eq!(scheduler.store().runs(&Default::default())?[0].outcome, Some(Outcome::Succeeded));
/// scheduler.shutdown(std::time::Duration::from_secs(1)).wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Scheduler {
    inbox: Inbox,
    store: Arc<dyn JobStore>,
    writer: Arc<Writer>,
    works: Works,
    events: Events,
    clock: Clock,
    defaults: Defaults,
    settings: Settings,
    /// How it ended, once it has.
    stopped: watch::Receiver<Option<Result<(), SchedulerError>>>,
}

impl Scheduler {
    /// Starts to gather the parts of a scheduler.
    pub fn builder() -> Builder {
        Builder::new()
    }

    #[expect(clippy::too_many_arguments, reason = "they are its parts")]
    pub(super) fn new(
        inbox: Inbox,
        store: Arc<dyn JobStore>,
        writer: Arc<Writer>,
        works: Works,
        events: Events,
        clock: Clock,
        defaults: Defaults,
        settings: Settings,
        stopped: watch::Receiver<Option<Result<(), SchedulerError>>>,
    ) -> Self {
        Self { inbox, store, writer, works, events, clock, defaults, settings, stopped }
    }

    /// Adds a job, which must not come from the manifest or folder. It is durable when the answer is there. Unless its
    /// policy says otherwise, it is removed once its trigger has nothing left and its last run has ended.
    ///
    /// Answers with [`Rejection::JobExists`](clockbox_core::timetable::Rejection::JobExists) where the name is taken.
    ///
    /// ```
    /// # use clockbox::{Job, Scheduler};
    /// # use std::time::Duration;
    /// # let scheduler = Scheduler::builder().start()?;
    /// let cancel = Job::new("cancel-order-7").plugin("cancel-order").args(7).after(Duration::from_secs(30 * 60));
    /// scheduler.add_job(cancel).wait()?;
    /// let paid = scheduler.remove_job("cancel-order-7".parse()?, clockbox::Running::Finish);
    /// paid.wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_job(&self, job: impl IntoJob) -> Reply<()> {
        self.add_jobs([job], Conflict::Error)
    }

    /// Adds a job, or replaces the one of that name; answers with
    /// [`Rejection::NotOwner`](clockbox_core::timetable::Rejection::NotOwner) where that one comes from the manifest or
    /// folder.
    pub fn put_job(&self, job: impl IntoJob) -> Reply<()> {
        self.add_jobs([job], Conflict::Replace)
    }

    /// Adds jobs in one transaction: all of them, or none. `conflict` says what becomes of names that are taken.
    pub fn add_jobs(&self, jobs: impl IntoIterator<Item = impl IntoJob>, conflict: Conflict) -> Reply<()> {
        let defaults = self.defaults.get();
        let terms = JobTerms { defaults: &defaults, now: self.clock.now() };
        match jobs.into_iter().map(|job| job.into_job(terms).map(Arc::new)).collect() {
            Ok(jobs) => self.change(Input::AddJobs { jobs, conflict }),
            Err(error) => {
                let (reply_to, reply) = Reply::channel();
                reply_to.answer(Err(SchedulerError::Job(error)));
                reply
            }
        }
    }

    /// Changes properties of a job, at once. Of a job of the manifest or folder, that outlives reloads and restarts
    /// until the manifest or folder itself says something new about the job.
    pub fn modify_job(&self, job: JobId, patch: JobPatch) -> Reply<()> {
        self.change(Input::ModifyJob { job, patch: Box::new(patch) })
    }

    /// Changes a job by what it is at that moment: nothing else comes between the look and the change. `change` answers
    /// with what to change, or with why nothing is to be changed, which is then the answer of this call.
    ///
    /// ```
    /// # use clockbox::{Job, JobPatch, Policy, PolicyPatch, Scheduler, Source, Trigger, TriggerSpec};
    /// # let scheduler = Scheduler::builder().start()?;
    /// # let job = Job {
    /// #     id: "a".parse()?, plugin: "p".parse()?, pool: clockbox::PoolName::default_pool(),
    /// #     trigger: Trigger::new(TriggerSpec::interval("2h"), chrono_tz::UTC)?, args: "null".into(),
    /// #     policy: Policy::default().into(), source: Source::Api,
    /// # };
    /// scheduler.add_job(job).wait()?;
    /// let more = |record: &clockbox::JobRecord| {
    ///     let priority = Some(record.job.policy.priority + 1);
    ///     Ok(JobPatch { policy: PolicyPatch { priority, ..PolicyPatch::default() }, ..JobPatch::default() })
    /// };
    /// scheduler.update_job("a".parse()?, more).wait()?;
    /// scheduler.update_job("a".parse()?, more).wait()?;
    /// assert_eq!(scheduler.job("a".parse()?).wait()?.unwrap().job.policy.priority, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update_job(
        &self,
        job: JobId,
        change: impl FnOnce(&JobRecord) -> Result<JobPatch, SchedulerError> + Send + 'static,
    ) -> Reply<()> {
        self.decide(move |timetable| {
            let record = timetable.job(&job).ok_or_else(|| Rejection::NoSuchJob(job.clone()))?;
            let patch = Box::new(change(record)?);
            Ok(Input::ModifyJob { job, patch })
        })
    }

    /// Gives a job another trigger, as [`modify_job`](Self::modify_job) does. What was due under the old one is decided
    /// first.
    pub fn reschedule_job(&self, job: JobId, trigger: Trigger) -> Reply<()> {
        self.modify_job(job, JobPatch { trigger: Some(trigger), ..JobPatch::default() })
    }

    /// Removes a job; its history stays, and what waits of it is recorded as skipped. A job of the manifest or folder
    /// is not removed: that is to be done there.
    pub fn remove_job(&self, job: JobId, running: Running) -> Reply<()> {
        self.change(Input::RemoveJob { job, running })
    }

    /// Removes every job but those of the manifest and folder, and answers with how many there were; as
    /// [`remove_job`](Self::remove_job) does with each.
    pub fn remove_all_jobs(&self, running: Running) -> Reply<usize> {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let decision = move |timetable: &Timetable| {
            let removed = timetable.jobs().filter(|record| !record.job.source.is_reloaded()).count();
            counted.store(removed, Ordering::Relaxed);
            Ok(Input::RemoveAllJobs { running })
        };
        self.decide_for(decision, move |_| Ok(count.load(Ordering::Relaxed)))
    }

    /// Lets a job not fire until it is resumed. Fires that come due meanwhile are caught up by the job's policy. `by`
    /// and `note` say who paused it and why.
    pub fn pause_job(&self, job: JobId, by: Option<String>, note: Option<String>) -> Reply<()> {
        self.change(Input::PauseJob { job, by, note })
    }

    /// Lets a paused job fire again.
    pub fn resume_job(&self, job: JobId) -> Reply<()> {
        self.change(Input::ResumeJob(job))
    }

    /// Lets nothing start until [`resume`](Self::resume), over restarts too. Fires that come due meanwhile are caught
    /// up by their jobs' policies; a run on demand waits. `by` and `note` say who paused it and why.
    pub fn pause(&self, by: Option<String>, note: Option<String>) -> Reply<()> {
        self.change(Input::Pause { by, note })
    }

    /// Since when everything is paused, by whom and why; `None` while it is not.
    pub fn paused(&self) -> Reply<Option<Pause>> {
        self.ask(|timetable| timetable.paused().cloned())
    }

    /// Lets jobs fire again.
    pub fn resume(&self) -> Reply<()> {
        self.change(Input::Resume)
    }

    /// Adds or resizes a pool. What runs in a pool that shrinks runs on.
    pub fn set_pool(&self, pool: Pool) -> Reply<()> {
        self.change(Input::Apply(Change { pools: vec![pool], ..Change::default() }))
    }

    /// Every pool, by name, and how full it is.
    pub fn pools(&self) -> Reply<Vec<PoolLoad>> {
        self.ask(|timetable| timetable.loads().collect())
    }

    /// Runs a job now, once, without moving its schedule; `args` is JSON text in the place of the job's own. Answers
    /// with the id of the run once it is on record.
    pub fn run_now(&self, job: JobId, args: Option<String>) -> Reply<RunId> {
        self.tell(Input::RunNow { job, args }, |runs| runs.first().copied().ok_or(SchedulerError::Refused))
    }

    /// Stops a run: drops it where it waits, else asks its instance to stop and stops it soon after.
    pub fn cancel_run(&self, run: RunId, why: impl Into<String>) -> Reply<()> {
        self.change(Input::CancelRun { run, why: why.into() })
    }

    /// Changes what a job remembers, by hand: all of it, or nothing where it is refused
    /// ([`SchedulerError::State`]). A run that has compared one of these keys, and ends later, fails for it. The state may
    /// be as large as `limits.state` of the job's plugin says; what [`StateChanges::limit`] says is not looked at.
    ///
    /// ```
    /// # use clockbox::{Job, JobId, Policy, Scheduler, Source, StateChanges, StateEntry, Trigger, TriggerSpec};
    /// # let scheduler = Scheduler::builder().start()?;
    /// # let job = Job {
    /// #     id: "a".parse()?, plugin: "p".parse()?, pool: clockbox::PoolName::default_pool(),
    /// #     trigger: Trigger::new(TriggerSpec::interval("2h"), chrono_tz::UTC)?, args: "null".into(),
    /// #     policy: Policy::default().into(), source: Source::Api,
    /// # };
    /// scheduler.add_job(job).wait()?;
    /// let entry = StateEntry { value: (*b"17").into(), expires_at: None };
    /// let put = [("cursor".to_owned(), Some(entry))].into();
    /// let changes = StateChanges { put, ..StateChanges::default() };
    /// scheduler.change_state("a".parse()?, changes).wait()?;
    /// let state = scheduler.store().state(&"a".parse()?, scheduler.clock().now())?;
    /// assert_eq!(state.0["cursor"].value[..], *b"17");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn change_state(&self, job: JobId, changes: StateChanges) -> Reply<()> {
        let (reply_to, reply) = Reply::channel();
        let (works, writer, clock) = (self.works.clone(), Arc::clone(&self.writer), self.clock.clone());
        let submit = move |timetable: &Timetable| {
            let Some(record) = timetable.job(&job) else {
                return reply_to.answer(Err(Rejection::NoSuchJob(job).into()));
            };
            let changes = Box::new(StateChanges { limit: works.state_limit(&record.job.plugin), ..changes });
            let write = Write::State { job, changes, at: clock.now() };
            writer.submit(vec![write], move |answers| {
                reply_to.answer(match answers.map(|mut answers| answers.pop()) {
                    Ok(Some(Err(refusal))) => Err(SchedulerError::State(refusal)),
                    Ok(_) => Ok(()),
                    Err(error) => Err(SchedulerError::Lost(error.to_string())),
                });
            });
        };
        // Behind what is decided already: a job that was added just now is stored by then.
        self.inbox.hand(Message::Ask(Box::new(submit)));
        reply
    }

    /// The most that jobs of this plugin may remember.
    pub(crate) fn state_limit(&self, plugin: &PluginName) -> u64 {
        self.works.state_limit(plugin)
    }

    /// Adds a loaded plugin, or replaces the one of that name; what runs keeps the one that it began with.
    pub fn add_plugin(&self, name: PluginName, plugin: Plugin) {
        self.works.insert(name, Work::Plugin(plugin), Some(self.clock.now()));
    }

    /// What a name of a plugin stands for.
    #[must_use]
    pub fn work(&self, name: &PluginName) -> Option<Work> {
        self.works.get(name)
    }

    /// What it was started with, beside jobs, pools, plugins and defaults.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The names that jobs can refer to as their plugin, in order.
    #[must_use]
    pub fn plugin_names(&self) -> Vec<PluginName> {
        self.works.names()
    }

    /// What a plugin name stands for, and since when.
    pub(crate) fn loaded(&self, name: &PluginName) -> Option<Loaded> {
        self.works.loaded(name)
    }

    /// How many jobs each plugin has.
    pub(crate) fn jobs_of_plugins(&self) -> Reply<BTreeMap<PluginName, usize>> {
        self.ask(|timetable| {
            let mut jobs = BTreeMap::new();
            for record in timetable.jobs() {
                *jobs.entry(record.job.plugin.clone()).or_default() += 1;
            }
            jobs
        })
    }

    /// Answered as soon as the scheduler gets to it: a sign of life.
    pub fn ping(&self) -> Reply<()> {
        self.ask(|_| ())
    }

    /// Every job, by name.
    pub fn jobs(&self) -> Reply<Vec<JobRecord>> {
        self.ask(|timetable| {
            let mut jobs: Vec<JobRecord> = timetable.jobs().cloned().collect();
            jobs.sort_by(|a, b| a.job.id.cmp(&b.job.id));
            jobs
        })
    }

    /// One job; `None` when there is none of that name.
    pub fn job(&self, id: JobId) -> Reply<Option<JobRecord>> {
        self.ask(move |timetable| timetable.job(&id).cloned())
    }

    /// Those of these jobs that there are.
    pub(crate) fn records_of(&self, ids: Vec<JobId>) -> Reply<Vec<JobRecord>> {
        self.ask(move |timetable| ids.iter().filter_map(|id| timetable.job(id).cloned()).collect())
    }

    /// How many runs are under way, what is due next, and whether anything is paused.
    ///
    /// ```
    /// let scheduler = clockbox::Scheduler::builder().start()?;
    /// assert_eq!(scheduler.status().wait()?.running, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self) -> Reply<Status> {
        self.ask(Status::of)
    }

    /// Every run that waits, runs or is to be tried again, oldest first.
    pub fn active_runs(&self) -> Reply<Vec<Run>> {
        self.ask(|timetable| {
            let mut runs: Vec<Run> = timetable.active_runs().cloned().collect();
            runs.sort_by_key(|run| run.id);
            runs
        })
    }

    /// What happens from here on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.events.subscribe()
    }

    /// Calls a function with whatever happens from here on, on a thread of its own: for user interfaces, and for whatever
    /// has a loop of its own to be woken. It gets every event in order, or `Err(n)` when `n` events were lost because it
    /// was too slow. It may wait for answers of the scheduler.
    ///
    /// ```
    /// # use clockbox::{Event, Scheduler};
    /// let scheduler = Scheduler::builder().start()?;
    /// let (wake, woken) = std::sync::mpsc::channel();
    /// let listener = scheduler.on_event(move |heard| drop(wake.send(heard)))?;
    /// scheduler.pause(None, None).wait()?;
    /// while !matches!(woken.recv()?.unwrap().event, Event::SchedulerPaused { .. }) {}
    /// scheduler.shutdown(std::time::Duration::ZERO).wait()?;
    /// listener.join();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no thread left for it.
    pub fn on_event(
        &self,
        callback: impl FnMut(Result<Happening, u64>) + Send + 'static,
    ) -> std::io::Result<Listener> {
        Listener::spawn(self.subscribe(), Box::new(callback))
    }

    /// Stays with the scheduler until it has stopped: to be awaited inside a program's own tokio, beside its server for
    /// instance. Dropped before that, as the loser of a `select!`, it stops the scheduler gently. Decisions and runs have
    /// threads of their own all the same, so that a busy program makes no fire late.
    ///
    /// ```
    /// # use clockbox::Scheduler;
    /// # use std::time::Duration;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// let scheduler = Scheduler::builder().start()?;
    /// let server = async { /* serves requests until it is told to stop */ };
    /// tokio::select! {
    ///     ended = scheduler.serve().grace(Duration::from_secs(10)) => ended?,
    ///     () = server => {}
    /// }
    /// scheduler.stopped().await;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn serve(&self) -> Serving {
        Serving::new(self.clone(), self.settings.shutdown_grace)
    }

    /// Blocks this thread until the scheduler has stopped. Not to be called from async code. With Ctrl-C:
    /// `scheduler.serve().stop_on_ctrl_c().wait()`.
    ///
    /// # Errors
    /// When it could not end in order.
    pub fn run_blocking(&self) -> Result<(), SchedulerError> {
        self.serve().wait()
    }

    /// The store: history, attempts and logs are read there.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn JobStore> {
        &self.store
    }

    /// What writes into the store.
    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The number of the latest event.
    pub(crate) fn latest_event(&self) -> u64 {
        self.events.latest()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Starts nothing more, lets what runs end, cancels what still runs after `grace`, and stops. A second call may
    /// only shorten the grace; one that comes after the end is answered as the first was.
    pub fn shutdown(&self, grace: Duration) -> Reply<()> {
        let (reply_to, reply) = Reply::channel();
        if self.inbox.hand(Message::Shutdown { grace, reply: reply_to }) {
            return reply;
        }
        let (reply_to, reply) = Reply::channel();
        // A driver that broke down has left no answer.
        reply_to.answer(self.stopped.borrow().clone().unwrap_or(Err(SchedulerError::Stopped)));
        reply
    }

    /// Waits until the scheduler has stopped.
    pub async fn stopped(&self) {
        let mut stopped = self.stopped.clone();
        // An error means that the driver's thread is gone: stopped as well.
        drop(stopped.wait_for(Option::is_some).await);
    }

    /// Waits until the scheduler has stopped, and answers as [`shutdown`](Self::shutdown) does.
    pub(super) async fn ended(&self) -> Result<(), SchedulerError> {
        let mut stopped = self.stopped.clone();
        match stopped.wait_for(Option::is_some).await {
            Ok(ending) => ending.clone().unwrap_or(Err(SchedulerError::Stopped)),
            // The driver broke down.
            Err(_) => Err(SchedulerError::Stopped),
        }
    }

    /// Whether the scheduler has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        // A driver that broke down has let go of the other end.
        self.stopped.borrow().is_some() || self.stopped.has_changed().is_err()
    }

    /// Whether the scheduler has stopped because it was asked to, and recorded everything.
    pub(crate) fn is_stopped_in_order(&self) -> bool {
        matches!(&*self.stopped.borrow(), Some(Ok(())))
    }

    /// Gives the jobs that are added from now on other defaults.
    pub(crate) fn set_defaults(&self, defaults: JobDefaults) {
        self.defaults.set(defaults);
    }

    /// What a job has that says nothing of its own.
    #[must_use]
    pub fn defaults(&self) -> Arc<JobDefaults> {
        self.defaults.get()
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    fn change(&self, input: Input) -> Reply<()> {
        self.tell(input, |_| Ok(()))
    }

    /// Tells the timetable what its own state leads to.
    pub(crate) fn decide(
        &self,
        decision: impl FnOnce(&Timetable) -> Result<Input, SchedulerError> + Send + 'static,
    ) -> Reply<()> {
        self.decide_for(decision, |_| Ok(()))
    }

    /// The same, with an answer made of the runs that it recorded.
    pub(crate) fn decide_for<T: Send + 'static>(
        &self,
        decision: impl FnOnce(&Timetable) -> Result<Input, SchedulerError> + Send + 'static,
        answer: impl FnOnce(Vec<RunId>) -> Result<T, SchedulerError> + Send + 'static,
    ) -> Reply<T> {
        let (reply_to, reply) = Reply::channel();
        let reply_to = ReplyTo::mapping(reply_to, answer);
        self.inbox.hand(Message::Decide { decision: Box::new(decision), reply: reply_to });
        reply
    }

    fn tell<T: Send + 'static>(
        &self,
        input: Input,
        answer: impl FnOnce(Vec<RunId>) -> Result<T, SchedulerError> + Send + 'static,
    ) -> Reply<T> {
        let (reply_to, reply) = Reply::channel();
        let reply_to = ReplyTo::mapping(reply_to, answer);
        self.inbox.hand(Message::Tell { input, reply: reply_to });
        reply
    }

    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Timetable) -> T + Send + 'static,
    ) -> Reply<T> {
        let (reply_to, reply) = Reply::channel();
        self.inbox.hand(Message::Ask(Box::new(move |timetable| reply_to.answer(Ok(question(timetable))))));
        reply
    }
}
