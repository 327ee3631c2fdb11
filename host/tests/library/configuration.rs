//! One configuration said in a file, in code and in flat keys comes to the same.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use clockbox::{
    Builder, Coalesce, Delivery, History, HttpGrant, Job, JobDefaults, JobRecord, Limits, Overlap,
    PluginSpec, Policy, Pool, Retry, Rights, Scheduler, Settings, TriggerSpec, WhenDone, Work,
    manifest::Overrides,
};
use serde_json::{Map, Value, json};

/// A module that does nothing.
const GUEST: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

const TOML: &str = r#"
[scheduler]
timezone = "Europe/Berlin"
shutdown_grace = "7s"
history = { keep = "3d", keep_per_job = 50 }

[store]
url = "sqlite:jobs.db"

[pools.default]
max_instances = 4
[pools.heavy]
max_instances = 2
queue = 30

[defaults]
coalesce = false
max_instances = 3
misfire_grace = "2h"
when_done = "keep"

[plugins.guest]
path = "guest.wat"
allow = { http = ["https://example.com"], state = false }
limits = { timeout = "5s", memory = "8MiB" }
config = { region = "eu" }

[jobs.report]
plugin = "guest"
trigger = { cron = { day_of_week = "mon-fri", hour = 5, minute = 30 }, end = "2090-05-30" }
args = { to = "ops@example.com", copies = 2 }
pool = "heavy"
priority = 5
retry = { attempts = 3, backoff = "5s", factor = 1.5, cap = "1m" }

[jobs.poll]
plugin = "guest"
trigger = { interval = "2h", start = "2010-10-10 09:30:00", jitter = "30s" }
overlap = "wait"
delivery = "at-least-once"
coalesce = "earliest"

[jobs.spread]
plugin = "guest"
trigger = { cron = "H H(0-5) * * *" }
"#;

/// The same, a key at a time: half of them in the environment, half in flags.
fn flat() -> Overrides {
    let variables = [
        ("CLOCKBOX_SCHEDULER__TIMEZONE", "Europe/Berlin"),
        ("CLOCKBOX_SCHEDULER__SHUTDOWN_GRACE", "7s"),
        ("CLOCKBOX_SCHEDULER__HISTORY__KEEP", "3d"),
        ("CLOCKBOX_SCHEDULER__HISTORY__KEEP_PER_JOB", "50"),
        ("CLOCKBOX_STORE__URL", "sqlite:jobs.db"),
        ("CLOCKBOX_POOLS__DEFAULT__MAX_INSTANCES", "4"),
        ("CLOCKBOX_DEFAULTS__COALESCE", "false"),
        ("CLOCKBOX_DEFAULTS__MAX_INSTANCES", "3"),
        ("CLOCKBOX_PLUGINS__GUEST__PATH", "guest.wat"),
        ("CLOCKBOX_PLUGINS__GUEST__LIMITS__TIMEOUT", "5s"),
        ("CLOCKBOX_PLUGINS__GUEST__ALLOW", "{ http = ['https://example.com'], state = false }"),
        ("CLOCKBOX_JOBS__REPORT__PLUGIN", "guest"),
        (
            "CLOCKBOX_JOBS__REPORT__TRIGGER",
            "{ cron = { day_of_week = 'mon-fri', hour = 5, minute = 30 }, end = '2090-05-30' }",
        ),
        ("CLOCKBOX_JOBS__REPORT__RETRY", "{ attempts = 3, backoff = '5s', factor = 1.5, cap = '1m' }"),
        ("CLOCKBOX_JOBS__SPREAD__TRIGGER__CRON", "H H(0-5) * * *"),
    ];
    let flags = [
        "pools.heavy.max_instances=2",
        "pools.heavy.queue=30",
        "defaults.misfire_grace=2h",
        "defaults.when_done=keep",
        "plugins.guest.limits.memory=8MiB",
        "plugins.guest.config.region=eu",
        "jobs.report.args={ to = 'ops@example.com', copies = 2 }",
        "jobs.report.pool=heavy",
        "jobs.report.priority=5",
        "jobs.poll.plugin=guest",
        "jobs.poll.trigger.interval=2h",
        "jobs.poll.trigger.start='2010-10-10 09:30:00'",
        "jobs.poll.trigger.jitter=30s",
        "jobs.poll.overlap=wait",
        "jobs.poll.delivery=at-least-once",
        "jobs.poll.coalesce=earliest",
        "jobs.spread.plugin=guest",
    ];
    flags.into_iter().fold(Overrides::from_env(variables), Overrides::with_flag)
}

