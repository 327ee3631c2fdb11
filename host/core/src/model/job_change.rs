//! What a run asks to be done about jobs, with its success.

use std::{collections::BTreeSet, sync::Arc};

use super::{Adder, Job, JobId, JobPatch, PluginName, Source};

/// What becomes of a job that is added under a name that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflict {
    /// Nothing is added, and the answer says so.
    #[default]
    Error,
    /// It takes the other's place and keeps its history; its schedule, too, where the trigger is the same. Not that of
    /// a job of the manifest or folder, and a job replaces only what it added itself.
    Replace,
    /// The other stays as it is.
    Ignore,
}

/// What becomes of the runs under way of a job that is removed. What waits is recorded as skipped in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Running {
    /// They run to their end; there are no further attempts.
    #[default]
    Finish,
    /// They are cancelled.
    Cancel,
}

/// One thing that a run asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum JobChange {
    /// Add a job.
    Add {
        /// The job; its source is the run's.
        job: Arc<Job>,
        /// What becomes of a name that is taken.
        conflict: Conflict,
    },
    /// Change properties of a job that a run added.
    Modify {
        /// The job.
        job: JobId,
        /// What to change.
        patch: Box<JobPatch>,
    },
    /// Let a job not fire until it is resumed.
    Pause {
        /// The job.
        job: JobId,
        /// Why.
        note: Option<String>,
    },
    /// Let a job fire again.
    Resume(JobId),
    /// Remove a job that a run added.
    Remove(JobId),
    /// Run a job once, without moving its schedule.
    Run {
        /// The job.
        job: JobId,
        /// Arguments in place of the job's: JSON text.
        args: Option<String>,
    },
}

impl JobChange {
    /// The job that it is about.
    #[must_use]
    pub fn job(&self) -> &JobId {
        match self {
            Self::Add { job, .. } => &job.id,
            Self::Modify { job, .. } | Self::Pause { job, .. } | Self::Run { job, .. } => job,
            Self::Resume(job) | Self::Remove(job) => job,
        }
    }
}

/// How far the right `allow.jobs` of a run goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsReach {
    /// The run's job and plugin: the source of the jobs that it adds.
    pub by: Adder,
    /// The plugins whose jobs it sees: its own and those of `allow.jobs.plugins`.
    pub plugins: BTreeSet<PluginName>,
    /// The most jobs that runs of its plugin may have added at one time.
    pub max_jobs: u32,
}

impl JobsReach {
    /// Whether a run sees a job, and may pause, resume and run it.
    #[must_use]
    pub fn sees(&self, job: &Job) -> bool {
        self.plugins.contains(&job.plugin)
    }

    /// Whether a run may also modify, replace and remove it: what the manifest or a person brought is not a guest's to
    /// take away.
    #[must_use]
    pub fn may_change(&self, job: &Job) -> bool {
        self.sees(job) && matches!(job.source, Source::Job(_))
    }
}

/// What a run asks to be done about jobs, in order: all of it or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct JobChanges {
    /// How far its right goes: checked again when the changes are made.
    pub reach: JobsReach,
    /// The changes.
    pub list: Vec<JobChange>,
}
