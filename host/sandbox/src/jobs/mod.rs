//! Jobs as one run sees them, and what it asks to be done about them.

mod host;
mod rate;
mod show;

use std::collections::{BTreeMap, BTreeSet};

use clockbox_core::model::{Conflict, Job, JobChange, JobChanges, JobId, JobRecord, JobsReach, Source};

pub(crate) use rate::{Rate, Rates};

use crate::{bindings::clockbox::jobs::control::Error, request::JobView};

/// The most jobs that one run may look at, so that looking cannot keep the scheduler busy.
const MOST_LOOKED_AT: usize = 1_000;
/// The most changes of one run.
const MOST_CHANGES: usize = 10_000;

/// What a run knows of jobs and asks for.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    /// What the host said about each job that the run looked at.
    looked_at: BTreeMap<JobId, JobView>,
    /// The names that it may see.
    names: Option<BTreeSet<JobId>>,
    /// The jobs that the run changed, as they are then; `None`: removed.
    changed: BTreeMap<JobId, Option<JobRecord>>,
    list: Vec<JobChange>,
    /// By how many the jobs that runs of the plugin added have become more.
    more: i64,
}

impl Jobs {
    /// What is to be done when the run succeeds.
    pub(crate) fn into_changes(self, reach: impl FnOnce() -> JobsReach) -> Option<JobChanges> {
        (!self.list.is_empty()).then(|| JobChanges { reach: reach(), list: self.list })
    }

    /// A job by what is known of it, whether the run may see it or not.
    fn known(&self, name: &JobId) -> Option<&JobRecord> {
        match self.changed.get(name) {
            Some(changed) => changed.as_ref(),
            None => self.looked_at.get(name)?.record.as_ref(),
        }
    }

    fn seen(&self, name: &JobId, reach: &JobsReach) -> Result<&JobRecord, Error> {
        let seen = self.known(name).filter(|record| reach.sees(&record.job));
        seen.ok_or_else(|| {
            Error::NoSuchJob(format!("there is no job {:?} that this run can see", name.as_str()))
        })
    }

    /// A job that the run may change as it likes.
    fn own(&self, name: &JobId, reach: &JobsReach) -> Result<&JobRecord, Error> {
        let record = self.seen(name, reach)?;
        if reach.may_change(&record.job) {
            return Ok(record);
        }
        Err(Error::Denied(format!(
            "the job {:?} comes from {}, not from a run: it can be paused, resumed and run, and nothing else",
            name.as_str(),
            record.job.source
        )))
    }

    fn push(&mut self, change: JobChange) -> Result<(), Error> {
        if self.list.len() >= MOST_CHANGES {
            return Err(Error::TooMany(format!("a run may ask for {MOST_CHANGES} changes at most")));
        }
        self.list.push(change);
        Ok(())
    }

    /// Adds a job whose name the run has looked at.
    fn add(&mut self, job: Job, conflict: Conflict, reach: &JobsReach) -> Result<(), Error> {
        let name = job.id.clone();
        let known = self.known(&name);
        if known.is_some() {
            match conflict {
                Conflict::Error => {
                    return Err(Error::JobExists(format!("there is a job {:?} already", name.as_str())));
                }
                Conflict::Ignore => return Ok(()),
                Conflict::Replace => _ = self.own(&name, reach)?,
            }
        }
        let counts = |record: Option<&JobRecord>| {
            let is_ours =
                |source: &Source| matches!(source, Source::Job(adder) if adder.plugin == reach.by.plugin);
            i64::from(record.is_some_and(|record| is_ours(&record.job.source)))
        };
        let more = self.more + 1 - counts(known);
        let before = self.looked_at.get(&name).map_or(0, |view| view.added);
        let after = i64::try_from(before).unwrap_or(i64::MAX).saturating_add(more);
        if more > self.more && after > i64::from(reach.max_jobs) {
            return Err(Error::TooMany(format!(
                "runs of plugin {:?} have added {} jobs already, this one's included, and the limit is {} (allow.jobs.max_jobs)",
                reach.by.plugin.as_str(),
                i64::try_from(before).unwrap_or(i64::MAX).saturating_add(self.more),
                reach.max_jobs
            )));
        }
        let record = match known {
            Some(known) => JobRecord { job: job.clone().into(), ..known.clone() },
            None => JobRecord {
                job: job.clone().into(),
                declared: None,
                next_fire: None,
                last_fire: None,
                last_success: None,
                paused: None,
            },
        };
        self.push(JobChange::Add { job: job.into(), conflict })?;
        self.more = more;
        self.changed.insert(name, Some(record));
        Ok(())
    }

    /// The names that the run can see, its own changes included.
    fn names(&self, reach: &JobsReach) -> Vec<String> {
        let mut names = self.names.clone().unwrap_or_default();
        for (name, record) in &self.changed {
            match record {
                Some(record) if reach.sees(&record.job) => names.insert(name.clone()),
                _ => names.remove(name),
            };
        }
        names.into_iter().map(String::from).collect()
    }
}

#[cfg(test)]
mod tests;
