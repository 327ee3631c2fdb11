//! Guests that keep state and add jobs, in a program that embeds the scheduler.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use clockbox::{
    Builder, Cause, Conflict, Event, JobId, JobState, JobsRight, Outcome, PluginName, PluginSpec, Rights,
    Running, Source, StateEntry,
    sandbox::{Plugin, PluginError, Sandbox, SandboxOptions},
    store::{Access, JobStore, MemoryStore, SqliteStore},
};

use crate::support::{Bench, at, job, until};

const HOURLY: &str = r#"{ "interval": "1h" }"#;

fn id(name: &str) -> JobId {
    JobId::new(name).unwrap()
}

fn load(name: &str, rights: Rights) -> Result<Plugin, PluginError> {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    let sandbox = SANDBOX.get_or_init(|| Sandbox::new(SandboxOptions::default()).unwrap());
    let file = format!("{}/../plugins/prebuilt/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
    let spec = PluginSpec { rights, ..PluginSpec::new(PluginName::new(name).unwrap(), PathBuf::from(&file)) };
    sandbox.load(&std::fs::read(file).unwrap(), &spec)
}

/// A builder that knows both plugins; `follow-up` may manage the jobs of `counter`.
fn with_guests(builder: Builder) -> Builder {
    let counter = PluginName::new("counter").unwrap();
    let right = JobsRight { plugins: vec![counter.clone()], ..JobsRight::default() };
    let remembers = Rights { state: true, ..Rights::default() };
    let manages = Rights { jobs: Some(right), ..Rights::default() };
    builder
        .plugin(counter, load("counter", remembers).unwrap())
        .plugin(PluginName::new("follow-up").unwrap(), load("follow-up", manages).unwrap())
        .defaults(clockbox::JobDefaults { timezone: chrono_tz::Europe::Zurich, ..Default::default() })
}

/// Runs a job once; answers how that ended, its output or its reason.
fn run(bench: &Bench, name: &str, args: Option<&str>) -> (Outcome, String) {
    let mut events = bench.scheduler.subscribe();
    let asked = bench.scheduler.run_now(id(name), args.map(str::to_owned)).wait().unwrap();
    until(&mut events, |event| matches!(event, Event::RunFinished { run, .. } if *run == asked));
    let run = bench.store.run(asked).unwrap().unwrap().run;
    (run.outcome.unwrap(), run.output.or(run.reason).unwrap_or_default())
}

fn state(bench: &Bench, name: &str) -> JobState {
    bench.store.state(&id(name), bench.scheduler.clock().now()).unwrap()
}

fn sqlite(folder: &Path) -> Arc<dyn JobStore> {
    Arc::new(SqliteStore::open(&folder.join("clockbox.db"), Access::ReadWrite { opened_at: at(0) }).unwrap())
}

#[test]
fn a_guest_goes_on_counting_after_a_restart_in_every_store() {
    let folder = tempfile::tempdir().unwrap();
    for store in [Arc::new(MemoryStore::new()) as Arc<dyn JobStore>, sqlite(folder.path())] {
        let count = || job("count", HOURLY, "counter");
        let bench = Bench::on(store, at(0), |builder| with_guests(builder).job(count()));
        let mut events = bench.scheduler.subscribe();
        for hour in 1..=2 {
            bench.hand.set(at(hour * 3600));
            until(&mut events, |event| matches!(event, Event::RunFinished { .. }));
        }
        assert_eq!(run(&bench, "count", Some(r#"{ "fail": true }"#)).0, Outcome::Failed);
        let entry = StateEntry { value: (*b"2").into(), expires_at: None };
        assert_eq!(state(&bench, "count"), JobState([("runs".to_owned(), entry)].into()));

        let bench = bench.restart(|builder| with_guests(builder).job(count()));
        bench.hand.set(at(2 * 3600 + 1));
        assert_eq!(run(&bench, "count", None), (Outcome::Succeeded, "3".to_owned()));
        bench.scheduler.remove_job(id("count"), Running::Finish).wait().unwrap();
        assert_eq!(state(&bench, "count"), JobState::default());
    }
}

#[test]
fn a_guest_adds_a_job_of_another_plugin_that_fires_in_the_programs_zone_and_has_a_state_of_its_own() {
    let bench = Bench::start(|builder| {
        with_guests(builder).job(job("plan", HOURLY, "follow-up")).job(job("count", HOURLY, "counter"))
    });
    assert_eq!(run(&bench, "count", None).1, "1");
    let args = r#"{ "add": { "later": { "plugin": "counter", "trigger": { "cron": "0 12 * * *" } } }, "pause": ["count"] }"#;
    let (outcome, answer) = run(&bench, "plan", Some(args));
    assert_eq!((outcome, answer.contains("later")), (Outcome::Succeeded, true), "{answer}");
    let later = bench.scheduler.job(id("later")).wait().unwrap().unwrap();
    let Source::Job(adder) = &later.job.source else { panic!("{later:?}") };
    assert_eq!((&adder.job, adder.plugin.as_str()), (&id("plan"), "follow-up"));
    assert_eq!(later.next_fire, Some(at(11 * 3600)), "noon in Zurich");
    let paused = bench.scheduler.job(id("count")).wait().unwrap().unwrap().paused.unwrap();
    assert_eq!(paused.by.as_deref(), Some("the job plan"));

    let mut events = bench.scheduler.subscribe();
    bench.hand.set(at(11 * 3600));
    let is_later = |event: &Event| matches!(event, Event::RunFinished { job, .. } if *job == id("later"));
    until(&mut events, is_later);
    let fired = bench.runs().into_iter().find(|run| run.job == id("later")).unwrap();
    assert_eq!((fired.cause, fired.output.as_deref()), (Cause::Trigger, Some("1")));

    // What the program adds under that name is asked for as the program says.
    let again = bench.scheduler.add_jobs([job("later", HOURLY, "counter")], Conflict::Error).wait();
    assert!(again.unwrap_err().to_string().contains("later"));
    let (outcome, _) = run(&bench, "plan", Some(r#"{ "remove": ["later"] }"#));
    assert_eq!(outcome, Outcome::Succeeded);
    assert!(bench.scheduler.job(id("later")).wait().unwrap().is_none());
}

#[test]
fn without_the_right_a_plugin_is_refused_and_what_goes_beyond_it_fails_the_run() {
    for (name, right) in [("counter", "allow.state"), ("follow-up", "allow.jobs")] {
        let refused = load(name, Rights::default()).unwrap_err();
        assert!(refused.to_string().contains(right), "{refused}");
    }
    let bench = Bench::start(|builder| with_guests(builder).job(job("plan", HOURLY, "follow-up")));
    let args = r#"{ "add": { "later": {} }, "run": ["nobody"] }"#;
    let (outcome, why) = run(&bench, "plan", Some(args));
    assert_eq!(outcome, Outcome::Failed);
    assert!(why.contains("there is no job \"nobody\""), "{why}");
    assert!(bench.scheduler.job(id("later")).wait().unwrap().is_none(), "all of it or nothing");
}