/// The same in code.
fn code(folder: &Path) -> Builder {
    let seconds = Duration::from_secs;
    let guest = PluginSpec {
        rights: Rights {
            http: vec![HttpGrant::to("https://example.com".parse().unwrap())],
            ..Rights::default()
        },
        limits: Limits { timeout: seconds(5), memory: 8 << 20, ..Limits::default() },
        config: BTreeMap::from([("region".to_owned(), "eu".to_owned())]),
        ..PluginSpec::new("guest".parse().unwrap(), folder.join("guest.wat"))
    };
    let policy = Policy {
        coalesce: Coalesce::All,
        max_instances: 3,
        misfire_grace: seconds(7200).into(),
        when_done: Some(WhenDone::Keep),
        ..Policy::default()
    };
    let report = r#"{ "cron": { "day_of_week": "mon-fri", "hour": 5, "minute": 30 }, "end": "2090-05-30" }"#;
    let poll = TriggerSpec::interval("2h").with_start("2010-10-10 09:30:00").with_jitter("30s");
    Scheduler::builder()
        .store_in("sqlite:jobs.db", folder)
        .defaults(JobDefaults { policy, ..JobDefaults::default() })
        .timezone(chrono_tz::Europe::Berlin)
        .shutdown_grace(seconds(7))
        .history(History { keep: seconds(3 * 86_400), keep_per_job: 50 })
        .pool_of("default", 4)
        .pool(Pool { max_instances: 2, queue: 30, name: "heavy".parse().unwrap() })
        .plugin_spec(guest)
        .job(
            Job::new("report")
                .plugin("guest")
                .trigger(report)
                .args(json!({ "to": "ops@example.com", "copies": 2 }))
                .pool("heavy")
                .priority(5)
                .retry_policy(Retry { attempts: 3, backoff: seconds(5), factor: 1.5, cap: seconds(60) }),
        )
        .job(
            Job::new("poll")
                .plugin("guest")
                .trigger(poll)
                .overlap(Overlap::Wait)
                .delivery(Delivery::AtLeastOnce)
                .coalesce(Coalesce::Earliest),
        )
        .job(Job::new("spread").plugin("guest").cron("H H(0-5) * * *"))
}

/// What a scheduler is, without where it has it from.
#[derive(Debug, PartialEq)]
struct Configured {
    jobs: BTreeMap<String, (Map<String, Value>, Value)>,
    pools: Vec<Pool>,
    plugins: Vec<PluginSpec>,
    defaults: JobDefaults,
    settings: Settings,
    is_on_disk: bool,
}

impl Configured {
    fn of(how: impl FnOnce(&Path) -> Builder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("guest.wat"), GUEST).unwrap();
        let scheduler = how(folder.path()).start().unwrap();
        let told = |record: JobRecord| {
            let trigger = serde_json::to_value(&record.job.trigger).unwrap();
            (record.job.id.to_string(), (record.job.every_key(), trigger))
        };
        let plugin = |name| match scheduler.work(&name) {
            // Each has a folder of its own.
            Some(Work::Plugin(plugin)) => PluginSpec { path: "guest.wat".into(), ..plugin.spec().clone() },
            other => panic!("{name} is {other:?}"),
        };
        let configured = Self {
            jobs: scheduler.jobs().wait().unwrap().into_iter().map(told).collect(),
            pools: scheduler.pools().wait().unwrap().into_iter().map(|load| load.pool).collect(),
            plugins: scheduler.plugin_names().into_iter().map(plugin).collect(),
            defaults: (*scheduler.defaults()).clone(),
            settings: scheduler.settings(),
            is_on_disk: folder.path().join("jobs.db").is_file(),
        };
        scheduler.shutdown(Duration::ZERO).wait().unwrap();
        configured
    }

    fn of_manifest(text: &str, overrides: &Overrides) -> Self {
        Self::of(|folder| {
            fs::write(folder.join("clockbox.toml"), text).unwrap();
            Scheduler::builder().manifest_file(folder, overrides).unwrap()
        })
    }
}

#[test]
fn a_file_code_and_flat_keys_say_the_same() {
    let in_file = Configured::of_manifest(TOML, &Overrides::default());
    assert_eq!((in_file.jobs.len(), in_file.pools.len(), in_file.plugins.len()), (3, 2, 1));
    assert!(in_file.is_on_disk);
    assert_eq!(in_file.jobs["poll"].0["max_instances"], 3);
    let in_code = Configured::of(code);
    assert_eq!(in_code, in_file);
    assert_eq!(Configured::of_manifest("", &flat()), in_file);
    // They would differ if they could.
    let other = Configured::of(|folder| code(folder).pool_of("heavy", 3));
    assert_ne!(other, in_code);
}
