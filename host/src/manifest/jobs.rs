//! Jobs: the sections `[jobs.*]`, and the same keys in a sidecar or an embedded description.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use chrono_tz::Tz;
use clockbox_core::{
    model::{Job, JobDefaults, JobId, PluginName, Policy, Pool, PoolName, Source, WhenDone},
    trigger::{Trigger, When},
};

use super::{
    json, narrowing, policy,
    reader::{Field, TableReader},
    suggest, trigger,
};

/// The keys of a job that are laid over one another key by key.
pub(super) const DEEP: &[&str] = &["retry"];

/// Every key of a job that a plugin's description may have.
pub(super) const KEYS: &[&str] = &[
    "trigger",
    "args",
    "pool",
    "enabled",
    "description",
    "misfire_grace",
    "coalesce",
    "max_instances",
    "overlap",
    "priority",
    "delivery",
    "retry",
    "when_done",
];

/// Better advice than the nearest name for keys that people try.
pub(super) const HINTS: &[(&str, &str)] = &[
    ("allow", "rights belong to the plugin: [plugins.NAME] allow = { … }; a job can only narrow them"),
    ("limits", "limits belong to the plugin: [plugins.NAME] limits = { … }"),
    ("output", "it belongs to the plugin: [plugins.NAME] output = \"last-line\""),
    ("timeout", "limits belong to the plugin: [plugins.NAME] limits = { timeout = \"30s\" }"),
    ("memory", "limits belong to the plugin: [plugins.NAME] limits = { memory = \"64MiB\" }"),
    ("env", "rights belong to the plugin: [plugins.NAME] allow = { env = … }"),
    ("config", "config belongs to the plugin: [plugins.NAME] config = { … }; a job has args"),
    ("cron", "write trigger = { cron = … }"),
    ("interval", "write trigger = { interval = \"2h\" }"),
    ("every", "write trigger = { interval = \"2h\" }"),
    ("date", "write trigger = { date = \"2030-01-01 00:00:00\" }"),
    ("schedule", "write trigger = { cron = \"0 5 * * *\" }"),
    ("timezone", "a time zone belongs to the trigger: trigger = { …, timezone = \"Europe/Berlin\" }"),
    ("start", "it belongs to the trigger: trigger = { …, start = \"2030-01-01\" }"),
    ("end", "it belongs to the trigger: trigger = { …, end = \"2030-01-01\" }"),
    ("jitter", "it belongs to the trigger: trigger = { …, jitter = \"30s\" }"),
    ("retries", "write retry = { attempts = 3 }; the first attempt counts"),
];

/// What every job starts from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Defaults {
    pub(super) policy: Policy,
    pub(super) pool: PoolName,
    pub(super) zone: Tz,
    pub(super) pools: BTreeMap<PoolName, Pool>,
}

/// What a job's keys say, its name and plugin apart.
#[derive(Debug)]
pub(super) struct JobKeys {
    trigger: Option<Trigger>,
    args: Arc<str>,
    pool: PoolName,
    policy: Policy,
    pub(super) enabled: bool,
    pub(super) description: Option<String>,
}

impl Defaults {
    /// What they say of jobs, the pools apart.
    pub(super) fn of_jobs(&self) -> JobDefaults {
        JobDefaults { timezone: self.zone, policy: self.policy.clone(), pool: self.pool.clone() }
    }
}

impl JobKeys {
    /// The job; `None` when its trigger was refused.
    pub(super) fn into_job(self, id: JobId, plugin: PluginName, source: Source) -> Option<Job> {
        let Self { trigger, args, pool, policy, .. } = self;
        Some(Job { id, plugin, pool, trigger: trigger?, args, policy: policy.into(), source })
    }
}

