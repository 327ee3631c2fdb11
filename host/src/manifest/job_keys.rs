//! Jobs as programs and guests describe them: JSON with the keys of a section `[jobs.NAME]`, read by the rules of the
//! manifest.

use std::path::PathBuf;

use clockbox_core::model::{
    Job, JobDefaults, JobId, JobPatch, KeyProblem, KeyProblems, PluginName, Policy, PolicyPatch, Pool,
    Source, WhenDone,
};
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
    /// What a job has that says nothing of its own.
    pub(crate) defaults: &'a JobDefaults,
}

impl Terms<'_> {
    fn defaults(&self, policy: Policy) -> Defaults {
        let pools = self.pools.iter().map(|pool| (pool.name.clone(), pool.clone()));
        let JobDefaults { timezone, pool, .. } = self.defaults;
        Defaults { policy, pool: pool.clone(), zone: *timezone, pools: pools.collect() }
    }
}

/// Reads a job that is added while the host runs. `plugin` is what it has unless it says otherwise: that of the run that
/// adds it.
///
/// # Errors
/// With every problem, a line each.
pub(crate) fn read_job(
    name: &JobId,
    plugin: Option<PluginName>,
    source: Source,
    keys: &str,
    terms: Terms<'_>,
) -> Result<Job, KeyProblems> {
    let Keys { mut table, args } = Keys::read(keys)?;
    // It is what becomes of such a job anyhow, and in a manifest it would be a mistake in one without a trigger.
    if table.get("when_done").and_then(Json::as_str) == Some("remove") {
        table.remove("when_done");
    }
    let mut defaults = terms.defaults(terms.defaults.policy.clone());
    defaults.policy.when_done = defaults.policy.when_done.filter(|when_done| *when_done != WhenDone::Remove);
    let job = with_reader(&table, |table| {
        if let Some(field) = table.field("description") {
            let hint = "leave it out, or declare the job in the manifest";
            field.error("is not kept of a job that is added while the host runs", Some(hint.to_owned()));
        }
        let plugin = read_plugin(table).or(plugin);
        if plugin.is_none() {
            let hint = "write \"plugin\": \"…\"; `clockbox plugins list` names them";
            table.error("the key `plugin` is missing", Some(hint.to_owned()));
        }
        let keys = jobs::read_keys(table, name.as_str(), &defaults);
        if !keys.enabled {
            let hint = "add it, and pause it";
            table.error("a job that is added while the host runs cannot be disabled", Some(hint.to_owned()));
        }
        keys.into_job(name.clone(), plugin?, source)
    })?;
    // Its trigger was refused, which has been told.
    let mut job = job.ok_or_else(|| KeyProblems::whole("the job has no trigger"))?;
    job.args = args.unwrap_or_default().to_string().into();
    Ok(job)
}

