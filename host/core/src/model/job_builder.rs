//! A job in code, key by key: what it does not say, the scheduler's defaults say.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{
    Allow, Coalesce, Delivery, Grace, Job, JobDefaults, JobId, Overlap, PluginName, PolicyPatch, PoolName,
    Retry, Source, Timestamp, WhenDone, format_duration,
};
use crate::trigger::{Trigger, TriggerError, TriggerSpec, seed_of};

/// What a job is completed with when it is added.
#[derive(Debug, Clone, Copy)]
pub struct JobTerms<'a> {
    /// What it has that it does not say itself.
    pub defaults: &'a JobDefaults,
    /// When it is added: what [`JobBuilder::after`] counts from.
    pub now: Timestamp,
}

/// What can be added to a scheduler as a job: a [`Job`], which says everything, or a [`JobBuilder`].
pub trait IntoJob: Send + 'static {
    /// The job.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    fn into_job(self, terms: JobTerms<'_>) -> Result<Job, InvalidJob>;
}

impl IntoJob for Job {
    fn into_job(self, _: JobTerms<'_>) -> Result<Job, InvalidJob> {
        Ok(self)
    }
}

/// Everything that is wrong with a job that was built in code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidJob {
    /// Its name, as it was given.
    pub job: String,
    /// What is wrong, key by key, as in [`TriggerError`].
    pub problems: Vec<TriggerError>,
}

impl fmt::Display for InvalidJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> =
            self.problems.iter().map(|problem| format!("job {:?}: {problem}", self.job)).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for InvalidJob {}

impl Job {
    /// Begins a job of this name, which uses the plugin of the same name unless [`JobBuilder::plugin`] says otherwise.
    ///
    /// ```
    /// use clockbox_core::model::{Job, Overlap};
    /// use std::time::Duration;
    ///
    /// let job = Job::new("cancel-order-7")
    ///     .plugin("cancel-order")
    ///     .after(Duration::from_secs(1800))
    ///     .args(serde_json::json!({ "order": 7 }))
    ///     .overlap(Overlap::Wait)
    ///     .retry(5);
    /// # let defaults = clockbox_core::model::JobDefaults::default();
    /// # let now = "2030-01-01T00:00:00Z".parse().unwrap();
    /// # let terms = clockbox_core::model::JobTerms { defaults: &defaults, now };
    /// // Nothing is checked before it is added: then every mistake is told at once.
    /// # use clockbox_core::model::IntoJob;
    /// assert_eq!(job.into_job(terms).unwrap().trigger.describe(), "once, on 1 January 2030, 00:30, UTC");
    /// let wrong = Job::new("no spaces").every(Duration::ZERO).into_job(terms).unwrap_err();
    /// assert_eq!(wrong.problems.len(), 2);
    /// ```
    #[expect(clippy::new_ret_no_self, reason = "a job is whole only once it is built")]
    pub fn new(name: impl Into<String>) -> JobBuilder {
        JobBuilder {
            name: name.into(),
            plugin: None,
            pool: None,
            when: When::Now,
            args: Ok("null".to_owned()),
            policy: PolicyPatch::default(),
            allow: None,
        }
    }
}

#[derive(Debug, Clone)]
enum When {
    Now,
    After(Duration),
    Spec(TriggerSpec),
    Checked(Trigger),
    Refused(TriggerError),
}

/// A job under construction: see [`Job::new`]. Its keys are those of a manifest's section `[jobs.NAME]`, and mean the same.
#[derive(Debug, Clone)]
#[must_use = "a job does nothing until it is added to a scheduler"]
pub struct JobBuilder {
    name: String,
    plugin: Option<String>,
    pool: Option<String>,
    when: When,
    args: Result<String, String>,
    policy: PolicyPatch,
    allow: Option<Allow>,
}

impl JobBuilder {
    /// What does the work: a plugin, or a function of the program that was registered under this name.
    pub fn plugin(mut self, name: impl Into<String>) -> Self {
        self.plugin = Some(name.into());
        self
    }

    /// The pool that it runs in.
    pub fn pool(mut self, name: impl Into<String>) -> Self {
        self.pool = Some(name.into());
        self
    }

