//! How many changes the runs of a plugin may ask for in a minute, all of them together.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use chrono::TimeDelta;
use clockbox_core::model::{PluginName, Timestamp};

/// The changes of the latest minute.
#[derive(Debug, Default)]
pub(crate) struct Rate(Mutex<VecDeque<Timestamp>>);

impl Rate {
    /// Counts a change, unless there were as many as that in the minute before it.
    pub(crate) fn admit(&self, now: Timestamp, per_minute: u32) -> bool {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // After a clock was set back, what was later than now is not waited for.
        changes.retain(|at| (TimeDelta::zero()..TimeDelta::minutes(1)).contains(&(now - *at)));
        let is_admitted = changes.len() < per_minute as usize;
        if is_admitted {
            changes.push_back(now);
        }
        is_admitted
    }
}

/// The rate of each plugin, by its name: a reload does not give it another minute.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<HashMap<PluginName, Weak<Rate>>>);

impl Rates {
    pub(crate) fn of(&self, plugin: &PluginName) -> Arc<Rate> {
        let mut rates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = rates.get(plugin).and_then(Weak::upgrade) {
            return rate;
        }
        rates.retain(|_, rate| rate.strong_count() > 0);
        let rate = Arc::new(Rate::default());
        rates.insert(plugin.clone(), Arc::downgrade(&rate));
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_minute_is_any_minute_and_a_clock_set_back_blocks_nobody() {
        let rate = Rate::default();
        assert!(rate.admit(at(1000), 2) && rate.admit(at(1030), 2));
        assert!(!rate.admit(at(1059), 2));
        assert!(rate.admit(at(1060), 2));
        assert!(!rate.admit(at(1089), 2));
        assert!(rate.admit(at(500), 2));
    }

    #[test]
    fn a_rate_lives_as_long_as_anybody_has_it() {
        let rates = Rates::default();
        let name: PluginName = "a".parse().unwrap();
        let first = rates.of(&name);
        assert!(first.admit(at(0), 1));
        assert!(!rates.of(&name).admit(at(0), 1));
        drop(first);
        assert!(rates.of(&name).admit(at(0), 1));
    }
}
