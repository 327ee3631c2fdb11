//! Modifications of a job by hand.

use std::sync::Arc;

use super::{Coalesce, Delivery, Grace, Job, Overlap, PluginName, Policy, PoolName, Retry, WhenDone};
use crate::trigger::Trigger;

/// Properties of a job to change; what is `None` stays as it is. Name and source cannot be changed.
///
/// ```
/// use clockbox_core::model::{JobPatch, PolicyPatch};
/// let patch = JobPatch {
///     args: Some("[1]".into()),
///     policy: PolicyPatch { max_instances: Some(3), ..PolicyPatch::default() },
///     ..JobPatch::default()
/// };
/// assert!(patch.trigger.is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobPatch {
    /// The plugin that does the work.
    pub plugin: Option<PluginName>,
    /// The pool that it runs in. A run that waits already stays where it waits.
    pub pool: Option<PoolName>,
    /// When it fires. What was due under the old trigger is decided first.
    pub trigger: Option<Trigger>,
    /// Its arguments: JSON text.
    pub args: Option<Arc<str>>,
    /// Its policy.
    pub policy: PolicyPatch,
}

impl JobPatch {
    /// The job with this laid over it.
    #[must_use]
    pub fn apply(self, job: &Job) -> Job {
        let mut job = job.clone();
        set(&mut job.plugin, self.plugin);
        set(&mut job.pool, self.pool);
        set(&mut job.trigger, self.trigger);
        set(&mut job.args, self.args);
        job.policy = Arc::new(self.policy.apply(Arc::unwrap_or_clone(job.policy)));
        job
    }
}

/// Properties of a policy to change; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyPatch {
    /// How late a fire may be noticed and still run.
    pub misfire_grace: Option<Grace>,
    /// What becomes of several fires due at once.
    pub coalesce: Option<Coalesce>,
    /// The most runs of the job at one time.
    pub max_instances: Option<u32>,
    /// What becomes of a fire beyond that.
    pub overlap: Option<Overlap>,
    /// Who goes first when runs wait for a place in the pool.
    pub priority: Option<i32>,
    /// What becomes of an interrupted run.
    pub delivery: Option<Delivery>,
    /// What becomes of a failed run.
    pub retry: Option<Retry>,
    /// What becomes of the job once it is done.
    pub when_done: Option<WhenDone>,
}

impl PolicyPatch {
    /// The policy with this laid over it.
    #[must_use]
    pub fn apply(self, mut policy: Policy) -> Policy {
        set(&mut policy.misfire_grace, self.misfire_grace);
        set(&mut policy.coalesce, self.coalesce);
        set(&mut policy.max_instances, self.max_instances);
        set(&mut policy.overlap, self.overlap);
        set(&mut policy.priority, self.priority);
        set(&mut policy.delivery, self.delivery);
        set(&mut policy.retry, self.retry);
        policy.when_done = self.when_done.or(policy.when_done);
        policy
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
