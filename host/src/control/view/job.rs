//! Jobs.

use chrono::{DateTime, Utc};
use clockbox_core::model::{Adder, Job, JobRecord, Pause, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::control::tag::tag;

/// The keys of a job, as a section `[jobs.NAME]` of a manifest has them. What is left out is as `[defaults]` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct JobKeys {
    /// The plugin that does the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "hello")]
    pub(crate) plugin: Option<String>,
    /// When it fires: `{"cron": "0 5 * * *"}`, `{"interval": "2h"}`, `{"date": "2030-01-01 00:00:00"}`, `calendar`, `all`,
    /// `any`; with `start`, `end`, `timezone`, `jitter`. Nothing at all is once, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) trigger: Option<Value>,
    /// Its arguments: any JSON.
    #[serde(default)]
    #[schema(value_type = Value)]
    pub(crate) args: Value,
    /// The pool that it runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "default")]
    pub(crate) pool: Option<String>,
    /// How late a fire may be noticed and still run: a duration, or `forever`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "1h")]
    pub(crate) misfire_grace: Option<String>,
    /// Of several due fires: `true` or `latest`, `earliest`, `false` or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>, example = "latest")]
    pub(crate) coalesce: Option<Value>,
    /// The most runs of it at one time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub(crate) max_instances: Option<u32>,
    /// What becomes of a fire beyond that: `skip`, `wait`, `replace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "skip")]
    pub(crate) overlap: Option<String>,
    /// Higher goes first when runs wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<i32>,
    /// After a crash: `at-most-once` or `at-least-once`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "at-most-once")]
    pub(crate) delivery: Option<String>,
    /// `{"attempts": 3, "backoff": "10s", "factor": 2.0, "cap": "1h"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) retry: Option<Value>,
    /// Once it has nothing left to do: `keep` or `remove`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "remove")]
    pub(crate) when_done: Option<String>,
    /// What it may reach, out of what its plugin may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) allow: Option<Value>,
}

/// A job to be added: a name and its keys.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct NewJob {
    /// Its name, unique in the scheduler.
    #[schema(example = "cancel-order-17")]
    pub(crate) name: String,
    /// What it is.
    #[serde(flatten)]
    pub(crate) keys: JobKeys,
}

/// A job, and how it stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct JobView {
    /// Its name.
    pub(crate) name: String,
    /// What it is: every key, also those that nobody has said.
    #[serde(flatten)]
    pub(crate) keys: JobKeys,
    /// When it fires, in words.
    #[schema(example = "every 2 hours")]
    pub(crate) schedule: String,
    /// The time zone of its trigger: an IANA name.
    pub(crate) timezone: String,
    /// Where it comes from: `manifest`, `folder`, `api`, `job`.
    pub(crate) source: String,
    /// The job and plugin whose run added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) added_by: Option<AdderView>,
    /// Whether it was modified by hand since the manifest declared it.
    pub(crate) modified: bool,
    /// What the manifest says in that case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) declared: Option<JobKeys>,
    /// Since when it is paused, by whom and why.
    pub(crate) paused: Option<PauseView>,
    /// The nominal time of its next fire.
    pub(crate) next_fire: Option<DateTime<Utc>>,
    /// The nominal time of its latest fire.
    pub(crate) last_fire: Option<DateTime<Utc>>,
    /// The scheduled time of its latest run that succeeded.
    pub(crate) last_success: Option<DateTime<Utc>>,
    /// Its version, for If-Match.
    pub(crate) etag: String,
}

/// The job whose run added another one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct AdderView {
    /// The job.
    pub(crate) job: String,
    /// Its plugin.
    pub(crate) plugin: String,
}

/// A pause.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct PauseView {
    /// Since when.
    pub(crate) at: DateTime<Utc>,
    /// By whom.
    pub(crate) by: Option<String>,
    /// Why.
    pub(crate) note: Option<String>,
}

impl From<&Pause> for PauseView {
    fn from(pause: &Pause) -> Self {
        Self { at: pause.at, by: pause.by.clone(), note: pause.note.clone() }
    }
}

impl JobKeys {
    /// Every key of a job, also those that nobody has said.
    pub(crate) fn of(job: &Job) -> Self {
        let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(ToOwned::to_owned));
        let mut keys = job.every_key();
        let mut take = |key: &str| keys.remove(key);
        Self {
            plugin: text(take("plugin")),
            trigger: take("trigger"),
            args: take("args").unwrap_or_default(),
            pool: text(take("pool")),
            misfire_grace: text(take("misfire_grace")),
            coalesce: take("coalesce"),
            max_instances: Some(job.policy.max_instances),
            overlap: text(take("overlap")),
            priority: Some(job.policy.priority),
            delivery: text(take("delivery")),
            retry: take("retry"),
            when_done: text(take("when_done")),
            allow: take("allow"),
        }
    }
}

impl JobView {
    pub(crate) fn new(record: &JobRecord) -> Self {
        let job = &record.job;
        let added_by = match &job.source {
            Source::Job(adder) => {
                let Adder { job, plugin } = &**adder;
                Some(AdderView { job: job.to_string(), plugin: plugin.to_string() })
            }
            _ => None,
        };
        Self {
            name: job.id.to_string(),
            keys: JobKeys::of(job),
            schedule: job.trigger.describe(),
            timezone: job.trigger.zone().name().to_owned(),
            source: job.source.kind().to_owned(),
            added_by,
            modified: record.declared.is_some(),
            declared: record.declared.as_deref().map(JobKeys::of),
            paused: record.paused.as_deref().map(PauseView::from),
            next_fire: record.next_fire,
            last_fire: record.last_fire,
            last_success: record.last_success,
            etag: tag(record),
        }
    }
}
