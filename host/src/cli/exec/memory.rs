//! What a job remembers and the jobs that there are, while `exec` runs: in memory, and from one run to the next of a watch.

use std::{collections::BTreeMap, sync::Arc};

use clockbox_core::model::{
    Conflict, Effects, Job, JobChange, JobDefaults, JobId, JobPatch, JobRecord, JobState, Pause, PluginName,
    Source, Timestamp,
};
use serde_json::{Value, json};

/// What outlives a run.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) state: JobState,
    pub(super) jobs: BTreeMap<JobId, JobRecord>,
}

impl Memory {
    /// Knows the job that is run, as it is by now.
    pub(super) fn know(&mut self, job: &Arc<Job>) {
        let known = self.jobs.entry(job.id.clone());
        known.or_insert_with(|| record(Arc::clone(job), None)).job = Arc::clone(job);
    }

    /// How many jobs runs of the plugin have added.
    pub(super) fn added(&self, plugin: &PluginName) -> usize {
        let by =
            |record: &&JobRecord| matches!(&record.job.source, Source::Job(adder) if adder.plugin == *plugin);
        self.jobs.values().filter(by).count()
    }

    /// The names of the jobs of these plugins.
    pub(super) fn names(&self, plugins: &[PluginName]) -> Vec<JobId> {
        let theirs = self.jobs.values().filter(|record| plugins.contains(&record.job.plugin));
        theirs.map(|record| record.job.id.clone()).collect()
    }

    /// Lets what a success brings about take effect, and answers what was asked for about jobs; or why it cannot.
    pub(super) fn settle(&mut self, effects: &Effects, now: Timestamp) -> Result<Vec<Value>, String> {
        if let Some(changes) = &effects.state {
            self.state.merge(changes, now).map_err(|refusal| refusal.to_string())?;
        }
        let changes = effects.jobs.as_ref().map(|jobs| jobs.list.as_slice()).unwrap_or_default();
        Ok(changes.iter().map(|change| self.change(change, now)).collect())
    }

    /// Makes one change, which the sandbox has checked, and answers what it was.
    fn change(&mut self, change: &JobChange, now: Timestamp) -> Value {
        let name = change.job();
        let found = self.jobs.get_mut(name);
        match change {
            JobChange::Add { job, conflict } => {
                let is_left = found.is_some() && *conflict == Conflict::Ignore;
                if !is_left {
                    let next = job.trigger.next_after(None, now);
                    self.jobs.insert(name.clone(), record(Arc::clone(job), next));
                }
                let mut told = json!({ "change": if is_left { "keep" } else { "add" }, "job": name });
                told["keys"] = job.keys(&JobDefaults::default()).into();
                told
            }
            JobChange::Modify { patch, .. } => {
                let mut told = json!({ "change": "modify", "job": name });
                if let Some(record) = found {
                    let job = JobPatch::clone(patch).apply(&record.job);
                    told["keys"] = job.keys(&JobDefaults::default()).into();
                    record.job = Arc::new(job);
                }
                told
            }
            JobChange::Pause { note, .. } => {
                if let Some(record) = found {
                    record
                        .paused
                        .get_or_insert_with(|| Box::new(Pause { at: now, by: None, note: note.clone() }));
                }
                json!({ "change": "pause", "job": name, "note": note })
            }
            JobChange::Resume(_) => {
                if let Some(record) = found {
                    record.paused = None;
                }
                json!({ "change": "resume", "job": name })
            }
            JobChange::Remove(_) => {
                self.jobs.remove(name);
                json!({ "change": "remove", "job": name })
            }
            JobChange::Run { args, .. } => {
                let args =
                    args.as_deref().map(|args| serde_json::from_str(args).unwrap_or_else(|_| json!(args)));
                json!({ "change": "run", "job": name, "args": args })
            }
        }
    }
}

fn record(job: Arc<Job>, next_fire: Option<Timestamp>) -> JobRecord {
    JobRecord { job, declared: None, next_fire, last_fire: None, last_success: None, paused: None }
}
