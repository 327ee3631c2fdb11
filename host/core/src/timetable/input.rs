//! What a timetable is told, and what it answers.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    sync::Arc,
};

use crate::model::{
    Conflict, Job, JobId, JobPatch, JobRecord, PluginName, Pool, Refusal, Report, RunId, Running, Source,
};

/// Something that a timetable is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// Time has passed: look for what is due.
    Wake,
    /// The manifest and the plugin folder say what their jobs are, at a start or a reload.
    Apply(Change),
    /// Jobs are added together, or none of them.
    AddJobs {
        /// The jobs.
        jobs: Vec<Arc<Job>>,
        /// What becomes of names that are taken.
        conflict: Conflict,
    },
    /// Properties of a job are changed by hand, at once. Of a job of the manifest or folder, that stays until its
    /// declaration there changes.
    ModifyJob {
        /// The job.
        job: JobId,
        /// What to change.
        patch: Box<JobPatch>,
    },
    /// A job is removed by hand: not one of the manifest or folder. Its history stays.
    RemoveJob {
        /// The job.
        job: JobId,
        /// What becomes of its runs under way.
        running: Running,
    },
    /// Every job is removed but those of the manifest and folder. Their history stays.
    RemoveAllJobs {
        /// What becomes of their runs under way.
        running: Running,
    },
    /// An attempt ended.
    Finished {
        /// The run.
        run: RunId,
        /// The attempt, from 1; another one's report is ignored.
        attempt: u32,
        /// How it ended.
        report: Box<Report>,
    },
    /// The store refused the record of this run: it must not be launched.
    Refused(RunId),
    /// The store has taken the success of this run, and all that goes with it; or it has refused all of it, and why.
    Settled {
        /// The run.
        run: RunId,
        /// The store's answer.
        answer: Result<(), Refusal>,
    },
    /// Run a job now, once, without moving its schedule.
    RunNow {
        /// The job.
        job: JobId,
        /// Arguments in place of the job's: JSON text.
        args: Option<String>,
    },
    /// Stop a run: drop it where it waits, else ask its instance to stop. That is kept, so that no later host takes it up
    /// again.
    CancelRun {
        /// The run.
        run: RunId,
        /// Why, for the record.
        why: String,
    },
    /// Ask whatever runs to stop, because the host ends. Unlike a cancel this is not kept: a run that does not end in time is
    /// interrupted, and what that comes to is for its job's delivery to say.
    StopRunning {
        /// Why, for the record.
        why: String,
    },
    /// Let a job not fire until it is resumed. Its fires are caught up then, by its policy.
    PauseJob {
        /// The job.
        job: JobId,
        /// Who paused it.
        by: Option<String>,
        /// Why.
        note: Option<String>,
    },
    /// Let a job fire again.
    ResumeJob(JobId),
    /// Let nothing start until the scheduler is resumed, in this or in a later life of it.
    Pause {
        /// Who paused it.
        by: Option<String>,
        /// Why.
        note: Option<String>,
    },
    /// Let jobs fire again.
    Resume,
    /// Start nothing more; what runs may end.
    Drain,
}

/// Pools and jobs that come, change and go together, as the manifest and the plugin folder have it. Jobs of other
/// sources are left alone: a declared one of the same name waits until that one is removed, and an event says so.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Pools to add or to resize. What runs in a pool that shrinks runs on, what waits in it waits on.
    pub pools: Vec<Pool>,
    /// Jobs to add or to replace by name. A job whose trigger stays the same keeps its next fire.
    pub put: Vec<Arc<Job>>,
    /// Jobs to remove. What runs of them runs on; what waits is recorded as skipped.
    pub remove: Vec<JobId>,
}

impl Change {
    /// What a start changes: `declared` are all jobs of the manifest and folder, `stored` those that the store knows.
    /// What the `refused` plugins say of their jobs cannot be read at the moment, so jobs of theirs stay as stored,
    /// unless they are declared with another plugin by now.
    #[must_use]
    pub fn at_start(stored: &[JobRecord], declared: &[Arc<Job>], refused: &BTreeSet<PluginName>) -> Self {
        let plugins: HashMap<&JobId, &PluginName> =
            declared.iter().map(|job| (&job.id, &job.plugin)).collect();
        let mine = || stored.iter().map(|record| record.declaration()).filter(|job| job.source.is_reloaded());
        let is_kept = |job: &&Arc<Job>| {
            let now = plugins.get(&job.id).copied();
            refused.contains(&job.plugin) && now.is_none_or(|plugin| refused.contains(plugin))
        };
        let kept: HashSet<&JobId> = mine().filter(is_kept).map(|job| &job.id).collect();
        Self {
            pools: Vec::new(),
            put: declared.iter().filter(|job| !kept.contains(&job.id)).cloned().collect(),
            remove: mine()
                .map(|job| &job.id)
                .filter(|id| !plugins.contains_key(id) && !kept.contains(id))
                .cloned()
                .collect(),
        }
    }
}

/// Why a timetable did not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no job of that name.
    #[error("there is no job {:?}", .0.as_str())]
    NoSuchJob(JobId),
    /// There is no run of that id under way.
    #[error("run {0} is not under way")]
    NoSuchRun(RunId),
    /// A job of that name exists.
    #[error(
        "there is a job {:?} already: choose another name, or add it with Conflict::Replace or Conflict::Ignore",
        .0.as_str()
    )]
    JobExists(JobId),
    /// The job belongs to somebody else.
    #[error("the job {:?} comes from {owner}: {}", .job.as_str(), way_out(owner))]
    NotOwner {
        /// The job.
        job: JobId,
        /// Where it comes from.
        owner: Source,
    },
    /// The job to add says that it comes from where only a reload brings jobs from.
    #[error(
        "the job {:?} cannot come from the manifest or folder when it is added by hand: give it Source::Api",
        .0.as_str()
    )]
    WrongSource(JobId),
    /// The scheduler is draining.
    #[error("the scheduler is stopping and starts nothing more")]
    Draining,
}

fn way_out(owner: &Source) -> impl fmt::Display {
    if owner.is_reloaded() {
        "change or remove it there, or modify or pause it here"
    } else {
        "choose another name"
    }
}
