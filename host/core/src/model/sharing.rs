//! What many jobs have in common, kept once.

use std::{collections::HashSet, hash::Hash, sync::Arc};

use super::{Job, PluginName, Policy, PoolName};
use crate::trigger::Trigger;

/// So many different values of a kind are remembered. Where there are more, most are not worth it.
const MOST: usize = 1024;
/// So many different policies, which are compared one by one.
const MOST_POLICIES: usize = 16;

/// Lets jobs share their equal parts: names, triggers, arguments and policies. There may be a million jobs, of a few plugins.
///
/// ```
/// use std::sync::Arc;
/// use clockbox_core::{model::*, trigger::{Trigger, TriggerSpec}};
/// let job = |name: &str| Job {
///     id: JobId::new(name).unwrap(),
///     plugin: PluginName::new("report").unwrap(),
///     pool: PoolName::default_pool(),
///     trigger: Trigger::new(TriggerSpec::cron("30 5 * * *"), chrono_tz::UTC).unwrap(),
///     args: "[1, 2, 3]".into(),
///     policy: Policy::default().into(),
///     source: Source::Api,
/// };
/// let (mut one, mut other) = (job("one"), job("other"));
/// let mut sharing = Sharing::default();
/// sharing.share(&mut one);
/// sharing.share(&mut other);
/// assert!(Arc::ptr_eq(&one.args, &other.args) && Arc::ptr_eq(&one.policy, &other.policy));
/// assert_eq!(other, job("other"));
/// ```
#[derive(Debug, Default)]
pub struct Sharing {
    plugins: Values<PluginName>,
    pools: Values<PoolName>,
    triggers: Values<Trigger>,
    args: Values<Arc<str>>,
    policies: Vec<Arc<Policy>>,
}

impl Sharing {
    /// Puts what is known already in the place of what is equal to it.
    pub fn share(&mut self, job: &mut Job) {
        self.plugins.share(&mut job.plugin);
        self.pools.share(&mut job.pool);
        self.triggers.share(&mut job.trigger);
        self.args.share(&mut job.args);
        match self.policies.iter().find(|known| **known == job.policy) {
            Some(known) => job.policy.clone_from(known),
            None => {
                self.policies.truncate(MOST_POLICIES - 1);
                self.policies.insert(0, Arc::clone(&job.policy));
            }
        }
    }
}

/// Different values; clones of one take up no more space.
#[derive(Debug)]
struct Values<T>(HashSet<T>);

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: Clone + Eq + Hash> Values<T> {
    fn share(&mut self, value: &mut T) {
        if let Some(known) = self.0.get(value) {
            value.clone_from(known);
            return;
        }
        if self.0.len() == MOST {
            self.0.clear();
        }
        self.0.insert(value.clone());
    }
}
