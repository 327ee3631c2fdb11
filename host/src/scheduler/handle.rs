//! The public handle on a running scheduler.

use std::{sync::Arc, time::Duration};

use clockbox_core::{
    model::{Job, JobId, JobRecord, PluginName, Pool, Run, RunId},
    timetable::{Change, Input, Timetable},
};
use clockbox_sandbox::Plugin;
use clockbox_store::JobStore;
use tokio::sync::watch;

use super::{Builder, Events, Inbox, Message, Reply, SchedulerError, Subscription, reply::ReplyTo};
use crate::{
    clock::Clock,
    pool::{Work, Works},
};

/// A handle on a running scheduler. Clones refer to the same one; it runs until [`shutdown`](Self::shutdown), also when
/// every handle is gone.
///
/// ```
/// use clockbox::{Job, JobId, Outcome, PluginName, Policy, PoolName, Report, Scheduler, Source, Trigger, TriggerSpec};
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
///     policy: Policy::default(),
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
    works: Works,
    events: Events,
    clock: Clock,
    stopped: watch::Receiver<bool>,
}

impl Scheduler {
    /// Starts to gather the parts of a scheduler.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(super) fn new(
        inbox: Inbox,
        store: Arc<dyn JobStore>,
        works: Works,
        events: Events,
        clock: Clock,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self { inbox, store, works, events, clock, stopped }
    }

    /// Adds a job, or replaces the one of that name.
    pub fn add_job(&self, job: Job) -> Reply<()> {
        let change = Change { put: vec![Arc::new(job)], ..Change::default() };
        self.change(Input::Apply(change))
    }

    /// Removes a job; its history stays, and what runs of it runs on. A job that does not exist is no error.
    pub fn remove_job(&self, job: JobId) -> Reply<()> {
        self.change(Input::Apply(Change { remove: vec![job], ..Change::default() }))
    }

    /// Lets a job not fire until it is resumed. Fires that come due meanwhile are caught up by the job's policy.
    pub fn pause_job(&self, job: JobId, note: Option<String>) -> Reply<()> {
        self.change(Input::PauseJob { job, note })
    }

    /// Lets a paused job fire again.
    pub fn resume_job(&self, job: JobId) -> Reply<()> {
        self.change(Input::ResumeJob(job))
    }

    /// Lets no job fire until [`resume`](Self::resume).
    pub fn pause(&self) -> Reply<()> {
        self.change(Input::Pause)
    }

    /// Lets jobs fire again.
    pub fn resume(&self) -> Reply<()> {
        self.change(Input::Resume)
    }

    /// Adds or resizes a pool. What runs in a pool that shrinks runs on.
    pub fn set_pool(&self, pool: Pool) -> Reply<()> {
        self.change(Input::Apply(Change { pools: vec![pool], ..Change::default() }))
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

    /// Adds a loaded plugin, or replaces the one of that name; what runs keeps the one that it began with.
    pub fn add_plugin(&self, name: PluginName, plugin: Plugin) {
        self.works.insert(name, Work::Plugin(plugin));
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

    /// The store: history, attempts and logs are read there.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn JobStore> {
        &self.store
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Starts nothing more, lets what runs end, cancels what still runs after `grace`, and stops. A second call may
    /// only shorten the grace.
    pub fn shutdown(&self, grace: Duration) -> Reply<()> {
        let (reply_to, reply) = Reply::channel();
        self.inbox.send(Message::Shutdown { grace, reply: reply_to });
        reply
    }

    /// Waits until the scheduler has stopped.
    pub async fn stopped(&self) {
        let mut stopped = self.stopped.clone();
        // An error means that the driver's thread is gone: stopped as well.
        drop(stopped.wait_for(|stopped| *stopped).await);
    }

    /// Whether the scheduler has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    fn change(&self, input: Input) -> Reply<()> {
        self.tell(input, |_| Ok(()))
    }

    fn tell<T: Send + 'static>(
        &self,
        input: Input,
        answer: impl FnOnce(Vec<RunId>) -> Result<T, SchedulerError> + Send + 'static,
    ) -> Reply<T> {
        let (reply_to, reply) = Reply::channel();
        let reply_to = ReplyTo::mapping(reply_to, answer);
        self.inbox.send(Message::Tell { input, reply: reply_to });
        reply
    }

    fn ask<T: Send + 'static>(&self, question: impl FnOnce(&Timetable) -> T + Send + 'static) -> Reply<T> {
        let (reply_to, reply) = Reply::channel();
        self.inbox.send(Message::Ask(Box::new(move |timetable| reply_to.answer(Ok(question(timetable))))));
        reply
    }
}
