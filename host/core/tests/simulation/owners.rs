//! Who owns which job, told a second time and as simply as can be: what the timetable is held against.

use std::{collections::BTreeMap, sync::Arc};

use clockbox_core::{model::*, timetable::*};

#[derive(Debug, Clone)]
pub(crate) struct Owned {
    pub(crate) job: Arc<Job>,
    declared: Option<Arc<Job>>,
    pub(crate) is_paused: bool,
}

impl Owned {
    fn new(job: &Arc<Job>) -> Self {
        Self { job: Arc::clone(job), declared: None, is_paused: false }
    }

    fn declaration(&self) -> &Arc<Job> {
        self.declared.as_ref().unwrap_or(&self.job)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Owners {
    pub(crate) jobs: BTreeMap<JobId, Owned>,
    shadowed: BTreeMap<JobId, Arc<Job>>,
}

impl Owners {
    pub(crate) fn restored(jobs: &[JobRecord]) -> Self {
        let owned = |record: &JobRecord| Owned {
            job: Arc::clone(&record.job),
            declared: record.declared.clone(),
            is_paused: record.paused.is_some(),
        };
        let jobs = jobs.iter().map(|record| (record.job.id.clone(), owned(record))).collect();
        Self { jobs, shadowed: BTreeMap::new() }
    }

    /// What an input that was accepted does to the jobs.
    pub(crate) fn apply(&mut self, input: &Input) {
        match input {
            Input::Apply(change) => {
                for id in &change.remove {
                    self.shadowed.remove(id);
                    self.jobs.retain(|known, owned| known != id || !owned.job.source.is_reloaded());
                }
                change.put.iter().for_each(|job| self.declare(job));
            }
            Input::AddJobs { jobs, conflict } => {
                for job in jobs {
                    match self.jobs.get_mut(&job.id) {
                        None => drop(self.jobs.insert(job.id.clone(), Owned::new(job))),
                        Some(owned) if *conflict == Conflict::Replace => owned.job = Arc::clone(job),
                        Some(_) => {}
                    }
                }
            }
            Input::ModifyJob { job, patch } => {
                let owned = self.jobs.get_mut(job).unwrap();
                let declaration = Arc::clone(owned.declaration());
                owned.job = Arc::new((**patch).clone().apply(&owned.job));
                owned.declared =
                    (owned.job.source.is_reloaded() && owned.job != declaration).then_some(declaration);
            }
            Input::RemoveJob { job, .. } => self.remove(job),
            Input::PauseJob { job, .. } => self.jobs.get_mut(job).unwrap().is_paused = true,
            Input::ResumeJob(job) => self.jobs.get_mut(job).unwrap().is_paused = false,
            _ => {}
        }
    }

    /// What a run asked for, and the store has taken.
    pub(crate) fn change(&mut self, change: &JobChange) {
        let owned = self.jobs.get_mut(change.job());
        match (change, owned) {
            (JobChange::Add { job, .. }, None) => drop(self.jobs.insert(job.id.clone(), Owned::new(job))),
            (JobChange::Pause { .. }, Some(owned)) => owned.is_paused = true,
            (JobChange::Resume(_), Some(owned)) => owned.is_paused = false,
            (JobChange::Remove(job), Some(_)) => self.remove(job),
            _ => {}
        }
    }

    fn declare(&mut self, job: &Arc<Job>) {
        match self.jobs.get_mut(&job.id) {
            None => drop(self.jobs.insert(job.id.clone(), Owned::new(job))),
            Some(owned) if !owned.job.source.is_reloaded() => {
                self.shadowed.insert(job.id.clone(), Arc::clone(job));
            }
            Some(owned) if owned.declaration() == job => {}
            Some(owned) => (owned.job, owned.declared) = (Arc::clone(job), None),
        }
    }

    pub(crate) fn remove(&mut self, id: &JobId) {
        self.jobs.remove(id);
        if let Some(job) = self.shadowed.remove(id) {
            self.jobs.insert(id.clone(), Owned::new(&job));
        }
    }

    /// Holds the timetable against this.
    pub(crate) fn check(&self, timetable: &Timetable) {
        let count = timetable.jobs().count();
        assert_eq!(count, self.jobs.len(), "ownership: {:?} against {:?}", self.jobs.keys(), timetable);
        for record in timetable.jobs() {
            let Some(owned) = self.jobs.get(&record.job.id) else {
                panic!("ownership: nobody owns {:?}", record.job);
            };
            let same = |a: &Arc<Job>, b: &Arc<Job>| Arc::ptr_eq(a, b) || a == b;
            assert!(same(&owned.job, &record.job), "ownership: {:?} became {:?}", owned.job, record.job);
            assert_eq!(owned.declared, record.declared, "ownership: the declaration of {:?}", record.job.id);
            assert_eq!(owned.is_paused, record.paused.is_some(), "pause: {:?} forgot it", record.job.id);
        }
    }
}
