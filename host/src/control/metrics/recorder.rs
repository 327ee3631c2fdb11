//! Counts what happens.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::TimeDelta;
use clockbox_core::model::{Cause, Event, JobId, Timestamp};
use prometheus_client::metrics::histogram::Histogram;

use super::{
    reading::JobCounts,
    series::{Became, Series},
};
use crate::scheduler::Happening;

/// The upper bounds of the buckets of lateness, in seconds.
const LATENESS: [f64; 18] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
    3600.0,
];
/// What stands for all jobs that have no series of their own: no job can have this name.
const REST: &str = "*";
/// Up to so many jobs are counted whenever one has changed; more of them only from time to time, as the scheduler is kept
/// busy by it.
const FEW_JOBS: u64 = 10_000;
/// How often that is.
const EVERY: TimeDelta = TimeDelta::minutes(1);

/// An event, or how many were lost.
pub(super) type Heard = Result<Happening, u64>;

/// What has been counted since the start.
#[derive(Debug)]
pub(super) struct Recorder {
    /// The most jobs that have series of their own.
    most: usize,
    named: BTreeMap<JobId, Series>,
    rest: Series,
    lateness: Histogram,
    reloads: u64,
    rejected_reloads: u64,
    lost: u64,
    /// How many jobs there are, as they were counted last, and when that was.
    jobs: Option<(JobCounts, Timestamp)>,
    /// A job has come, gone, or been changed since.
    jobs_changed: bool,
}

impl Recorder {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            named: BTreeMap::new(),
            rest: Series::default(),
            lateness: Histogram::new(LATENESS),
            reloads: 0,
            rejected_reloads: 0,
            lost: 0,
            jobs: None,
            jobs_changed: false,
        }
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// The jobs that have series of their own.
    pub(super) fn named(&self) -> Vec<JobId> {
        self.named.keys().cloned().collect()
    }

    /// Gives jobs series of their own, as far as there is room.
    pub(super) fn name_all(&mut self, jobs: impl IntoIterator<Item = JobId>) {
        for job in jobs {
            if self.named.len() < self.most {
                self.named.entry(job).or_default();
            }
        }
    }

    /// Drops the series of jobs that are gone.
    pub(super) fn drop_all(&mut self, jobs: &[JobId]) {
        jobs.iter().for_each(|job| _ = self.named.remove(job));
    }

    /// The jobs that might have series of their own after these events, if they are such as last.
    pub(super) fn asks_about(&self, batch: &[Heard]) -> BTreeSet<JobId> {
        let gives_way = |heard: &Heard| matches!(heard, Ok(Happening { event: Event::JobRemoved { job }, .. }) if self.named.contains_key(job));
        if self.named.len() >= self.most && !batch.iter().any(gives_way) {
            return BTreeSet::new();
        }
        let news = batch.iter().flatten().filter_map(|happening| match &happening.event {
            Event::JobAdded { job } | Event::JobModified { job } => Some(job.clone()),
            _ => None,
        });
        news.collect()
    }

    /// Counts events; the `lasting` jobs among those that are new are such as may have series of their own.
    pub(super) fn take_in(&mut self, batch: Vec<Heard>, lasting: &HashSet<JobId>) {
        for heard in batch {
            match heard {
                Ok(happening) => self.record(&happening, lasting),
                Err(lost) => {
                    self.lost += lost;
                    self.jobs_changed = true;
                }
            }
        }
    }

    fn record(&mut self, happening: &Happening, lasting: &HashSet<JobId>) {
        match &happening.event {
            Event::JobAdded { job } | Event::JobModified { job } => {
                self.jobs_changed = true;
                self.name_all(lasting.get(job).cloned());
            }
            Event::JobRemoved { job } => {
                self.jobs_changed = true;
                self.named.remove(job);
            }
            Event::JobPaused { .. } | Event::JobResumed { .. } => self.jobs_changed = true,
            Event::Fired { job, coalesced, .. } => self.of(job).fired(Became::Coalesced, *coalesced),
            Event::Missed { job, coalesced, .. } => {
                self.of(job).fired(Became::Missed, coalesced.saturating_add(1));
            }
            Event::Skipped { job, coalesced, .. } => {
                self.of(job).fired(Became::Skipped, coalesced.saturating_add(1));
            }
            Event::RunStarted { job, attempt: 1, cause, scheduled_at, .. } => {
                self.of(job).started(*cause);
                if *cause == Cause::Trigger {
                    self.of(job).fired(Became::Run, 1);
                    self.lateness.observe(seconds(happening.at - *scheduled_at).max(0.0));
                }
            }
            Event::RunRetrying { job, .. } => self.of(job).retried(),
            Event::RunFinished { job, attempt, cause, outcome, elapsed_ms, .. } => {
                let took = elapsed_ms.map(|ms| std::time::Duration::from_millis(ms).as_secs_f64());
                self.of(job).ended(*outcome, took);
                if *attempt == 0 && *cause == Cause::Trigger {
                    self.of(job).fired(Became::Cancelled, 1);
                }
            }
            Event::Reloaded { .. } => self.reloads += 1,
            Event::ReloadRejected { .. } => self.rejected_reloads += 1,
            _ => {}
        }
    }

    fn of(&mut self, job: &JobId) -> &mut Series {
        self.named.get_mut(job).unwrap_or(&mut self.rest)
    }

    /// Whether the jobs are to be counted anew.
    pub(super) fn wants_count_of_jobs(&mut self, now: Timestamp) -> bool {
        let wants = self.jobs.as_ref().is_none_or(|(jobs, at)| {
            let (is_few, age) = (jobs.total() <= FEW_JOBS, now - *at);
            self.jobs_changed && (is_few || age >= EVERY || age < TimeDelta::zero())
        });
        // What changes from here on may be in the count or not.
        self.jobs_changed &= !wants;
        wants
    }

    pub(super) fn jobs_were_counted(&mut self, jobs: JobCounts, at: Timestamp) {
        self.jobs = Some((jobs, at));
    }

    /// What is counted of each job, by its label.
    pub(super) fn series(&self) -> impl Iterator<Item = (&str, &Series)> {
        self.named.iter().map(|(job, series)| (job.as_str(), series)).chain([(REST, &self.rest)])
    }

    pub(super) fn jobs(&self) -> Option<&JobCounts> {
        self.jobs.as_ref().map(|(jobs, _)| jobs)
    }

    pub(super) fn lateness(&self) -> &Histogram {
        &self.lateness
    }

    /// Reloads that took effect, and those that were refused.
    pub(super) fn reloads(&self) -> (u64, u64) {
        (self.reloads, self.rejected_reloads)
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}

fn seconds(span: TimeDelta) -> f64 {
    span.as_seconds_f64()
}
