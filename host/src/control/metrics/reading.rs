//! How things stand when somebody reads.

use std::collections::BTreeMap;

use clockbox_core::{
    model::{JobId, Timestamp},
    timetable::{PoolLoad, Timetable},
};
use clockbox_sandbox::{CacheUse, Sandbox};
use clockbox_store::CommitFigures;

use super::process::Process;
use crate::control::app::App;

/// Every kind of source of a job.
const SOURCES: [&str; 4] = ["manifest", "folder", "api", "job"];

/// How many jobs there are, by their source and whether they are paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JobCounts(BTreeMap<(&'static str, bool), u64>);

impl JobCounts {
    fn of(timetable: &Timetable) -> Self {
        let none = SOURCES.iter().flat_map(|source| [((*source, false), 0), ((*source, true), 0)]);
        let mut counts: BTreeMap<_, u64> = none.collect();
        for record in timetable.jobs() {
            *counts.entry((record.job.source.kind(), record.paused.is_some())).or_default() += 1;
        }
        Self(counts)
    }

    pub(super) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// By source, and whether they are paused.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, bool, u64)> + '_ {
        self.0.iter().map(|((source, paused), count)| (*source, *paused, *count))
    }
}

/// The times of a job that has series of its own.
#[derive(Debug)]
pub(super) struct JobTimes {
    pub(super) job: JobId,
    /// `None` while it is paused as well: then nothing is late.
    pub(super) next_fire: Option<Timestamp>,
    pub(super) last_fire: Option<Timestamp>,
    pub(super) last_success: Option<Timestamp>,
    pub(super) is_paused: bool,
}

/// What the timetable says.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) pools: Vec<PoolLoad>,
    pub(super) times: Vec<JobTimes>,
    /// Where they were to be counted.
    pub(super) jobs: Option<JobCounts>,
    pub(super) running: usize,
    pub(super) waiting: usize,
    pub(super) next_wake: Option<Timestamp>,
    pub(super) is_paused: bool,
    pub(super) is_held: bool,
    pub(super) is_draining: bool,
}

impl Standing {
    /// Asks after these jobs, and perhaps how many there are.
    pub(super) fn of(timetable: &Timetable, named: Vec<JobId>, counts_jobs: bool) -> Self {
        let times = named.into_iter().filter_map(|job| {
            let record = timetable.job(&job)?;
            let is_paused = record.paused.is_some();
            Some(JobTimes {
                job,
                next_fire: record.next_fire.filter(|_| !is_paused),
                last_fire: record.last_fire,
                last_success: record.last_success,
                is_paused,
            })
        });
        let running = timetable.running();
        Self {
            pools: timetable.loads().collect(),
            times: times.collect(),
            jobs: counts_jobs.then(|| JobCounts::of(timetable)),
            running,
            waiting: timetable.active_runs().len().saturating_sub(running),
            next_wake: timetable.next_wake(),
            is_paused: timetable.paused().is_some(),
            is_held: timetable.is_held(),
            is_draining: timetable.is_draining(),
        }
    }
}

/// How everything stands.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) standing: Standing,
    /// Events that have happened and are not counted yet.
    pub(super) behind: u64,
    pub(super) started_at: Timestamp,
    pub(super) commits: CommitFigures,
    pub(super) pending_writes: usize,
    pub(super) is_store_failing: bool,
    /// Open connections by the door that they came in at.
    pub(super) connections: [(&'static str, usize); 2],
    pub(super) cache: Option<CacheUse>,
    pub(super) process: Option<Process>,
}

impl Reading {
    /// It reads folders: off the async threads.
    pub(super) fn new(app: &App, standing: Standing, behind: u64) -> Self {
        let writer = app.scheduler.writer();
        Self {
            standing,
            behind,
            started_at: app.started_at,
            commits: writer.commit_figures(),
            pending_writes: writer.pending(),
            is_store_failing: writer.is_failing(),
            connections: app.places.taken(),
            cache: app.hooks.sandbox.as_ref().and_then(cache_use),
            process: Process::now(),
        }
    }
}

fn cache_use(sandbox: &Sandbox) -> Option<CacheUse> {
    let cache = sandbox.cache_use();
    cache
        .inspect_err(|error| tracing::debug!("the compile cache cannot be looked at: {error}"))
        .ok()
        .flatten()
}