    /// When it fires: a [`TriggerSpec`], or its text as in `"interval 2h"` (see `TriggerSpec`'s `FromStr`). The latest of
    /// this and the other methods about time counts; without any, it runs once, at once.
    pub fn trigger<T: TryInto<TriggerSpec>>(mut self, trigger: T) -> Self
    where
        T::Error: Into<TriggerError>,
    {
        self.when = match trigger.try_into() {
            Ok(spec) => When::Spec(spec),
            Err(error) => When::Refused(error.into()),
        };
        self
    }

    /// When it fires, by a trigger that was checked.
    pub fn checked_trigger(mut self, trigger: Trigger) -> Self {
        self.when = When::Checked(trigger);
        self
    }

    /// Fires whenever a crontab line says.
    pub fn cron(self, line: &str) -> Self {
        self.trigger(TriggerSpec::cron(line))
    }

    /// Fires again and again after a length of time.
    pub fn every(self, span: Duration) -> Self {
        self.trigger(TriggerSpec::interval(&format_duration(span)))
    }

    /// Fires once, at this instant.
    pub fn at(self, time: Timestamp) -> Self {
        self.trigger(TriggerSpec::date(&time.to_rfc3339()))
    }

    /// Fires once, so long after it is added.
    pub fn after(mut self, span: Duration) -> Self {
        self.when = When::After(span);
        self
    }

    /// What it is given: anything that can be written as JSON.
    pub fn args(mut self, args: impl Serialize) -> Self {
        self.args = serde_json::to_string(&args).map_err(|error| error.to_string());
        self
    }

    /// How late a fire may be noticed and still run.
    pub fn misfire_grace(mut self, grace: impl Into<Grace>) -> Self {
        self.policy.misfire_grace = Some(grace.into());
        self
    }

    /// What becomes of several fires due at once.
    pub fn coalesce(mut self, coalesce: Coalesce) -> Self {
        self.policy.coalesce = Some(coalesce);
        self
    }

    /// The most runs of it at one time.
    pub fn max_instances(mut self, most: u32) -> Self {
        self.policy.max_instances = Some(most);
        self
    }

    /// What becomes of a fire beyond that.
    pub fn overlap(mut self, overlap: Overlap) -> Self {
        self.policy.overlap = Some(overlap);
        self
    }

    /// Who goes first when runs wait for a place: the higher.
    pub fn priority(mut self, priority: i32) -> Self {
        self.policy.priority = Some(priority);
        self
    }

    /// What becomes of a run that a crash interrupts.
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.policy.delivery = Some(delivery);
        self
    }

    /// Tries a failed run again, up to so many attempts in all, with the usual pauses.
    pub fn retry(self, attempts: u32) -> Self {
        self.retry_policy(Retry { attempts, ..Retry::default() })
    }

    /// Tries a failed run again.
    pub fn retry_policy(mut self, retry: Retry) -> Self {
        self.policy.retry = Some(retry);
        self
    }

    /// What becomes of it once its trigger has nothing left and its last run has ended.
    pub fn when_done(mut self, when_done: WhenDone) -> Self {
        self.policy.when_done = Some(when_done);
        self
    }

    /// What its runs may reach, out of what the plugin may.
    pub fn allow(mut self, allow: Allow) -> Self {
        self.allow = Some(allow);
        self
    }
}

