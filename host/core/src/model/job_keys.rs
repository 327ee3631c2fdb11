//! A job as it is written: the keys of a section `[jobs.NAME]`, in JSON.

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::{
    Allow, Coalesce, Delivery, Endpoint, HttpGrant, Job, Overlap, Policy, PoolName, Retry, WhenDone,
    format_duration,
};
use crate::trigger::When;

/// What jobs have that say nothing of their own: the time zone of their triggers, `[defaults]`.
///
/// ```
/// let defaults = clockbox_core::model::JobDefaults::default();
/// assert_eq!(defaults.timezone, chrono_tz::UTC);
/// assert_eq!(defaults.policy.max_instances, 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct JobDefaults {
    /// The time zone of triggers that name none.
    pub timezone: Tz,
    /// The policy.
    pub policy: Policy,
    /// The pool.
    pub pool: PoolName,
}

impl Default for JobDefaults {
    fn default() -> Self {
        Self { timezone: Tz::UTC, policy: Policy::default(), pool: PoolName::default_pool() }
    }
}

impl Job {
    /// The keys of this job's section in a manifest, its name and source apart. Read again by a scheduler with these
    /// defaults, or with none, they mean the same job: a key is left out only where both would fill it in alike. The time
    /// zone alone is left out where it is that of these defaults.
    ///
    /// ```
    /// # use clockbox_core::{model::{Job, JobDefaults, Policy, PoolName, Source}, trigger::{Trigger, TriggerSpec}};
    /// # let job = Job {
    /// #     id: "a".parse().unwrap(),
    /// #     plugin: "hello".parse().unwrap(),
    /// #     pool: PoolName::default_pool(),
    /// #     trigger: Trigger::new(TriggerSpec::interval("2h"), chrono_tz::UTC).unwrap(),
    /// #     args: "[1]".into(),
    /// #     policy: Policy { max_instances: 3, ..Policy::default() }.into(),
    /// #     source: Source::Api,
    /// # };
    /// let keys = serde_json::Value::from(job.keys(&JobDefaults::default()));
    /// assert_eq!(
    ///     keys,
    ///     serde_json::json!({ "plugin": "hello", "trigger": { "interval": "2h" }, "args": [1], "max_instances": 3 })
    /// );
    /// ```
    #[must_use]
    pub fn keys(&self, defaults: &JobDefaults) -> Map<String, Value> {
        let mut keys = Map::new();
        keys.insert("plugin".to_owned(), json!(self.plugin));
        if let Some(trigger) = self.trigger_keys(defaults.timezone) {
            keys.insert("trigger".to_owned(), trigger);
        }
        // Arguments are checked to be JSON when they come in; what is not is handed on as the text that it is.
        let args = serde_json::from_str(&self.args).unwrap_or_else(|_| json!(*self.args));
        if !args.is_null() {
            keys.insert("args".to_owned(), args);
        }
        if self.pool != PoolName::default_pool() || self.pool != defaults.pool {
            keys.insert("pool".to_owned(), json!(self.pool));
        }
        let (usual, plain) = (policy_keys(&defaults.policy), policy_keys(&Policy::default()));
        let said = policy_keys(&self.policy).into_iter();
        keys.extend(
            said.filter(|(key, value)| usual.get(key) != Some(value) || plain.get(key) != Some(value)),
        );
        if let Some(allow) = &self.policy.allow {
            keys.insert("allow".to_owned(), allow_keys(allow));
        }
        keys
    }

    /// Every key, also those that say what would be so anyhow: how the job is shown.
    #[must_use]
    pub fn every_key(&self) -> Map<String, Value> {
        let mut keys = self.keys(&JobDefaults { timezone: self.trigger.zone(), ..JobDefaults::default() });
        keys.entry("trigger").or_insert_with(|| json!({}));
        keys.entry("args").or_insert(Value::Null);
        keys.insert("pool".to_owned(), json!(self.pool));
        keys.extend(policy_keys(&self.policy));
        keys.insert("when_done".to_owned(), json!(when_done_key(self.when_done())));
        keys
    }

    /// `None` where there is nothing to say: once, now.
    fn trigger_keys(&self, zone: Tz) -> Option<Value> {
        let mut spec = self.trigger.spec().clone();
        let own = self.trigger.zone();
        if spec.timezone().is_none() && own != zone && !matches!(spec.when(), When::Now) {
            spec = spec.with_timezone(own.name());
        }
        let keys = json!(spec);
        keys.as_object().is_some_and(|keys| !keys.is_empty()).then_some(keys)
    }
}

/// Every policy key but `allow`. One that is not there cannot be written: `when_done` of a job that leaves it open.
fn policy_keys(policy: &Policy) -> Map<String, Value> {
    let Policy {
        misfire_grace,
        coalesce,
        max_instances,
        overlap,
        priority,
        delivery,
        retry,
        when_done,
        allow: _,
    } = policy;
    let coalesce = match coalesce {
        Coalesce::Latest => "latest",
        Coalesce::Earliest => "earliest",
        Coalesce::All => "all",
    };
    let overlap = match overlap {
        Overlap::Skip => "skip",
        Overlap::Wait => "wait",
        Overlap::Replace => "replace",
    };
    let delivery = match delivery {
        Delivery::AtMostOnce => "at-most-once",
        Delivery::AtLeastOnce => "at-least-once",
    };
    let Retry { attempts, backoff, factor, cap } = retry;
    let retry = json!({
        "attempts": attempts,
        "backoff": format_duration(*backoff),
        "factor": factor,
        "cap": format_duration(*cap),
    });
    let mut keys = Map::new();
    let said = [
        ("misfire_grace", json!(misfire_grace.to_string())),
        ("coalesce", json!(coalesce)),
        ("max_instances", json!(max_instances)),
        ("overlap", json!(overlap)),
        ("priority", json!(priority)),
        ("delivery", json!(delivery)),
        ("retry", retry),
    ];
    keys.extend(said.map(|(key, value)| (key.to_owned(), value)));
    if let Some(when_done) = when_done {
        keys.insert("when_done".to_owned(), json!(when_done_key(*when_done)));
    }
    keys
}

fn when_done_key(when_done: WhenDone) -> &'static str {
    match when_done {
        WhenDone::Keep => "keep",
        WhenDone::Remove => "remove",
    }
}

fn allow_keys(allow: &Allow) -> Value {
    let http = |grant: &HttpGrant| {
        let HttpGrant { origin, methods, private } = grant;
        match (methods.is_empty(), private) {
            (true, false) => json!(origin.to_string()),
            (true, true) => json!({ "origin": origin.to_string(), "private": true }),
            (false, _) => json!({ "origin": origin.to_string(), "methods": methods, "private": private }),
        }
    };
    let tcp = |endpoint: &Endpoint| {
        if endpoint.is_private() {
            json!({ "to": endpoint.to_string(), "private": true })
        } else {
            json!(endpoint.to_string())
        }
    };
    let Allow { http: origins, tcp: endpoints, dns, read, write, env, secrets, state, jobs } = allow;
    let mut keys = Map::new();
    let mut put = |key: &str, value: Value| {
        let is_nothing = value == json!(false) || value.as_array().is_some_and(Vec::is_empty);
        if !is_nothing {
            keys.insert(key.to_owned(), value);
        }
    };
    put("http", origins.iter().map(http).collect());
    put("tcp", endpoints.iter().map(tcp).collect());
    put("read", json!(read));
    put("write", json!(write));
    put("env", json!(env));
    put("secrets", json!(secrets));
    put("dns", json!(dns));
    put("state", json!(state));
    put("jobs", json!(jobs));
    Value::Object(keys)
}