/// Reads the keys that a run, a program or a person changes of a job.
///
/// # Errors
/// With every problem, a line each.
pub(crate) fn read_changes(job: &Job, keys: &str, terms: Terms<'_>) -> Result<JobPatch, KeyProblems> {
    let Keys { table, args } = Keys::read(keys)?;
    let defaults = terms.defaults((*job.policy).clone());
    with_reader(&table, |table| {
        if let Some(field) = table.field("allow") {
            let hint = "put the whole job in its place: PUT, or `clockbox jobs add --replace`";
            field.error("is not changed by itself", Some(hint.to_owned()));
        }
        // They are read already, and are among the keys that there are.
        _ = table.field("args");
        JobPatch {
            plugin: read_plugin(table),
            pool: table.field("pool").and_then(|field| jobs::read_pool(&field, &defaults)),
            trigger: table
                .field("trigger")
                .and_then(|_| trigger::read(table, job.id.as_str(), terms.defaults.timezone)),
            args: args.map(|args| args.to_string().into()),
            policy: changed(&job.policy, policy::read(table, &job.policy)),
        }
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
    fn read(text: &str) -> Result<Self, KeyProblems> {
        let value: Json = serde_json::from_str(text)
            .map_err(|error| KeyProblems::whole(format!("the job is not JSON: {error}")))?;
        let Json::Object(mut table) = value else {
            return Err(KeyProblems::whole(
                "the job is not a JSON object; write for instance {\"trigger\": {\"interval\": \"2h\"}}",
            ));
        };
        let args = table.remove("args");
        // A key that is null is a key that is not there.
        table.retain(|_, value| !value.is_null());
        Ok(Self { table, args })
    }
}

/// Reads the keys as a table of a manifest, and answers with all that is wrong with them.
fn with_reader<T>(
    table: &Map<String, Json>,
    read: impl FnOnce(&TableReader<'_>) -> T,
) -> Result<T, KeyProblems> {
    let text = toml::to_string(table)
        .map_err(|error| KeyProblems::whole(format!("the job cannot be read: {error}")))?;
    let (mut sources, findings) = (Sources::default(), Findings::default());
    let source = sources.add(SourceKind::File(PathBuf::from("job")), text.as_str());
    let parsed = syntax::parse(&text, source, &findings);
    let reader = TableReader::new(&parsed.table, &parsed.spot, String::new(), &findings);
    let answer = read(&reader);
    reader.finish(jobs::HINTS);
    let problem = |finding: super::reader::Finding| KeyProblem {
        key: finding.key,
        message: finding.message,
        hint: finding.hint,
    };
    let errors = findings.into_list().into_iter().filter(|finding| finding.severity == Severity::Error);
    let problems: Vec<KeyProblem> = errors.map(problem).collect();
    if problems.is_empty() { Ok(answer) } else { Err(KeyProblems(problems)) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clockbox_core::model::{Adder, PoolName, Retry};

    use super::*;

    fn pools() -> Vec<Pool> {
        vec![Pool::new(PoolName::default_pool()), Pool::new("heavy".parse().unwrap())]
    }

    fn defaults(timezone: chrono_tz::Tz) -> JobDefaults {
        JobDefaults { timezone, ..JobDefaults::default() }
    }

    fn read(keys: &str) -> Result<Job, KeyProblems> {
        let source =
            Source::Job(Box::new(Adder { job: "parent".parse().unwrap(), plugin: "hello".parse().unwrap() }));
        let terms = Terms { pools: &pools(), defaults: &defaults(chrono_tz::Asia::Shanghai) };
        read_job(&"child".parse().unwrap(), Some("hello".parse().unwrap()), source, keys, terms)
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
            r#"{ "trigger": { "interval": "2 parsecs" }, "pool": "heavi", "timeout": 3, "enabled": false, "description": "x" }"#,
        );
        let problems = problems.unwrap_err().to_string();
        let lines: Vec<&str> = problems.lines().collect();
        assert_eq!(lines.len(), 5, "{problems}");
        for line in [
            "description: is not kept of a job that is added while the host runs; leave it out, or declare the job in the manifest",
            "pool: there is no pool \"heavi\"; did you mean \"heavy\"?",
            "timeout: unknown key; limits belong to the plugin: [plugins.NAME] limits = { timeout = \"30s\" }",
            "a job that is added while the host runs cannot be disabled; add it, and pause it",
        ] {
            assert!(lines.contains(&line), "{problems}");
        }
        assert!(problems.contains("trigger.interval: "), "{problems}");
        assert!(read("[]").unwrap_err().to_string().starts_with("the job is not a JSON object"));
        assert!(read("{").unwrap_err().to_string().starts_with("the job is not JSON: "));
        assert!(read(r#"{ "priority": 99999999999999999999 }"#).is_err());
    }

    #[test]
    fn a_job_that_is_written_and_read_again_is_the_same() {
        let others = JobDefaults {
            timezone: chrono_tz::Europe::Berlin,
            policy: Policy { max_instances: 7, when_done: Some(WhenDone::Remove), ..Policy::default() },
            pool: "heavy".parse().unwrap(),
        };
        let source = || Source::Api;
        for keys in [
            "{}",
            r#"{ "trigger": { "cron": "H 5 * * *", "timezone": "Asia/Tokyo", "jitter": "3s" }, "args": { "a": [null, 1.5] } }"#,
            r#"{ "trigger": { "date": "2030-01-01 05:00:00" }, "pool": "heavy", "misfire_grace": "forever", "priority": -3 }"#,
            r#"{ "trigger": { "any": [{ "interval": { "hours": 2 } }, { "cron": { "hour": 5, "day": "last" } }], "start": "2030-01-01" },
                 "coalesce": false, "overlap": "replace", "delivery": "at-least-once", "when_done": "keep",
                 "retry": { "attempts": 3, "backoff": "250ms", "factor": 1.5, "cap": "2h 5s" }, "max_instances": 3 }"#,
            r#"{ "allow": { "http": ["https://a.example", { "origin": "http://b.example", "methods": ["GET"], "private": true }],
                 "tcp": ["a.example:1", { "to": "b.example:2", "private": true }], "dns": true, "read": ["/in"], "state": true } }"#,
        ] {
            for defaults in [JobDefaults::default(), others.clone()] {
                let terms = Terms { pools: &pools(), defaults: &defaults };
                let name: JobId = "a".parse().unwrap();
                let job = read_job(&name, Some("hello".parse().unwrap()), source(), keys, terms).unwrap();
                let written = Json::from(job.keys(&defaults)).to_string();
                let again = read_job(&name, None, source(), &written, terms).unwrap();
                assert_eq!(again, job, "{written}");
            }
        }
    }

    #[test]
    fn only_what_a_change_says_is_changed() {
        let job = read(r#"{ "retry": { "attempts": 3, "backoff": "1m" }, "args": 1 }"#).unwrap();
        let change = |keys: &str| {
            let terms = Terms { pools: &pools(), defaults: &defaults(chrono_tz::UTC) };
            read_changes(&job, keys, terms)
        };
        assert_eq!(change("{}").unwrap(), JobPatch::default());
        let changed = change(r#"{ "retry": { "attempts": 5 }, "args": null }"#).unwrap();
        let retry = Retry { attempts: 5, backoff: Duration::from_secs(60), ..Retry::default() };
        assert_eq!(changed.policy, PolicyPatch { retry: Some(retry), ..PolicyPatch::default() });
        assert_eq!((changed.args.as_deref(), changed.trigger), (Some("null"), None));
        let changed = change(r#"{ "trigger": { "interval": "2h" } }"#).unwrap();
        assert_eq!(changed.trigger.unwrap().describe(), "every 2 hours");
        let unknown = change(r#"{ "name": "other" }"#).unwrap_err().to_string();
        assert!(unknown.starts_with("name: unknown key") && unknown.contains("args"), "{unknown}");
        let narrowed = change(r#"{ "allow": { "state": true } }"#).unwrap_err().to_string();
        assert!(narrowed.starts_with("allow: is not changed by itself; put the whole job"), "{narrowed}");
    }
}
