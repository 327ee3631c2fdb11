//! What runs bring about with their success: it is there if the success is on record, and otherwise it never was.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use clockbox_core::model::*;
use fastrand::Rng;

use crate::{disk::Disk, plan};

/// What successes that are to be recorded ask for.
#[derive(Debug, Default)]
pub(crate) struct Asked(BTreeMap<RunId, (JobId, Effects)>);

/// The key that a run sets.
fn key(run: RunId) -> String {
    format!("by-{run}")
}

/// The job that a run adds.
pub(crate) fn child(run: RunId) -> JobId {
    JobId::new(format!("of-{run}")).unwrap()
}

impl Asked {
    /// Draws what a run asks for: a key of its own, one that all runs of its job change, and jobs.
    pub(crate) fn draw(
        &mut self,
        rng: &mut Rng,
        run: RunId,
        job: &JobId,
        known: &[JobId],
        disk: &Disk,
        now: Timestamp,
    ) -> Effects {
        let own = || StateEntry { value: run.to_string().into_bytes().into(), expires_at: None };
        let put = [(key(run), Some(own())), ("shared".to_owned(), Some(own()))].into();
        let stored = disk.store.state(job, now).unwrap().get("shared", now).map(|entry| entry.value.clone());
        let expected = match rng.u32(0..4) {
            0 => [("shared".to_owned(), stored)].into(),
            1 => [("shared".to_owned(), Some((*b"somebody else's").into()))].into(),
            _ => BTreeMap::new(),
        };
        let limit = if rng.u32(0..10) == 0 { 100 } else { 1 << 20 };
        let state = (rng.u32(0..4) > 0).then_some(StateChanges { put, expected, limit });
        let mut list =
            vec![JobChange::Add { job: plan::child(child(run)).into(), conflict: Conflict::Error }];
        let other = rng.choice(known).cloned().unwrap_or_else(|| child(run));
        list.extend(match rng.u32(0..8) {
            0 => Some(JobChange::Pause { job: other, note: None }),
            1 => Some(JobChange::Resume(other)),
            2 => Some(JobChange::Run { job: other, args: None }),
            // Mostly of one that is not a run's to remove: then nothing at all is done.
            3 => Some(JobChange::Remove(other)),
            4 => Some(JobChange::Run { job: child(run), args: None }),
            _ => None,
        });
        let Source::Job(by) = plan::added() else { unreachable!() };
        let plugins = [by.plugin.clone()].into();
        let reach = JobsReach { by: *by, plugins, max_jobs: if rng.u32(0..8) == 0 { 3 } else { 1000 } };
        let jobs = (state.is_none() || rng.u32(0..3) == 0).then_some(JobChanges { reach, list });
        let effects = Effects { state, jobs };
        self.0.insert(run, (job.clone(), effects.clone()));
        effects
    }

    /// What changes nothing by now does not do so later either.
    pub(crate) fn drop_idle(&mut self, run: RunId, is_paused: impl Fn(&JobId) -> bool) {
        let jobs = self.0.get_mut(&run).and_then(|(_, effects)| effects.jobs.as_mut());
        let Some(jobs) = jobs else { return };
        jobs.list.retain(|change| match change {
            JobChange::Pause { job, .. } => !is_paused(job),
            JobChange::Resume(job) => is_paused(job),
            _ => true,
        });
    }

    /// Another attempt of the run asks for nothing.
    pub(crate) fn forget(&mut self, run: RunId) {
        self.0.remove(&run);
    }

    /// What a run asks for of jobs.
    pub(crate) fn changes(&self, run: RunId) -> &[JobChange] {
        let jobs = self.0.get(&run).and_then(|(_, effects)| effects.jobs.as_ref());
        jobs.map_or(&[], |jobs| &jobs.list)
    }

    /// `lives` says of which jobs there has been only one, which is still there; `gone` which jobs went.
    pub(crate) fn audit(
        &self,
        disk: &Disk,
        now: Timestamp,
        lives_on: impl Fn(&JobId) -> bool,
        gone: &HashSet<JobId>,
    ) {
        let jobs: BTreeMap<JobId, JobRecord> =
            disk.store.jobs().unwrap().into_iter().map(|record| (record.job.id.clone(), record)).collect();
        let ever: BTreeSet<JobId> = disk.runs().into_iter().map(|run| run.job).collect();
        let states: BTreeMap<&JobId, JobState> =
            ever.iter().map(|job| (job, disk.store.state(job, now).unwrap())).collect();
        let succeeded = |run: RunId| disk.run(run).and_then(|run| run.outcome) == Some(Outcome::Succeeded);
        for (run, (job, effects)) in &self.0 {
            let (run, is_done) = (*run, succeeded(*run));
            let has_key = states[job].get(&key(run), now).is_some();
            let has_child = jobs.contains_key(&child(run)) || gone.contains(&child(run));
            assert!(!has_key || (is_done && effects.state.is_some()), "effects: a key of {run} without it");
            assert!(!has_child || (is_done && effects.jobs.is_some()), "effects: a job of {run} without it");
            if is_done && effects.state.is_some() && lives_on(job) {
                assert!(has_key, "effects: {run} of {job} succeeded and its key is not there");
            }
            if is_done && effects.jobs.is_some() {
                assert!(has_child, "effects: {run} of {job} succeeded and its job is not there");
            }
        }
        // Nothing else has a state, and no job has one that is not there.
        for (job, state) in states {
            assert!(state.0.is_empty() || jobs.contains_key(job), "effects: {job} left a state behind");
        }
    }
}
