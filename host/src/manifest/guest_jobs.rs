//! Jobs as a run describes them: JSON with the keys of a section `[jobs.NAME]`, read by the rules of the manifest.

use std::path::PathBuf;

use chrono_tz::Tz;
use clockbox_core::model::{Job, JobId, JobPatch, PluginName, Policy, PolicyPatch, Pool, PoolName, Source};
use serde_json::{Map, Value as Json};

use super::{
    jobs::{self, Defaults},
    policy,
    problem::Severity,
    reader::{Findings, TableReader},
    source::{SourceKind, Sources},
    syntax, trigger,
};

/// What a description is read against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// The pools that there are.
    pub(crate) pools: &'a [Pool],
    /// The time zone of triggers that name none.
    pub(crate) zone: Tz,
}

impl Terms<'_> {
    fn defaults(&self, policy: Policy) -> Defaults {
        let pools = self.pools.iter().map(|pool| (pool.name.clone(), pool.clone()));
        Defaults { policy, pool: PoolName::default_pool(), zone: self.zone, pools: pools.collect() }
    }
}

/// Reads a job that a run adds. `plugin` is that of the run: what the job has unless it says otherwise.
///
/// # Errors
/// With every problem, a line each.
pub(crate) fn read_job(
    name: &JobId,
    plugin: PluginName,
    source: Source,
    keys: &str,
    terms: Terms<'_>,
) -> Result<Job, String> {
    let Keys { mut table, args } = Keys::read(keys)?;
    // It is what becomes of such a job anyhow, and in a manifest it would be a mistake in one without a trigger.
    if table.get("when_done").and_then(Json::as_str) == Some("remove") {
        table.remove("when_done");
    }
    let defaults = terms.defaults(Policy::default());
    let job = with_reader(&table, |table| {
        let plugin = read_plugin(table).unwrap_or(plugin);
        let keys = jobs::read_keys(table, name.as_str(), &defaults);
        if !keys.enabled {
            let hint = "add it, and pause it";
            table.error("a job that a run adds cannot be disabled", Some(hint.to_owned()));
        }
        keys.into_job(name.clone(), plugin, source)
    })?;
    // Its trigger was refused, which has been told.
    let mut job = job.ok_or_else(|| "the job has no trigger".to_owned())?;
    job.args = args.unwrap_or_default().to_string().into();
    Ok(job)
}

/// Reads the keys that a run changes of a job.
///
/// # Errors
/// With every problem, a line each.
pub(crate) fn read_changes(job: &Job, keys: &str, terms: Terms<'_>) -> Result<JobPatch, String> {
    let Keys { table, args } = Keys::read(keys)?;
    let defaults = terms.defaults((*job.policy).clone());
    with_reader(&table, |table| JobPatch {
        plugin: read_plugin(table),
        pool: table.field("pool").and_then(|field| jobs::read_pool(&field, &defaults)),
        trigger: table.field("trigger").and_then(|_| trigger::read(table, job.id.as_str(), terms.zone)),
        args: args.map(|args| args.to_string().into()),
        policy: changed(&job.policy, policy::read(table, &job.policy)),
    })
}

fn read_plugin(table: &TableReader<'_>) -> Option<PluginName> {
    table.field("plugin").and_then(|field| field.parsed("hello"))
}

/// What a policy has otherwise than another one.
fn changed(old: &Policy, new: Policy) -> PolicyPatch {
    fn other<T: PartialEq>(old: &T, new: T) -> Option<T> {
        (*old != new).then_some(new)
    }
    PolicyPatch {
        misfire_grace: other(&old.misfire_grace, new.misfire_grace),
        coalesce: other(&old.coalesce, new.coalesce),
        max_instances: other(&old.max_instances, new.max_instances),
        overlap: other(&old.overlap, new.overlap),
        priority: other(&old.priority, new.priority),
        delivery: other(&old.delivery, new.delivery),
        retry: other(&old.retry, new.retry),
        when_done: new.when_done,
    }
}

/// The keys of a description; the arguments apart, as they may be anything that JSON can say.
struct Keys {
    table: Map<String, Json>,
    args: Option<Json>,
}

impl Keys {
    fn read(text: &str) -> Result<Self, String> {
        let value: Json =
            serde_json::from_str(text).map_err(|error| format!("the job is not JSON: {error}"))?;
        let Json::Object(mut table) = value else {
            return Err(
                "the job is not a JSON object; write for instance {\"trigger\": {\"interval\": \"2h\"}}"
                    .to_owned(),
            );
        };
        let args = table.remove("args");
        // A key that is null is a key that is not there.
        table.retain(|_, value| !value.is_null());
        Ok(Self { table, args })
    }
}

