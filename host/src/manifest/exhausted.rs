//! Jobs of a manifest that have nothing left to fire, or whose only time has gone by.

use std::{collections::HashMap, sync::Arc};

use chrono::TimeDelta;
use clockbox_core::{
    model::{Job, JobId, JobRecord, Timestamp},
    trigger::{When, local_time},
};

use super::{Manifest, Problem, Severity};

/// What a store knows of the jobs, by name.
pub type Stored = HashMap<JobId, JobRecord>;

impl Manifest {
    /// The jobs that can do nothing any more, each with the problem: an error where nothing is left to fire, a warning
    /// where a date lies too far back to run. A job that has fired under the same trigger before is not among them: it
    /// is done.
    #[must_use]
    pub fn exhausted(&self, stored: &Stored, now: Timestamp) -> Vec<(JobId, Problem)> {
        self.exhausted_of(self.jobs.values(), stored, now)
    }

    /// The same of some of its jobs.
    pub(crate) fn exhausted_of<'a>(
        &self,
        jobs: impl IntoIterator<Item = &'a Arc<Job>>,
        stored: &Stored,
        now: Timestamp,
    ) -> Vec<(JobId, Problem)> {
        let fresh = |job: &&Arc<Job>| record_of(job, stored).is_none_or(|record| record.last_fire.is_none());
        let jobs = jobs.into_iter().filter(fresh);
        jobs.filter_map(|job| Some((job.id.clone(), self.problem(job, now)?))).collect()
    }

    fn problem(&self, job: &Job, now: Timestamp) -> Option<Problem> {
        let (severity, field, message, hint) = match job.trigger.check_at(now) {
            Err(error) => {
                (Severity::Error, error.field, error.message, "change the trigger, or remove the job")
            }
            Ok(()) => (
                Severity::Warning,
                "date".to_owned(),
                too_late(job, now)?,
                "give it a time to come, or a longer misfire_grace",
            ),
        };
        let place = self.declared.get(&job.id)?.place.clone();
        let key = format!("jobs.{}.trigger.{field}", job.id);
        let key = key.trim_end_matches('.').to_owned();
        Some(Problem { severity, place, key, message, hint: Some(hint.to_owned()), excerpt: None })
    }
}

/// The record of a job, provided that it goes back to the same trigger; the job in it may have been modified by hand.
pub(super) fn record_of<'a>(job: &Job, stored: &'a Stored) -> Option<&'a JobRecord> {
    stored.get(&job.id).filter(|record| record.declaration().trigger == job.trigger)
}

/// What to say of a date that would be recorded as missed.
fn too_late(job: &Job, now: Timestamp) -> Option<String> {
    if !matches!(job.trigger.spec().when(), When::Date(_)) {
        return None;
    }
    let date = job.trigger.next_after(None, now)?;
    let late = now - date;
    if late <= TimeDelta::zero() || job.policy.misfire_grace.allows(late) {
        return None;
    }
    let date = local_time(date, job.trigger.zone()).format("%Y-%m-%d %H:%M:%S %:z");
    Some(format!(
        "{date} has gone by for longer than the job's misfire_grace, so it will be recorded as missed"
    ))
}
