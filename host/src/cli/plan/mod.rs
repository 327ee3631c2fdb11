//! `clockbox plan`: what a changed manifest would do to the running host, or to what the last one left.

mod changes;

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use clockbox_core::model::{Job, JobRecord, OutputFrom, PluginName};
use serde_json::{Map, Value, json};

use self::changes::{Known, Plan, Things, What};
use super::{
    Output,
    ask::{Host, HostArgs},
    exit::{Failure, print, print_json},
    jobs::every_job,
    plugin_sandbox,
};
use crate::{
    control::{
        PoolList, SettingsView, WebhookList,
        view::{JobKeys, JobView, WebhookView, allowed, limits_of},
    },
    in_force::sections,
    manifest::{Loaded, Manifest, StoreKind},
    reload::{LoadedPlugins, Loader},
};

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    output: Output,
}

pub(super) fn plan(args: &PlanArgs) -> Result<(), Failure> {
    let loaded = args.host.place.load();
    let Loaded { manifest, refused } = loaded.map_err(|problems| {
        Failure::new(problems.to_string().trim_end()).hint("a host that runs keeps the last good manifest")
    })?;
    let mut host = args.host.try_connect()?.ok();
    if host.is_none() && !args.host.is_of_manifest() {
        // Whoever names a host wants to hear of that one.
        host = Some(args.host.connect()?);
    }
    let sandbox = plugin_sandbox::open(plugin_sandbox::options(&manifest, None))?;
    let loaded = Loader::new(sandbox).load(&manifest);
    let mut problems: Vec<String> = Vec::new();
    problems.extend(refused.iter().flat_map(|refused| refused.problems.0.iter().map(ToString::to_string)));
    problems.extend(loaded.problems.iter().map(ToString::to_string));
    // What a refused file says of its jobs is not known: they stay as they are.
    let unusable: BTreeSet<PluginName> = refused
        .iter()
        .flat_map(|refused| refused.plugins.iter().cloned())
        .chain(loaded.problems.iter().map(|problem| problem.plugin.clone()))
        .collect();

    let jobs = jobs_in_force(args, &manifest, host.as_mut())?;
    let mut plan = Plan::default();
    plan.jobs(&jobs, &declared(&manifest), &unusable.iter().map(ToString::to_string).collect());
    if let Some(host) = &mut host {
        against_settings(host, &manifest, &mut plan)?;
        let pools: PoolList = host.get("/v1/pools")?;
        let pools = pools.pools.into_iter();
        let known = pools.map(|pool| (pool.name, pool_keys(pool.max_instances, pool.queue))).collect();
        let wanted = manifest.pools.values();
        let wanted =
            wanted.map(|pool| (pool.name.to_string(), pool_keys(pool.max_instances, pool.queue))).collect();
        plan.compare_with_notes("pool", &known, &wanted, |what| {
            (what == What::Removed).then_some("it stays, and its runs go on, until the host is started anew")
        });
        let webhooks: Option<WebhookList> = host.find("/v1/webhooks")?;
        if let Some(webhooks) = webhooks {
            let wanted = manifest.webhooks.iter().map(|(name, hook)| WebhookView::new(name, hook, None));
            let keys = |view: WebhookView| (view.name.clone(), webhook_keys(&view));
            let (known, wanted) =
                (webhooks.webhooks.into_iter().map(keys).collect(), wanted.map(keys).collect());
            plan.compare("webhook", &known, &wanted);
        }
        if let Some(known) = plugins_at(host)? {
            plan.compare("plugin", &known, &plugins_of(&manifest, &loaded, &known));
        }
    }

    if args.output.json {
        print_json(&json!({
            "against": if host.is_some() { "host" } else { "store" },
            "changes": plan.changes,
            "problems": problems,
        }))?;
    } else {
        if host.is_none() {
            eprintln!("note: no host is running: compared with the jobs that the last one left");
        }
        print(&plan.to_string())?;
        eprintln!("{}", plan.summary());
    }
    for problem in &problems {
        eprintln!("error: {problem}");
    }
    match (problems.is_empty(), plan.is_empty()) {
        (false, _) => Err(Failure::new("")),
        (true, false) => Err(Failure::no("")),
        (true, true) => Ok(()),
    }
}

/// What the sections of the manifest say beside jobs, plugins and pools.
fn against_settings(host: &mut Host, manifest: &Manifest, plan: &mut Plan) -> Result<(), Failure> {
    const RESTART: &str = "it needs a restart of the host";
    let Some(SettingsView { settings: known }) = host.find("/v1/settings")? else { return Ok(()) };
    let wanted = sections(manifest);
    for (section, kind, name, needs_restart) in [
        ("scheduler", "scheduler", "settings", false),
        ("start", "scheduler", "at start", true),
        ("store", "store", "settings", true),
        ("server", "server", "settings", true),
    ] {
        let one = |sections: &Things| -> Things {
            let keys = sections.get(section).cloned();
            keys.map(|keys| (name.to_owned(), keys)).into_iter().collect()
        };
        plan.compare_with_notes(kind, &one(&known), &one(&wanted), |_| needs_restart.then_some(RESTART));
    }
    Ok(())
}

