//! Every value that is in force, also those that nobody has said, and where each comes from.

use std::{collections::BTreeMap, fmt};

use clockbox_core::model::{
    CompileLimits, HttpOptions, Job, Limits, PluginName, PluginSpec, Source, WebhookName, format_duration,
    format_size,
};
use clockbox_core::trigger::{Trigger, TriggerSpec};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{
    Manifest, Place, WebhookSettings,
    document::Written,
    source::Sources,
    tree::{Node, Table, Value, join},
};

/// A value that is in force.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// Its key: `pools.default.max_instances`.
    pub key: String,
    /// What it is. Of a secret, the variable or file that holds it.
    pub value: Json,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It is written there.
    Place(Place),
    /// `[defaults]` says it for every job, there.
    Defaults(Place),
    /// Nobody says anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => write!(f, "{place}"),
            Self::Defaults(place) => write!(f, "[defaults] {place}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Every place at which a key is written.
struct Places(BTreeMap<String, Place>);

impl Places {
    /// Notes the keys of a table, and of those in it, where nobody has noted them yet.
    fn note(&mut self, path: &str, table: &Table, sources: &Sources) {
        for (key, entry) in &table.0 {
            let path = join(path, key);
            if let Value::Table(inner) = &entry.node.value {
                self.note(&path, inner, sources);
            }
            // An override stands for the value, not for the table that it is put into.
            self.0.entry(path).or_insert_with(|| sources.place(&entry.node.spot));
        }
    }
}

struct Settings {
    places: Places,
    found: Vec<Setting>,
}

impl Settings {
    fn put(&mut self, key: String, value: Json) {
        let origin = self.places.0.get(&key).cloned().map_or(Origin::Default, Origin::Place);
        self.found.push(Setting { key, value, origin });
    }

    /// A key of a job, which `[defaults]` may say.
    fn put_of_job(&mut self, job: &str, key: &str, value: Json) {
        let path = format!("{job}.{key}");
        let own = self.places.0.get(&path).cloned().map(Origin::Place);
        let usual = || self.places.0.get(&format!("defaults.{key}")).cloned().map(Origin::Defaults);
        let origin = own.or_else(usual).unwrap_or(Origin::Default);
        self.found.push(Setting { key: path, value, origin });
    }

    fn put_all(&mut self, path: &str, keys: impl IntoIterator<Item = (&'static str, Json)>) {
        for (key, value) in keys {
            self.put(format!("{path}.{key}"), value);
        }
    }
}

/// What is in force, section by section.
pub(super) fn of(manifest: &Manifest, written: &Written) -> Vec<Setting> {
    let mut places = Places(BTreeMap::new());
    places.note("", &written.tree, &written.sources);
    for file in &written.files {
        let of_file = manifest.plugins.iter().filter(|(_, spec)| spec.path == file.path);
        for (name, _) in of_file {
            places.note(&join("plugins", name.as_str()), &file.plugin, &written.sources);
        }
        if let Some(name) = &file.job_name {
            places.note(&join("jobs", name.as_str()), &file.job, &written.sources);
        }
    }
    let mut settings = Settings { places, found: Vec::new() };
    host(&mut settings, manifest, written);
    for pool in manifest.pools.values() {
        let keys = [("max_instances", json!(pool.max_instances)), ("queue", json!(pool.queue))];
        settings.put_all(&join("pools", pool.name.as_str()), keys);
    }
    for (key, value) in usual_keys(manifest) {
        settings.put(format!("defaults.{key}"), value);
    }
    for (name, spec) in &manifest.plugins {
        plugin(&mut settings, name, spec, written);
    }
    for (id, job) in &manifest.jobs {
        let path = join("jobs", id.as_str());
        for (key, value) in flat(job.every_key()) {
            settings.put_of_job(&path, &key, value);
        }
    }
    settings.found
}

fn host(settings: &mut Settings, manifest: &Manifest, written: &Written) {
    let scheduler = &manifest.scheduler;
    let CompileLimits { timeout, memory, at_once, max_size, cache } = &scheduler.compile;
    settings.put_all(
        "scheduler",
        [
            ("timezone", json!(scheduler.timezone.name())),
            ("plugin_dir", json!(scheduler.plugin_dir.display().to_string())),
            ("shutdown_grace", json!(format_duration(scheduler.shutdown_grace))),
            ("history.keep", json!(format_duration(scheduler.history.keep))),
            ("history.keep_per_job", json!(scheduler.history.keep_per_job)),
            ("cache_dir", json!(scheduler.cache_dir.as_ref().map(|path| path.display().to_string()))),
            ("compile.timeout", json!(format_duration(*timeout))),
            ("compile.memory", json!(format_size(*memory))),
            ("compile.at_once", json!(at_once)),
            ("compile.max_size", json!(format_size(*max_size))),
            ("compile.cache", json!(format_size(*cache))),
        ],
    );
    settings.put_all("store", [("url", json!(manifest.store.url))]);
    let server = &manifest.server;
    let socket = server.socket.as_ref().map_or(json!(false), |path| json!(path.display().to_string()));
    // The secret itself is never looked at: only what is written of it.
    let secret =
        |key| written.tree.table("server").and_then(|table| table.get(key)).map_or(Json::Null, as_json);
    settings.put_all(
        "server",
        [
            ("socket", socket),
            ("listen", json!(server.listen)),
            ("token", secret("token")),
            ("read_token", secret("read_token")),
            ("insecure", json!(server.insecure)),
            ("rate_limit", json!(server.rate_limit())),
            ("metrics_jobs", json!(server.metrics_jobs())),
            ("uploads", json!(server.uploads)),
        ],
    );
    for (name, hook) in &manifest.webhooks {
        webhook(settings, name, hook, written);
    }
}

/// A webhook, with its URL and secret as they are written.
fn webhook(settings: &mut Settings, name: &WebhookName, hook: &WebhookSettings, written: &Written) {
    let own = written.tree.table("webhooks").and_then(|hooks| hooks.table(name.as_str()));
    let said = |key| own.and_then(|own| own.get(key)).map_or(Json::Null, as_json);
    let jobs: Vec<String> = hook.jobs.iter().map(ToString::to_string).collect();
    settings.put_all(
        &join("webhooks", name.as_str()),
        [
            ("url", said("url")),
            ("events", hook.events.iter().map(|occasion| json!(occasion.as_str())).collect()),
            ("jobs", if jobs.is_empty() { Json::Null } else { json!(jobs) }),
            ("secret", said("secret")),
            ("ca_file", json!(hook.ca_file.as_ref().map(|path| path.display().to_string()))),
            ("timeout", json!(format_duration(hook.timeout))),
            ("retries", json!(hook.retries)),
            ("backoff", json!(format_duration(hook.backoff))),
        ],
    );
}

/// What a job has that says nothing.
fn usual_keys(manifest: &Manifest) -> Vec<(String, Json)> {
    let defaults = &manifest.defaults;
    let (Ok(id), Ok(plugin)) = ("defaults".parse(), "defaults".parse()) else { return Vec::new() };
    let Ok(trigger) = Trigger::new(TriggerSpec::default(), defaults.timezone) else { return Vec::new() };
    let job = Job {
        id,
        plugin,
        pool: defaults.pool.clone(),
        trigger,
        args: "null".into(),
        policy: defaults.policy.clone().into(),
        source: Source::Manifest,
    };
    let of_one = |key: &str| matches!(key, "plugin" | "trigger" | "args");
    flat(job.every_key()).into_iter().filter(|(key, _)| !of_one(key)).collect()
}

/// The keys of a job, with those that are laid over one another key by key.
fn flat(keys: Map<String, Json>) -> Vec<(String, Json)> {
    let mut flat = Vec::new();
    for (key, value) in keys {
        match value {
            Json::Object(inner) if super::jobs::DEEP.contains(&key.as_str()) => {
                flat.extend(inner.into_iter().map(|(part, value)| (format!("{key}.{part}"), value)));
            }
            value => flat.push((key, value)),
        }
    }
    flat
}

fn plugin(settings: &mut Settings, name: &PluginName, spec: &PluginSpec, written: &Written) {
    let path = join("plugins", name.as_str());
    let Limits {
        timeout,
        cancel_grace,
        memory,
        fuel,
        stack,
        log,
        output,
        state,
        response,
        handles,
        host_call,
    } = &spec.limits;
    let HttpOptions { connect_timeout, first_byte_timeout, total_timeout, ca_file } = &spec.http;
    settings.put_all(
        &path,
        [
            ("path", json!(spec.path.display().to_string())),
            ("sha256", json!(spec.sha256)),
            ("allow", allow(name, spec, written)),
            ("output", json!(spec.output.as_str())),
            ("limits.timeout", json!(format_duration(*timeout))),
            ("limits.cancel_grace", json!(format_duration(*cancel_grace))),
            ("limits.memory", json!(format_size(*memory))),
            ("limits.fuel", json!(fuel)),
            ("limits.stack", json!(stack.map(format_size))),
            ("limits.log", json!(format_size(*log))),
            ("limits.output", json!(format_size(*output))),
            ("limits.state", json!(format_size(*state))),
            ("limits.response", json!(format_size(*response))),
            ("limits.handles", json!(handles)),
            ("limits.host_call", json!(format_size(*host_call))),
            ("http.connect_timeout", json!(format_duration(*connect_timeout))),
            ("http.first_byte_timeout", json!(format_duration(*first_byte_timeout))),
            ("http.total_timeout", json!(format_duration(*total_timeout))),
            ("http.ca_file", json!(ca_file.as_ref().map(|path| path.display().to_string()))),
        ],
    );
    for (key, value) in &spec.config {
        settings.put(join(&format!("{path}.config"), key), json!(value));
    }
}

/// The rights as they are written: secrets by the variables and files that hold them.
fn allow(name: &PluginName, spec: &PluginSpec, written: &Written) -> Json {
    let own = written.tree.table("plugins").and_then(|plugins| plugins.table(name.as_str()));
    let of_file = || written.files.iter().find(|file| file.path == spec.path)?.plugin.get("allow");
    own.and_then(|own| own.get("allow")).or_else(of_file).map_or_else(|| json!({}), as_json)
}

fn as_json(node: &Node) -> Json {
    match &node.value {
        Value::Text(text) | Value::Huge(text) | Value::Datetime(text) => json!(text),
        Value::Whole(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Boolean(flag) => json!(flag),
        Value::Array(items) => items.iter().map(as_json).collect(),
        Value::Table(table) => table
            .0
            .iter()
            .map(|(key, entry)| (key.clone(), as_json(&entry.node)))
            .collect::<Map<_, _>>()
            .into(),
    }
}