impl IntoJob for JobBuilder {
    fn into_job(self, terms: JobTerms<'_>) -> Result<Job, InvalidJob> {
        let Self { name, plugin, pool, when, args, policy, allow } = self;
        let JobTerms { defaults, now } = terms;
        let mut problems = Vec::new();
        let mut wrong = |key: &str, message: String, hint: Option<&str>| {
            problems.push(TriggerError { field: key.to_owned(), message, hint: hint.map(ToOwned::to_owned) });
        };
        let id = JobId::new(&name).map_err(|error| wrong("", error.to_string(), None)).ok();
        // Without one of its own its plugin has its name, and that is told above.
        let plugin = match &plugin {
            Some(plugin) => {
                PluginName::new(plugin).map_err(|error| wrong("plugin", error.to_string(), None)).ok()
            }
            None => PluginName::new(&name).ok(),
        };
        let pool = match &pool {
            Some(pool) => PoolName::new(pool).map_err(|error| wrong("pool", error.to_string(), None)).ok(),
            None => Some(defaults.pool.clone()),
        };
        if let Err(error) = &args {
            wrong("args", format!("cannot be written as JSON: {error}"), None);
        }
        if policy.max_instances == Some(0) {
            wrong("max_instances", "0 would never run".to_owned(), Some("write at least 1"));
        }
        if let Some(retry) = policy.retry {
            if retry.attempts == 0 {
                wrong("retry.attempts", "0 would never run".to_owned(), Some("write 1 for no retry"));
            }
            if !(1.0..=1000.0).contains(&retry.factor) {
                wrong("retry.factor", format!("{} is out of range 1-1000", retry.factor), None);
            }
        }
        let checked = |spec| Trigger::new_seeded(spec, defaults.timezone, seed_of(&name));
        let trigger = match when {
            When::Now => checked(TriggerSpec::default()),
            When::Spec(spec) => checked(spec),
            When::After(span) => {
                match chrono::TimeDelta::from_std(span).ok().and_then(|span| now.checked_add_signed(span)) {
                    Some(at) => checked(TriggerSpec::date(&at.to_rfc3339())),
                    None => Err(TriggerError {
                        field: String::new(),
                        message: format!("{} from now is beyond the calendar", format_duration(span)),
                        hint: None,
                    }),
                }
            }
            When::Checked(trigger) => Ok(trigger),
            When::Refused(error) => Err(error),
        };
        let trigger = trigger.map_err(|error| problems.push(error.under("trigger"))).ok();
        match (id, plugin, pool, trigger, args) {
            (Some(id), Some(plugin), Some(pool), Some(trigger), Ok(args)) if problems.is_empty() => {
                let mut policy = policy.apply(defaults.policy.clone());
                if let Some(allow) = allow {
                    policy.allow = Some(Box::new(allow));
                }
                let (args, policy) = (args.into(), policy.into());
                Ok(Job { id, plugin, pool, trigger, args, policy, source: Source::Api })
            }
            _ => Err(InvalidJob { job: name, problems }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(job: JobBuilder) -> Result<Job, InvalidJob> {
        let defaults = JobDefaults { timezone: chrono_tz::Europe::Berlin, ..JobDefaults::default() };
        job.into_job(JobTerms { defaults: &defaults, now: "2030-01-01T00:00:00Z".parse().unwrap() })
    }

    #[test]
    fn what_a_job_does_not_say_the_defaults_say() {
        let job = built(Job::new("report").cron("H 5 * * *").max_instances(3)).unwrap();
        assert_eq!((job.plugin.as_str(), job.pool.as_str()), ("report", "default"));
        assert_eq!(job.trigger.zone(), chrono_tz::Europe::Berlin);
        let spec = TriggerSpec::cron("H 5 * * *");
        let seeded = Trigger::new_seeded(spec, chrono_tz::Europe::Berlin, seed_of("report")).unwrap();
        assert_eq!(job.trigger, seeded);
        assert_eq!((job.policy.max_instances, job.policy.priority), (3, 0));
        assert_eq!(&*job.args, "null");
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_key() {
        let job = Job::new("a b").plugin("").pool("x y").trigger("hourly").max_instances(0);
        let factor = f64::NAN;
        let job = job.retry_policy(Retry { attempts: 0, factor, ..Retry::default() }).args(NoJson);
        let error = built(job).unwrap_err();
        let keys: Vec<&str> = error.problems.iter().map(|problem| problem.field.as_str()).collect();
        let all =
            ["", "plugin", "pool", "args", "max_instances", "retry.attempts", "retry.factor", "trigger"];
        assert_eq!(keys, all);
        assert!(error.to_string().lines().all(|line| line.starts_with("job \"a b\": ")), "{error}");
    }

    #[test]
    fn a_time_beyond_the_calendar_is_a_mistake() {
        assert_eq!(built(Job::new("a").after(Duration::MAX)).unwrap_err().problems[0].field, "trigger");
    }

    struct NoJson;

    impl Serialize for NoJson {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }
}
