//! The host of a run of `exec`: it shows what the guest says as it comes, and answers from memory.

use std::{
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clockbox_core::model::{
    Job, JobDefaults, JobId, JobPatch, JobState, LogLine, PluginName, Pool, PoolName, Source, Timestamp,
};
use clockbox_sandbox::{JobDraft, JobView, Pending, RunSink};

use serde_json::{Value, json};

use super::memory::Memory;
use crate::{
    cli::text,
    clock::Clock,
    control::view::LogView,
    manifest::{self, Terms},
};

/// Where what a run says goes.
pub(super) struct Sink {
    memory: Arc<Mutex<Memory>>,
    attempt: u32,
    lines: Mutex<Vec<LogView>>,
    progress: Mutex<Vec<Value>>,
}

impl Sink {
    pub(super) fn new(memory: Arc<Mutex<Memory>>, attempt: u32) -> Self {
        Self { memory, attempt, lines: Mutex::default(), progress: Mutex::default() }
    }

    /// The log so far, and what was told of progress.
    pub(super) fn take(&self) -> (Vec<LogView>, Vec<Value>) {
        (std::mem::take(&mut lock(&self.lines)), std::mem::take(&mut lock(&self.progress)))
    }
}

/// What these locks guard is changed in one step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line of the log, as `runs logs` has it.
fn shown(line: &LogView) -> String {
    let fields: String = line.fields.iter().map(|(key, value)| format!(" {key}={value}")).collect();
    let message = text::plain(&format!("{}{fields}", line.message));
    format!("{} {:<6} {:<5} {message}", line.at.format("%H:%M:%S%.3f"), line.stream, line.level)
}

impl RunSink for Sink {
    fn now(&self) -> Timestamp {
        Clock::system().now()
    }

    fn log(&self, line: LogLine) {
        let line = LogView::new(&(self.attempt, line));
        eprintln!("{}", shown(&line));
        lock(&self.lines).push(line);
    }

    fn progress(&self, done: u64, total: Option<u64>, note: Option<String>) {
        lock(&self.progress).push(json!({ "done": done, "total": total, "note": note }));
        let total = total.map(|total| format!(" of {total}")).unwrap_or_default();
        let note = note.map(|note| format!(": {}", text::plain(&note))).unwrap_or_default();
        eprintln!("progress {done}{total}{note}");
    }

    fn state(&self) -> Pending<JobState> {
        Box::pin(ready(Ok(lock(&self.memory).state.clone())))
    }

    fn job(&self, name: JobId, plugin: PluginName) -> Pending<JobView> {
        let memory = lock(&self.memory);
        let pools = vec![Pool::new(PoolName::default_pool())];
        let view = JobView { record: memory.jobs.get(&name).cloned(), added: memory.added(&plugin), pools };
        Box::pin(ready(Ok(view)))
    }

    fn jobs(&self, plugins: Vec<PluginName>) -> Pending<Vec<JobId>> {
        Box::pin(ready(Ok(lock(&self.memory).names(&plugins))))
    }

    fn read_job(&self, draft: JobDraft<'_>) -> Result<Job, String> {
        let JobDraft { name, plugin, source, keys, pools } = draft;
        let terms = Terms { pools, defaults: &JobDefaults::default() };
        let parent = match &source {
            Source::Job(adder) => {
                lock(&self.memory).jobs.get(&adder.job).map(|record| Arc::clone(&record.job))
            }
            _ => None,
        };
        let job = manifest::read_job(&name, Some(plugin), source, keys, terms);
        let job = job.map_err(|problems| problems.to_string())?;
        match parent {
            Some(parent) => job.narrowed_like(&parent),
            None => Ok(job),
        }
    }

    fn read_changes(&self, job: &Job, keys: &str, pools: &[Pool]) -> Result<JobPatch, String> {
        let terms = Terms { pools, defaults: &JobDefaults::default() };
        manifest::read_changes(job, keys, terms).map_err(|problems| problems.to_string())
    }
}
