//! Jobs: a plugin, a trigger, arguments and policy under one name.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{JobId, PluginName, Policy, PoolName, Timestamp};
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
    /// Another job.
    Job(JobId),
}

impl Source {
    /// Whether a reload owns this job.
    #[must_use]
    pub fn is_reloaded(&self) -> bool {
        matches!(self, Self::Manifest | Self::Folder)
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
    /// Its policy.
    pub policy: Policy,
    /// Who owns it.
    pub source: Source,
}

/// Why and when a job was paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub at: Timestamp,
    /// Who paused it, and why, where they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A job with what the scheduler remembers of it: what the store keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The job.
    pub job: Arc<Job>,
    /// The nominal time of its next fire; `None` when it will not fire again.
    pub next_fire: Option<Timestamp>,
    /// The nominal time of its latest fire, whatever became of it.
    pub last_fire: Option<Timestamp>,
    /// When a run of it last succeeded: the scheduled time of that run.
    pub last_success: Option<Timestamp>,
    /// Set while it is paused by hand.
    pub paused: Option<Pause>,
}
