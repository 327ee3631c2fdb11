//! Jobs as JSON text, read very many at a time.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use clockbox_core::{
    model::{Job, JobId, PluginName, Policy, PoolName, Source},
    trigger::Trigger,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Error, value::RawValue};

/// So many different texts of a kind are remembered.
const MOST: usize = 1024;

/// Reads jobs; what several of them say in the same words is read once, and shared. There may be a million jobs, of a
/// few plugins, with triggers that take longer to check than all the rest.
#[derive(Default)]
pub(super) struct JobTexts {
    plugins: Known<PluginName>,
    pools: Known<PoolName>,
    triggers: Known<Trigger>,
    args: Known<Arc<str>>,
    policies: Known<Arc<Policy>>,
}

/// A job with its parts as they are written.
#[derive(Deserialize)]
struct JobText<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    plugin: Cow<'a, str>,
    #[serde(borrow)]
    pool: Cow<'a, str>,
    #[serde(borrow)]
    trigger: &'a RawValue,
    #[serde(borrow)]
    args: Cow<'a, str>,
    #[serde(borrow)]
    policy: &'a RawValue,
    source: Source,
}

impl JobTexts {
    /// Reads a job.
    pub(super) fn read(&mut self, json: &str) -> Result<Arc<Job>, Error> {
        match self.parts(json) {
            Some(job) => Ok(Arc::new(job)),
            // It says what is wrong and where.
            None => serde_json::from_str(json),
        }
    }

    fn parts(&mut self, json: &str) -> Option<Job> {
        let JobText { id, plugin, pool, trigger, args, policy, source } = serde_json::from_str(json).ok()?;
        Some(Job {
            id: JobId::new(id).ok()?,
            plugin: self.plugins.get(&plugin, |text| PluginName::new(text).ok())?,
            pool: self.pools.get(&pool, |text| PoolName::new(text).ok())?,
            trigger: self.triggers.get(trigger.get(), from_json)?,
            args: self.args.get(&args, |text| Some(text.into()))?,
            policy: self.policies.get(policy.get(), from_json)?,
            source,
        })
    }
}

fn from_json<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// What some texts stand for.
struct Known<T>(HashMap<Box<str>, T>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone> Known<T> {
    fn get(&mut self, text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        if let Some(known) = self.0.get(text) {
            return Some(known.clone());
        }
        let value = read(text)?;
        if self.0.len() < MOST {
            self.0.insert(text.into(), value.clone());
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use clockbox_core::trigger::TriggerSpec;

    use super::*;

    fn job(name: &str) -> Job {
        let spec = TriggerSpec::cron("30 5 * * mon-fri").with_end("2030-05-30");
        Job {
            id: name.parse().unwrap(),
            plugin: "report".parse().unwrap(),
            pool: PoolName::default_pool(),
            trigger: Trigger::new(spec, chrono_tz::Asia::Shanghai).unwrap(),
            args: r#"{"to":"\"ops\"\n\u0000é"}"#.into(),
            policy: Policy { priority: 3, ..Policy::default() }.into(),
            source: Source::Job(Box::new(clockbox_core::model::Adder {
                job: "planner".parse().unwrap(),
                plugin: "hello".parse().unwrap(),
            })),
        }
    }

    #[test]
    fn a_job_is_what_plain_reading_makes_of_it() {
        let mut texts = JobTexts::default();
        for name in ["one", "two"] {
            let json = serde_json::to_string(&job(name)).unwrap();
            let read = texts.read(&json).unwrap();
            assert_eq!(*read, job(name));
            assert_eq!(read, serde_json::from_str::<Arc<Job>>(&json).unwrap());
        }
    }

    #[test]
    fn equal_parts_are_shared() {
        let mut texts = JobTexts::default();
        let mut read = |name: &str| texts.read(&serde_json::to_string(&job(name)).unwrap()).unwrap();
        let (one, two) = (read("one"), read("two"));
        assert!(Arc::ptr_eq(&one.args, &two.args) && Arc::ptr_eq(&one.policy, &two.policy));
        assert_eq!(one.plugin.as_str().as_ptr(), two.plugin.as_str().as_ptr());
        assert_eq!(one.trigger.spec() as *const _, two.trigger.spec() as *const _);
    }

    #[test]
    fn what_is_wrong_is_said_as_ever() {
        let json = serde_json::to_string(&job("one")).unwrap();
        for (from, to) in [("30 5", "61 5"), ("report", "re port"), ("1h", "soon"), ("\"id\"", "\"name\"")] {
            let json = json.replace(from, to);
            let expected = serde_json::from_str::<Arc<Job>>(&json).unwrap_err().to_string();
            assert_eq!(JobTexts::default().read(&json).unwrap_err().to_string(), expected);
        }
    }
}
