//! Manifests that are right.

use std::time::Duration;

use chrono_tz::Tz;
use clockbox_core::model::{
    ClockRight, Coalesce, Delivery, Grace, Overlap, RandomRight, Secret, SecretAs, Source, WhenDone,
};

use super::*;
use crate::manifest::{Manifest, PathKind, StoreKind};

/// The example of the README, with secrets left out.
const EXAMPLE: &str = include_str!("seed.toml");

fn example() -> Manifest {
    let env = |name: &str| (name == "REPORT_TOKEN").then(|| "t0ken".to_owned());
    let names = ["report", "fetch", "hello"];
    let around = Surroundings {
        files: names.map(|name| PluginFile::dropped(format!("etc/jobs/{name}.wasm"))).into(),
        env: &env,
        path_kind: &|path| if path.extension().is_some() { PathKind::File } else { PathKind::Folder },
        ..Surroundings::unknown()
    };
    let loaded = parse(EXAMPLE, Path::new("etc/clockbox.toml"), &Overrides::default(), &around);
    loaded.and_then(Loaded::whole).unwrap_or_else(|problems| panic!("{}", problems.render()))
}

#[test]
fn the_readme_example_says_what_it_seems_to_say() {
    let manifest = example();
    assert_eq!(manifest.scheduler.timezone, Tz::Asia__Shanghai);
    assert!(manifest.scheduler.timezone_given);
    assert_eq!(manifest.scheduler.plugin_dir, Path::new("etc/jobs"));
    assert_eq!(manifest.scheduler.history.keep, Duration::from_secs(30 * 86_400));
    assert_eq!(manifest.store.kind, StoreKind::Sqlite { path: "etc/clockbox.db".into() });
    assert_eq!(manifest.pools["heavy"].max_instances, 5);
    assert_eq!(manifest.pools["default"].max_instances, 20);
    assert_eq!(manifest.plugins.len(), 3);
    assert_eq!(manifest.jobs.len(), 3);
    assert_eq!(manifest.warnings, []);

    let plugin = &manifest.plugins["report"];
    assert_eq!(plugin.path, Path::new("etc/jobs/report.wasm"));
    assert_eq!(plugin.sha256.as_deref(), Some("a".repeat(64).as_str()));
    assert_eq!(plugin.rights.read["/data"], Path::new("etc/data"));
    assert_eq!(plugin.rights.env["TOKEN"], "t0ken");
    assert!(plugin.rights.http[0].origin.covers(true, "api.example.com", 443));
    assert_eq!(plugin.limits.timeout, Duration::from_secs(30));
    assert_eq!(plugin.limits.memory, 64 << 20);
    assert_eq!(plugin.config["level"], "3");

    let report = &manifest.jobs["report"];
    assert_eq!(&*report.args, r#"{"to":"ops@example.com"}"#);
    assert_eq!(report.trigger.zone(), Tz::Asia__Shanghai);
    assert_eq!(report.source, Source::Manifest);
    assert_eq!(report.policy.coalesce, Coalesce::All);
    assert_eq!(report.policy.max_instances, 3);

    let poll = &manifest.jobs["poll"];
    assert_eq!(poll.pool.as_str(), "heavy");
    assert_eq!((poll.policy.retry.attempts, poll.policy.retry.factor), (5, 3.0));
    assert_eq!(poll.policy.retry.cap, Duration::from_secs(60));
    assert_eq!(&*manifest.jobs["once"].args, "null");
}

#[test]
fn a_relative_path_never_depends_on_the_current_folder() {
    let folders: Vec<_> = example().folders().into_iter().collect();
    assert_eq!(folders, [Path::new("etc"), Path::new("etc/jobs")]);
    let here = good("[plugins.x]\npath = \"x.wasm\"");
    assert_eq!(here.plugins["x"].path, Path::new("x.wasm"));
    assert!(here.folders().contains(Path::new(".")));
}

#[test]
fn an_empty_manifest_has_its_defaults() {
    let manifest = good("");
    assert_eq!(manifest.scheduler.timezone, Tz::UTC);
    assert!(!manifest.scheduler.timezone_given);
    assert_eq!(manifest.scheduler.plugin_dir, Path::new("jobs"));
    assert_eq!(manifest.scheduler.shutdown_grace, Duration::from_secs(30));
    assert_eq!(manifest.scheduler.history.keep_per_job, 1000);
    assert_eq!(manifest.store.kind, StoreKind::Sqlite { path: "clockbox.db".into() });
    assert_eq!(manifest.pools["default"].max_instances, 20);
    assert!(manifest.jobs.is_empty());
    assert_eq!(manifest.plugins["hello"].path, Path::new("jobs/hello.wasm"));
}

#[test]
fn every_policy_key_reaches_its_job_and_a_job_wins_over_the_defaults() {
    let manifest = good(
        r#"
        [pools.slow]
        [defaults]
        misfire_grace = "forever"
        coalesce = "earliest"
        overlap = "wait"
        priority = -5
        delivery = "at-least-once"
        pool = "slow"
        retry = { attempts = 4, cap = "1m" }
        when_done = "remove"
        [jobs.plain]
        plugin = "hello"
        trigger = { interval = "1h" }
        [jobs.hello]
        misfire_grace = "5m"
        coalesce = true
        max_instances = 2
        overlap = "replace"
        priority = 9
        delivery = "at-most-once"
        pool = "default"
        retry = { backoff = "2s" }
        when_done = "keep"
        description = "greets"
        "#,
    );
    let plain = &manifest.jobs["plain"];
    assert_eq!(plain.policy.misfire_grace, Grace::Forever);
    assert_eq!(plain.policy.coalesce, Coalesce::Earliest);
    assert_eq!(plain.policy.overlap, Overlap::Wait);
    assert_eq!(plain.policy.priority, -5);
    assert_eq!(plain.policy.delivery, Delivery::AtLeastOnce);
    assert_eq!(plain.pool.as_str(), "slow");
    assert_eq!(plain.when_done(), WhenDone::Remove);
    let own = &manifest.jobs["hello"];
    assert_eq!(own.plugin.as_str(), "hello", "the plugin of the job's own name");
    assert_eq!(own.policy.misfire_grace, Grace::Within(Duration::from_secs(300)));
    assert_eq!(own.policy.coalesce, Coalesce::Latest);
    assert_eq!(own.policy.max_instances, 2);
    assert_eq!(own.policy.overlap, Overlap::Replace);
    assert_eq!(own.policy.delivery, Delivery::AtMostOnce);
    assert_eq!(own.pool.as_str(), "default");
    assert_eq!(own.when_done(), WhenDone::Keep);
    let retry = own.policy.retry;
    assert_eq!((retry.attempts, retry.backoff, retry.cap.as_secs()), (4, Duration::from_secs(2), 60));
    assert_eq!(manifest.declared["hello"].description.as_deref(), Some("greets"));
    assert_eq!(manifest.declared["hello"].place.position(), Some((15, 15)));
}

#[test]
fn arguments_of_any_shape_become_json() {
    let manifest = good(
        r#"
        [jobs.hello]
        args = { n = 1, f = 1.5, on = true, when = 2030-01-02T03:04:05Z, day = 2030-01-02, list = [1, "a", { x = [] }] }
        [jobs.list]
        plugin = "hello"
        args = [1, 2]
        [jobs.text]
        plugin = "hello"
        args = "just text"
        "#,
    );
    let args: serde_json::Value = serde_json::from_str(&manifest.jobs["hello"].args).unwrap();
    let wanted = serde_json::json!({
        "n": 1, "f": 1.5, "on": true, "when": "2030-01-02T03:04:05Z", "day": "2030-01-02", "list": [1, "a", { "x": [] }]
    });
    assert_eq!(args, wanted);
    assert_eq!(&*manifest.jobs["list"].args, "[1,2]");
    assert_eq!(&*manifest.jobs["text"].args, "\"just text\"");
}

#[test]
fn native_dates_and_whole_numbers_work_in_triggers() {
    let manifest = good(
        r#"
        [jobs.hello]
        trigger = { date = 2030-11-06T16:30:05Z }
        [jobs.b]
        plugin = "hello"
        trigger = { cron = { hour = 5 }, start = 2030-01-01T00:00:00Z }
        "#,
    );
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(
        manifest.jobs["hello"].trigger.next_after(None, now),
        Some("2030-11-06T16:30:05Z".parse().unwrap())
    );
}

#[test]
fn a_disabled_job_is_checked_and_left_out() {
    let manifest = good("[jobs.hello]\nenabled = false");
    assert!(manifest.jobs.is_empty());
    assert!(!manifest.declared["hello"].enabled);
    expect(
        "[jobs.hello]\nenabled = false\nmax_instances = 0",
        &[
            "3:17 jobs.hello.max_instances: must be at least 1 | with no instance nothing could ever run; to keep a \
           job from running, set enabled = false on it",
        ],
    );
}

#[test]
fn sizes_may_be_bytes_and_stores_may_be_memory() {
    let manifest = good(
        "[store]\nurl = \"memory:\"\n[plugins.hello]\nlimits = { memory = 1048576, fuel = 1000, log = \"1MB\" }",
    );
    assert_eq!(manifest.store.kind, StoreKind::Memory);
    let limits = &manifest.plugins["hello"].limits;
    assert_eq!((limits.memory, limits.fuel, limits.log), (1 << 20, Some(1000), 1_000_000));
}

#[test]
fn a_difference_counts_and_names_what_changed() {
    let old = good("[pools.a]\n[jobs.x]\nplugin = \"hello\"\n[jobs.y]\nplugin = \"hello\"");
    let new = good(
        "[pools.default]\nqueue = 7\n[jobs.y]\nplugin = \"hello\"\npriority = 1\n[jobs.z]\nplugin = \"hello\"",
    );
    let diff = new.diff(&old);
    assert_eq!(diff.to_string(), "+1 ~2 -2");
    assert_eq!(diff.lines(), ["+ job z", "~ job y", "- job x", "~ pool default", "- pool a"]);
    assert!(new.diff(&new).is_empty());
    assert_eq!(new.diff(&new).to_string(), "+0 ~0 -0");
}

#[test]
fn every_right_and_limit_can_be_given() {
    let text = r#"[plugins.hello]
http = { total_timeout = "20s", connect_timeout = "1s", ca_file = "ca.pem" }
[plugins.hello.allow]
http = ["https://a.example", { origin = "http://in.example", methods = ["get"], private = true }]
tcp = ["10.0.0.0/8:5432", { to = "db.in.example:5432", private = true }]
dns = true
args = ["--fast"]
secrets = { TOKEN = { env = "TOKEN" }, KEY = { file = "key", as = "env" } }
state = true
jobs = { plugins = ["hello"], max_jobs = 5 }
clock = "frozen"
random = "seeded"
[plugins.hello.limits]
stack = "1MiB"
state = "2MiB"
response = "3MiB"
handles = 99
host_call = "4MiB"
[jobs.hello]
trigger = { interval = "1h" }
allow = { tcp = ["10.1.0.0/16:5432"], secrets = ["KEY"], state = true }
"#;
    let around = Surroundings {
        env: &|name| (name == "TOKEN").then(|| "t0ken".to_owned()),
        secret_file: &|_| Ok("line one\n".to_owned()),
        ..hello()
    };
    let manifest = read(text, &around).and_then(Loaded::whole).unwrap_or_else(|e| panic!("{}", e.render()));
    let plugin = &manifest.plugins["hello"];
    let rights = &plugin.rights;
    assert!(!rights.http[0].private && rights.http[0].methods.is_empty());
    assert!(rights.http[1].private && rights.http[1].takes("GET") && !rights.http[1].takes("POST"));
    assert_eq!(rights.tcp[0].to_string(), "10.0.0.0/8:5432");
    assert!(rights.tcp[1].is_private() && rights.dns && rights.state);
    assert_eq!(rights.args, ["--fast"]);
    assert_eq!(rights.secrets["TOKEN"], Secret::new("t0ken", SecretAs::Config));
    assert_eq!(rights.secrets["KEY"], Secret::new("line one", SecretAs::Env));
    let jobs = rights.jobs.as_ref().unwrap();
    assert_eq!((jobs.plugins.len(), jobs.max_jobs, jobs.per_minute), (1, 5, 60));
    assert_eq!((rights.clock, rights.random), (ClockRight::Frozen, RandomRight::Seeded));
    let limits = &plugin.limits;
    assert_eq!((limits.stack, limits.state, limits.response), (Some(1 << 20), 2 << 20, 3 << 20));
    assert_eq!((limits.handles, limits.host_call), (99, 4 << 20));
    assert_eq!(plugin.http.total_timeout, Duration::from_secs(20));
    assert_eq!(plugin.http.ca_file.as_deref(), Some(Path::new("ca.pem")));
    let allow = manifest.jobs["hello"].policy.allow.as_deref().unwrap();
    let narrowed = rights.narrowed(allow);
    assert_eq!(narrowed.tcp[0].to_string(), "10.1.0.0/16:5432");
    assert_eq!(narrowed.secrets.keys().collect::<Vec<_>>(), ["KEY"]);
    assert!(narrowed.http.is_empty() && !narrowed.dns && narrowed.state && narrowed.jobs.is_none());
}