fn pool_keys(max_instances: u32, queue: u32) -> Map<String, Value> {
    let keys = [("max_instances", json!(max_instances)), ("queue", json!(queue))];
    keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What can be seen of a webhook: of its URL the origin, and of its secret whether there is one.
fn webhook_keys(view: &WebhookView) -> Map<String, Value> {
    let mut keys = match serde_json::to_value(view) {
        Ok(Value::Object(keys)) => keys,
        _ => Map::new(),
    };
    keys.retain(|key, _| !matches!(key.as_str(), "name" | "messages"));
    keys
}

/// The jobs as they are: of the store where it can be looked into, as it knows most; else as the host shows them.
fn jobs_in_force(
    args: &PlanArgs,
    manifest: &Manifest,
    host: Option<&mut Host>,
) -> Result<BTreeMap<String, Known>, Failure> {
    let is_here = args.host.is_of_manifest() && matches!(manifest.store.kind, StoreKind::Sqlite { .. });
    if let (Some(host), false) = (host, is_here) {
        return Ok(every_job(host)?.into_iter().map(|job| (job.name.clone(), known(job))).collect());
    }
    let records = args.host.place.jobs_on_record(manifest).map_err(Failure::new)?;
    let one = |record: &JobRecord| {
        let declared = record.declared.as_deref().map(keys_of);
        let (keys, source) = (keys_of(&record.job), record.job.source.kind().to_owned());
        let known = Known { keys, declared, source, is_reloaded: record.job.source.is_reloaded() };
        (record.job.id.to_string(), known)
    };
    Ok(records.iter().map(one).collect())
}

fn known(job: JobView) -> Known {
    let is_reloaded = matches!(job.source.as_str(), "manifest" | "folder");
    let declared = job.declared.as_ref().map(|declared| keys(declared, None, None));
    Known {
        keys: keys(&job.keys, Some(&job.timezone), Some(&job.source)),
        declared,
        source: job.source,
        is_reloaded,
    }
}

/// The keys of a job, with what else makes it another one.
fn keys(of: &JobKeys, timezone: Option<&str>, source: Option<&str>) -> Map<String, Value> {
    let mut keys = match serde_json::to_value(of) {
        Ok(Value::Object(keys)) => keys,
        _ => Map::new(),
    };
    keys.extend(timezone.map(|zone| ("timezone".to_owned(), json!(zone))));
    keys.extend(source.map(|source| ("source".to_owned(), json!(source))));
    keys
}

fn keys_of(job: &Job) -> Map<String, Value> {
    keys(&JobKeys::of(job), Some(job.trigger.zone().name()), Some(job.source.kind()))
}

fn declared(manifest: &Manifest) -> Things {
    manifest.jobs.iter().map(|(id, job)| (id.to_string(), keys_of(job))).collect()
}

/// The plugins of a host that can run; `None` where it does not tell of them.
fn plugins_at(host: &mut Host) -> Result<Option<Things>, Failure> {
    let list: Option<Value> = host.find("/v1/plugins")?;
    let Some(list) = list else { return Ok(None) };
    let plugins = list["plugins"].as_array().into_iter().flatten();
    let of_files = plugins.filter(|plugin| plugin["path"].is_string());
    let one = |plugin: &Value| {
        let output = plugin["output"].as_str().unwrap_or(OutputFrom::default().as_str());
        let mut keys = Map::from_iter([
            ("sha256".to_owned(), plugin["sha256"].clone()),
            ("output".to_owned(), json!(output)),
        ]);
        for table in ["allow", "limits"] {
            let said = plugin[table].as_object().into_iter().flatten();
            keys.extend(said.map(|(key, value)| (format!("{table}.{key}"), all_of(value.clone()))));
        }
        (plugin["name"].as_str().unwrap_or_default().to_owned(), keys)
    };
    Ok(Some(of_files.map(one).collect()))
}

/// The plugins as they would be. One that is refused stays as it is.
fn plugins_of(manifest: &Manifest, loaded: &LoadedPlugins, known: &Things) -> Things {
    let folder = manifest.folder();
    let one = |name: &PluginName| {
        let plugin = loaded.plugins.get(name)?;
        let spec = plugin.spec();
        let mut keys = Map::from_iter([
            ("sha256".to_owned(), json!(plugin.digest())),
            ("output".to_owned(), json!(spec.output.as_str())),
        ]);
        let allowed = allowed(&spec.rights, &folder);
        keys.extend(allowed.into_iter().map(|(right, what)| (format!("allow.{right}"), all_of(json!(what)))));
        keys.extend(limits_of(&spec.limits).into_iter().map(|(key, value)| (format!("limits.{key}"), value)));
        Some(keys)
    };
    let names = manifest.plugins.keys();
    names
        .filter_map(|name| {
            let keys = one(name).or_else(|| known.get(name.as_str()).cloned())?;
            Some((name.to_string(), keys))
        })
        .collect()
}

/// A right that is but a yes or no is told as that.
fn all_of(value: Value) -> Value {
    if value.as_array().is_some_and(Vec::is_empty) { json!(true) } else { value }
}
