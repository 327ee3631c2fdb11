//! What a guest says while it runs: gathered for the store, shown at once. And what it is answered.

use std::sync::{Arc, Mutex, PoisonError};

use clockbox_core::model::{
    Job, JobId, JobPatch, JobState, LogLevel, LogLine, PluginName, Pool, RunId, Timestamp,
};
use clockbox_sandbox::{JobDraft, JobView, Pending, RunSink};

use super::{host, task::Sinks};
use crate::{
    manifest::{self, Terms},
    scheduler::Event,
};

/// One attempt's log lines on their way to the store.
pub(crate) struct LogBuffer {
    sinks: Arc<Sinks>,
    job: Arc<Job>,
    run: RunId,
    lines: Mutex<Vec<LogLine>>,
}

impl LogBuffer {
    pub(crate) fn new(sinks: Arc<Sinks>, job: Arc<Job>, run: RunId) -> Self {
        Self { sinks, job, run, lines: Mutex::default() }
    }

    /// The lines since the last call.
    pub(crate) fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RunSink for LogBuffer {
    fn now(&self) -> Timestamp {
        self.sinks.clock.now()
    }

    fn log(&self, line: LogLine) {
        let (job, run, message) = (self.job.id.as_str(), self.run, line.message.as_str());
        let fields = line.fields.iter().map(|(key, value)| format!(" {key}={value}")).collect::<String>();
        match line.level {
            LogLevel::Error => tracing::error!(target: "clockbox::guest", job, %run, "{message}{fields}"),
            LogLevel::Warn => tracing::warn!(target: "clockbox::guest", job, %run, "{message}{fields}"),
            LogLevel::Info => tracing::info!(target: "clockbox::guest", job, %run, "{message}{fields}"),
            LogLevel::Debug => tracing::debug!(target: "clockbox::guest", job, %run, "{message}{fields}"),
            LogLevel::Trace => tracing::trace!(target: "clockbox::guest", job, %run, "{message}{fields}"),
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn progress(&self, done: u64, total: Option<u64>, note: Option<String>) {
        let (job, run) = (self.job.id.clone(), self.run);
        let sinks = &self.sinks;
        sinks.events.publish(sinks.clock.now(), Event::RunProgressed { job, run, done, total, note });
    }

    fn state(&self) -> Pending<JobState> {
        host::state(&self.sinks.store, self.job.id.clone(), &self.sinks.clock)
    }

    fn job(&self, name: JobId, plugin: PluginName) -> Pending<JobView> {
        host::job(&self.sinks.inbox, name, plugin)
    }

    fn jobs(&self, plugins: Vec<PluginName>) -> Pending<Vec<JobId>> {
        host::jobs(&self.sinks.inbox, plugins)
    }

    fn read_job(&self, draft: JobDraft<'_>) -> Result<Job, String> {
        let JobDraft { name, plugin, source, keys, pools } = draft;
        let terms = Terms { pools, defaults: &self.sinks.defaults.get() };
        let job = manifest::read_job(&name, Some(plugin), source, keys, terms);
        job.map_err(|problems| problems.to_string())?.narrowed_like(&self.job)
    }

    fn read_changes(&self, job: &Job, keys: &str, pools: &[Pool]) -> Result<JobPatch, String> {
        let terms = Terms { pools, defaults: &self.sinks.defaults.get() };
        manifest::read_changes(job, keys, terms).map_err(|problems| problems.to_string())
    }
}
