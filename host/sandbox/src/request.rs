//! What a run is given, and where what it says goes.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
};

use clockbox_core::model::{
    Cause, Job, JobId, JobPatch, JobRecord, JobState, LogLine, PluginName, Pool, RunId, Source, Timestamp,
};

/// The facts of one attempt.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The job.
    pub job: JobId,
    /// The run; the guest's idempotency key.
    pub run: RunId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The nominal time of the fire.
    pub scheduled_at: Timestamp,
    /// The scheduled time of the job's latest successful run before this one.
    pub previous_success: Option<Timestamp>,
    /// Why the run exists.
    pub cause: Cause,
    /// The arguments: JSON text, `null` where there are none.
    pub args: Arc<str>,
}

/// An answer of the host that takes a moment; or why there is none.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;

/// What a host knows of a job that a guest asks about.
#[derive(Debug, Clone, Default)]
pub struct JobView {
    /// The job; `None` where there is none of that name.
    pub record: Option<JobRecord>,
    /// How many jobs there are that runs of the guest's plugin added.
    pub added: usize,
    /// The pools that a job can be in.
    pub pools: Vec<Pool>,
}

/// A job that a guest describes.
#[derive(Debug)]
pub struct JobDraft<'a> {
    /// Its name.
    pub name: JobId,
    /// Its plugin, unless the keys name another one.
    pub plugin: PluginName,
    /// Who adds it.
    pub source: Source,
    /// JSON text: an object with the keys of a job in the manifest.
    pub keys: &'a str,
    /// The pools that it can be in.
    pub pools: &'a [Pool],
}

/// The host of a run: where its log and progress go, where its time comes from, and what it can look at.
///
/// Every method is called from inside the run: it must not block. What a host has no answer to, it says so.
pub trait RunSink: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Takes a line of the run's log. Lines come in order, within the plugin's log limit.
    fn log(&self, line: LogLine);

    /// Takes a report of progress: at most one in 100 ms, and the last one.
    fn progress(&self, done: u64, total: Option<u64>, note: Option<String>);

    /// What the run's job remembers: stored, and not expired. Asked once, at the first use.
    fn state(&self) -> Pending<JobState> {
        none("it keeps no state of jobs")
    }

    /// What there is to know of a job, for a run of this plugin.
    fn job(&self, name: JobId, plugin: PluginName) -> Pending<JobView> {
        _ = (name, plugin);
        none("it has no jobs to look at")
    }

    /// The names of the jobs of these plugins.
    fn jobs(&self, plugins: Vec<PluginName>) -> Pending<Vec<JobId>> {
        _ = plugins;
        none("it has no jobs to look at")
    }

    /// Understands a job as a guest describes it.
    ///
    /// # Errors
    /// With every problem, a line each.
    fn read_job(&self, draft: JobDraft<'_>) -> Result<Job, String> {
        _ = draft;
        Err("this host understands no jobs".to_owned())
    }

    /// Understands keys that a guest changes of a job: JSON text as in [`JobDraft`].
    ///
    /// # Errors
    /// With every problem, a line each.
    fn read_changes(&self, job: &Job, keys: &str, pools: &[Pool]) -> Result<JobPatch, String> {
        _ = (job, keys, pools);
        Err("this host understands no jobs".to_owned())
    }
}

fn none<T: Send + 'static>(why: &str) -> Pending<T> {
    Box::pin(ready(Err(format!("the host cannot answer: {why}"))))
}