/// Reads `[defaults]`.
pub(super) fn read_defaults(
    table: Option<TableReader<'_>>,
    pools: BTreeMap<PoolName, Pool>,
    zone: Tz,
) -> Defaults {
    let pool = PoolName::default_pool();
    let mut defaults = Defaults { policy: Policy::default(), pool, zone, pools };
    if let Some(table) = table {
        defaults.policy = policy::read(&table, &defaults.policy);
        if let Some(pool) = table.field("pool").and_then(|field| read_pool(&field, &defaults)) {
            defaults.pool = pool;
        }
        let mut hints =
            vec![("timezone", "the time zone of all triggers is the scheduler's: [scheduler] timezone = …")];
        hints.extend(HINTS);
        table.finish(&hints);
    }
    defaults
}

/// Reads the keys of the job `id`, except its plugin.
pub(super) fn read_keys(table: &TableReader<'_>, id: &str, defaults: &Defaults) -> JobKeys {
    let args = table.field("args").and_then(|field| json::read(&field)).unwrap_or_default();
    let pool = table.field("pool").and_then(|field| read_pool(&field, defaults));
    let trigger = trigger::read(table, id, defaults.zone);
    let mut policy = policy::read(table, &defaults.policy);
    // In a sidecar, where no job is named, `allow` is the plugin's.
    if !id.is_empty() {
        policy.allow = table.field("allow").and_then(|field| narrowing::read(&field)).map(Box::new);
    }
    let is_once = trigger.as_ref().is_some_and(|trigger| matches!(trigger.spec().when(), When::Now));
    if is_once && policy.when_done == Some(WhenDone::Remove) {
        // The manifest would bring it back at the next start, and nobody would know that it ran.
        let message = "a job without a trigger that is removed when it is done would run again at each start";
        let hint = Some("leave when_done out: it runs once, and is kept as done".to_owned());
        match table.field("when_done") {
            Some(field) => field.error(message, hint),
            None => table.error(message, hint),
        }
    }
    JobKeys {
        trigger,
        args: args.to_string().into(),
        pool: pool.unwrap_or_else(|| defaults.pool.clone()),
        policy,
        enabled: table.field("enabled").and_then(|field| field.boolean()).unwrap_or(true),
        description: table
            .field("description")
            .and_then(|field| field.text("what it is for"))
            .map(ToOwned::to_owned),
    }
}

pub(super) fn read_pool(field: &Field<'_>, defaults: &Defaults) -> Option<PoolName> {
    let text = field.text("default")?;
    if let Some((name, _)) = defaults.pools.get_key_value(text) {
        return Some(name.clone());
    }
    let hint = suggest::hint("pools", text, defaults.pools.keys().map(PoolName::as_str));
    field.error(format!("there is no pool {text:?}"), Some(hint));
    None
}

/// Reads a job's `plugin`; a job without one uses the plugin of its own name.
pub(super) fn read_plugin(
    table: &TableReader<'_>,
    own_name: &str,
    known: &[PluginName],
    plugin_dir: &Path,
) -> Option<PluginName> {
    let plugin_dir = plugin_dir.display();
    let find = |name: &str| known.iter().find(|plugin| plugin.as_str() == name).cloned();
    let names = || known.iter().map(PluginName::as_str);
    let Some(field) = table.field("plugin") else {
        let plugin = find(own_name);
        if plugin.is_none() {
            let hint = match suggest::list(names()) {
                Some(names) => format!("write plugin = \"…\"; the plugins are {names}"),
                None => format!("write plugin = \"…\", and put its .wasm file into {plugin_dir}"),
            };
            table.error("the key `plugin` is missing, and there is no plugin of the job's name", Some(hint));
        }
        return plugin;
    };
    let text = field.text("hello")?;
    let plugin = find(text);
    if plugin.is_none() {
        let put = format!("put {text}.wasm into {plugin_dir}, or declare [plugins.{text}]");
        let hint = match (suggest::nearest(text, names()), suggest::list(names())) {
            (Some(name), _) => format!("did you mean {name:?}?"),
            (None, Some(names)) => format!("{put}; the plugins are {names}"),
            (None, None) => put,
        };
        field.error(format!("there is no plugin {text:?}"), Some(hint));
    }
    plugin
}
