//! A store as the timetable expects one: unique fires, refusals, and nothing but what was committed.

use std::collections::{BTreeMap, HashMap};

use clockbox_core::{
    model::{JobId, JobRecord, Outcome, Run, RunId, Timestamp, Write},
    timetable::Unfinished,
};

#[derive(Default)]
pub(crate) struct ModelStore {
    pub(crate) jobs: BTreeMap<JobId, JobRecord>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) fires: HashMap<(JobId, Timestamp), RunId>,
    attempt_starts: HashMap<RunId, Timestamp>,
}

impl ModelStore {
    /// Applies one write; false when it is refused.
    pub(crate) fn write(&mut self, write: &Write) -> bool {
        match write {
            Write::PutJob(record) => {
                self.jobs.insert(record.job.id.clone(), (**record).clone());
            }
            Write::RemoveJob(job) => {
                self.jobs.remove(job);
            }
            Write::Fire { run, next_fire } => {
                if let (Some(next_fire), Some(record)) = (next_fire, self.jobs.get_mut(&run.job)) {
                    record.next_fire = *next_fire;
                    record.last_fire = Some(run.scheduled_at);
                }
                if self.fires.contains_key(&(run.job.clone(), run.scheduled_at)) {
                    return false;
                }
                self.fires.insert((run.job.clone(), run.scheduled_at), run.id);
                self.attempt_starts.insert(run.id, run.recorded_at);
                assert!(self.runs.insert(run.id, (**run).clone()).is_none(), "run id {} given twice", run.id);
            }
            Write::Update { run, attempt } => {
                let Some(known) = self.runs.get_mut(&run.id) else { return false };
                assert!(!known.state.is_final(), "{} changed after its end: {known:?} to {run:?}", run.id);
                *known = (**run).clone();
                if let Some(attempt) = attempt {
                    self.attempt_starts.insert(run.id, attempt.started_at);
                }
                if run.outcome == Some(Outcome::Succeeded)
                    && let Some(record) = self.jobs.get_mut(&run.job)
                {
                    record.last_success = record.last_success.max(Some(run.scheduled_at));
                }
            }
            Write::Log { run, .. } => return self.runs.contains_key(run),
        }
        true
    }

    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        self.runs
            .values()
            .filter(|run| !run.state.is_final())
            .map(|run| Unfinished {
                run: run.clone(),
                attempt_started_at: self.attempt_starts.get(&run.id).copied(),
            })
            .collect()
    }
}