/// Reads the keys as a table of a manifest, and answers with all that is wrong with them.
fn with_reader<T>(table: &Map<String, Json>, read: impl FnOnce(&TableReader<'_>) -> T) -> Result<T, String> {
    let text = toml::to_string(table).map_err(|error| format!("the job cannot be read: {error}"))?;
    let (mut sources, findings) = (Sources::default(), Findings::default());
    let source = sources.add(SourceKind::File(PathBuf::from("job")), text.as_str());
    let parsed = syntax::parse(&text, source, &findings);
    let reader = TableReader::new(&parsed.table, &parsed.spot, String::new(), &findings);
    let answer = read(&reader);
    reader.finish(jobs::HINTS);
    let problem = |finding: super::reader::Finding| {
        let key = if finding.key.is_empty() { String::new() } else { format!("{}: ", finding.key) };
        let hint = finding.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{key}{}{hint}", finding.message)
    };
    let errors = findings.into_list().into_iter().filter(|finding| finding.severity == Severity::Error);
    let problems: Vec<String> = errors.map(problem).collect();
    if problems.is_empty() { Ok(answer) } else { Err(problems.join("\n")) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clockbox_core::model::{Adder, Retry, WhenDone};

    use super::*;

    fn pools() -> Vec<Pool> {
        vec![Pool::new(PoolName::default_pool()), Pool::new("heavy".parse().unwrap())]
    }

    fn read(keys: &str) -> Result<Job, String> {
        let source =
            Source::Job(Box::new(Adder { job: "parent".parse().unwrap(), plugin: "hello".parse().unwrap() }));
        let terms = Terms { pools: &pools(), zone: chrono_tz::Asia::Shanghai };
        read_job(&"child".parse().unwrap(), "hello".parse().unwrap(), source, keys, terms)
    }

    #[test]
    fn a_job_has_the_keys_of_the_manifest_and_any_arguments() {
        let job = read(
            r#"{ "trigger": { "cron": { "hour": 5 }, "jitter": "3s" }, "pool": "heavy", "plugin": "other",
                 "args": { "to": [null, 1.5] }, "retry": { "attempts": 3 }, "when_done": "keep", "priority": null }"#,
        )
        .unwrap();
        assert_eq!(
            (job.plugin.as_str(), job.pool.as_str(), &*job.args),
            ("other", "heavy", r#"{"to":[null,1.5]}"#)
        );
        assert_eq!((job.policy.retry.attempts, job.when_done()), (3, WhenDone::Keep));
        assert_eq!(job.trigger.zone().name(), "Asia/Shanghai");
        assert!(matches!(job.source, Source::Job(_)));
        // Once, as soon as it is added.
        let job = read(r#"{ "when_done": "remove" }"#).unwrap();
        assert_eq!(
            (job.trigger.describe(), &*job.args, job.when_done()),
            ("once, as soon as possible".to_owned(), "null", WhenDone::Remove)
        );
    }

    #[test]
    fn every_problem_is_told_as_in_a_manifest() {
        let problems = read(
            r#"{ "trigger": { "interval": "2 parsecs" }, "pool": "heavi", "timeout": 3, "enabled": false }"#,
        );
        let problems = problems.unwrap_err();
        let lines: Vec<&str> = problems.lines().collect();
        assert_eq!(lines.len(), 4, "{problems}");
        for line in [
            "pool: there is no pool \"heavi\"; did you mean \"heavy\"?",
            "timeout: unknown key; limits belong to the plugin: [plugins.NAME] limits = { timeout = \"30s\" }",
            "a job that a run adds cannot be disabled; add it, and pause it",
        ] {
            assert!(lines.contains(&line), "{problems}");
        }
        assert!(problems.contains("trigger.interval: "), "{problems}");
        assert!(read("[]").unwrap_err().starts_with("the job is not a JSON object"));
        assert!(read("{").unwrap_err().starts_with("the job is not JSON: "));
        assert!(read(r#"{ "priority": 99999999999999999999 }"#).is_err());
    }

    #[test]
    fn only_what_a_change_says_is_changed() {
        let job = read(r#"{ "retry": { "attempts": 3, "backoff": "1m" }, "args": 1 }"#).unwrap();
        let change = |keys: &str| {
            let terms = Terms { pools: &pools(), zone: chrono_tz::UTC };
            read_changes(&job, keys, terms)
        };
        assert_eq!(change("{}").unwrap(), JobPatch::default());
        let changed = change(r#"{ "retry": { "attempts": 5 }, "args": null }"#).unwrap();
        let retry = Retry { attempts: 5, backoff: Duration::from_secs(60), ..Retry::default() };
        assert_eq!(changed.policy, PolicyPatch { retry: Some(retry), ..PolicyPatch::default() });
        assert_eq!((changed.args.as_deref(), changed.trigger), (Some("null"), None));
        let changed = change(r#"{ "trigger": { "interval": "2h" } }"#).unwrap();
        assert_eq!(changed.trigger.unwrap().describe(), "every 2 hours");
        assert!(change(r#"{ "name": "other" }"#).unwrap_err().starts_with("name: unknown key"));
    }
}
