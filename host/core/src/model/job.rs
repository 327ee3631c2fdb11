//! Jobs: a plugin, a trigger, arguments and policy under one name.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{JobId, PluginName, Policy, PoolName, Timestamp, WhenDone};
use crate::trigger::Trigger;

/// Who owns a job. A reload touches only what came from the manifest and from the plugin folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The manifest file.
    Manifest,
    /// A plugin dropped into the folder, which describes its own job.
    Folder,
    /// The library, the command line or the control API.
    Api,
    /// A run of a job.
    Job(Box<Adder>),
}

/// The job whose run added another job, and the plugin that the run was of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adder {
    /// The job. It need not be there any more.
    pub job: JobId,
    /// The plugin.
    pub plugin: PluginName,
}

impl Source {
    /// Whether a reload owns this job.
    #[must_use]
    pub fn is_reloaded(&self) -> bool {
        matches!(self, Self::Manifest | Self::Folder)
    }
}

impl Source {
    /// The kind of source, the name used in JSON: `manifest`, `folder`, `api`, `job`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Folder => "folder",
            Self::Api => "api",
            Self::Job(_) => "job",
        }
    }
}

impl fmt::Display for Source {
    /// As in "the job comes from …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => f.write_str("the manifest"),
            Self::Folder => f.write_str("the plugin folder"),
            Self::Api => f.write_str("the API"),
            Self::Job(adder) => write!(f, "the job {:?}", adder.job.as_str()),
        }
    }
}

/// A job as its owner declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// The plugin that does the work.
    pub plugin: PluginName,
    /// The pool that it runs in.
    pub pool: PoolName,
    /// When it fires.
    pub trigger: Trigger,
    /// Its arguments: JSON text, handed to the guest as it is.
    pub args: Arc<str>,
    /// Its policy, which many jobs may share.
    pub policy: Arc<Policy>,
    /// Who owns it.
    pub source: Source,
}

impl Job {
    /// This job as a run of `parent` adds it: it may reach no more than that run, whose rights may be narrowed.
    ///
    /// # Errors
    /// When both narrow their rights: the parent's narrowing holds for this one, and cannot be laid over another.
    pub fn narrowed_like(mut self, parent: &Self) -> Result<Self, String> {
        let Some(allow) = &parent.policy.allow else { return Ok(self) };
        if self.policy.allow.is_some() {
            return Err("allow: the rights of the job that adds it are narrowed, and so are those of this one; leave it out".to_owned());
        }
        Arc::make_mut(&mut self.policy).allow = Some(allow.clone());
        Ok(self)
    }

    /// What becomes of the job when its trigger has nothing left: as its policy says; else it is kept where a reload
    /// owns it, and removed where it was added while the host ran.
    #[must_use]
    pub fn when_done(&self) -> WhenDone {
        let default = if self.source.is_reloaded() { WhenDone::Keep } else { WhenDone::Remove };
        self.policy.when_done.unwrap_or(default)
    }
}

/// Why and when a job, or the whole scheduler, was paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub at: Timestamp,
    /// Who paused it, where they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, where they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A job with what the scheduler remembers of it: what the store keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The job as it is in force.
    pub job: Arc<Job>,
    /// What the manifest or folder declares, where a modification by hand lies over it: the modification stays for as
    /// long as that declaration does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Arc<Job>>,
    /// The nominal time of its next fire; `None` when it will not fire again.
    pub next_fire: Option<Timestamp>,
    /// The nominal time of its latest fire on record, whatever became of it.
    pub last_fire: Option<Timestamp>,
    /// When a run of it last succeeded: the scheduled time of that run.
    pub last_success: Option<Timestamp>,
    /// Set while it is paused by hand.
    pub paused: Option<Box<Pause>>,
}

impl JobRecord {
    /// The fires to come from `now` on, jitter apart: none of them happens while the job is paused. What a long pause has left
    /// behind is stepped over at once.
    pub fn fires_from(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        let following = move |fire: &Timestamp| self.job.trigger.next_after(Some(*fire), now.max(*fire));
        std::iter::successors(self.next_fire, following).filter(move |fire| *fire >= now)
    }

    /// The job as its owner declared it last, without what was modified by hand.
    #[must_use]
    pub fn declaration(&self) -> &Arc<Job> {
        self.declared.as_ref().unwrap_or(&self.job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Allow,
        trigger::{Trigger, TriggerSpec},
    };

    fn job(allow: Option<Allow>) -> Job {
        Job {
            id: "a".parse().unwrap(),
            plugin: "p".parse().unwrap(),
            pool: PoolName::default_pool(),
            trigger: Trigger::new(TriggerSpec::cron("@daily"), chrono_tz::UTC).unwrap(),
            args: "null".into(),
            policy: Policy { allow: allow.map(Box::new), ..Policy::default() }.into(),
            source: Source::Manifest,
        }
    }

    #[test]
    fn what_a_narrowed_job_adds_is_narrowed_like_it() {
        let narrow = Allow { jobs: true, ..Allow::default() };
        let allow = |job: Job| job.policy.allow.as_deref().cloned();
        let child = job(None).narrowed_like(&job(Some(narrow.clone()))).unwrap();
        assert_eq!(allow(child), Some(narrow.clone()));
        assert_eq!(allow(job(Some(narrow.clone())).narrowed_like(&job(None)).unwrap()), Some(narrow.clone()));
        assert!(job(Some(Allow::default())).narrowed_like(&job(Some(narrow))).is_err());
    }
}
