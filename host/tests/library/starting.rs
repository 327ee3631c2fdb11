//! What is wrong with a scheduler in code is told when it starts, by name.

use std::{fs, time::Duration};

use clockbox::{Clock, Job, PluginSpec, Scheduler, SchedulerError, StartError, store::RunFilter};

fn error(builder: clockbox::Builder) -> StartError {
    match builder.start() {
        Err(error) => error,
        Ok(_) => panic!("it started"),
    }
}

#[test]
fn every_plugin_file_that_is_refused_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.wasm");
    fs::write(&broken, "no module").unwrap();
    let builder = Scheduler::builder()
        .plugin_file("broken", &broken)
        .plugin_file("gone", folder.path().join("gone.wasm"));
    let error = error(builder);
    let lines = error.to_string();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert!(
        lines[0].contains("plugin \"broken\"") && lines[1].contains("plugin \"gone\": cannot be read"),
        "{error}"
    );
}

#[test]
fn a_name_that_cannot_be_one_is_told() {
    let told = error(Scheduler::builder().plugin_file("a b", "x.wasm")).to_string();
    assert!(told.contains("' ' is not allowed in a plugin name"), "{told}");
    assert!(error(Scheduler::builder().pool_of("", 1)).to_string().contains("pool name"));
}

#[test]
fn a_job_that_cannot_be_built_keeps_the_scheduler_from_starting() {
    let told = error(Scheduler::builder().job(Job::new("a").trigger("cron 99 * * * *"))).to_string();
    assert!(told.starts_with("job \"a\": trigger.cron: "), "{told}");
}

#[test]
fn a_store_that_cannot_be_opened_is_told_before_plugins_are_compiled() {
    let builder = Scheduler::builder().store_url("redis:here").plugin_file("gone", "gone.wasm");
    assert!(matches!(error(builder), StartError::Store(_)));
}

#[test]
fn a_job_added_later_is_checked_like_one_of_the_start() {
    let scheduler = Scheduler::builder().start().unwrap();
    let refused = scheduler.add_job(Job::new("a").max_instances(0)).wait();
    assert!(matches!(refused, Err(SchedulerError::Job(_))), "{refused:?}");
    assert_eq!(scheduler.jobs().wait().unwrap(), []);
    scheduler.shutdown(Duration::ZERO).wait().unwrap();
}

#[test]
fn what_is_said_of_defaults_after_a_job_holds_for_it_too() {
    let (clock, _hand) = Clock::manual("2030-01-01T00:00:00Z".parse().unwrap());
    let builder = Scheduler::builder().clock(clock).job(Job::new("a").cron("0 12 * * *"));
    let scheduler = builder.timezone(chrono_tz::Asia::Tokyo).start().unwrap();
    let next = scheduler.jobs().wait().unwrap()[0].next_fire.unwrap();
    assert_eq!(next.to_rfc3339(), "2030-01-01T03:00:00+00:00");
    scheduler.shutdown(Duration::ZERO).wait().unwrap();
}

#[test]
fn a_plugin_from_a_file_runs_beside_a_function_in_one_history() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("guest.wat");
    fs::write(&file, r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
    let builder = Scheduler::builder()
        .plugin_spec(PluginSpec::new("guest".parse().unwrap(), &file))
        .native_fn("native", |(): (), _| async { Ok::<_, clockbox::JobError>(()) })
        .job(Job::new("guest"))
        .job(Job::new("native"));
    let mut events = builder.subscribe();
    let scheduler = builder.start().unwrap();
    super::functions::ended(&mut events);
    super::functions::ended(&mut events);
    let runs = scheduler.store().runs(&RunFilter::default()).unwrap();
    let mut plugins: Vec<&str> = runs.iter().map(|run| run.plugin.as_str()).collect();
    plugins.sort_unstable();
    assert_eq!(plugins, ["guest", "native"]);
    assert!(runs.iter().all(|run| run.outcome == Some(clockbox::Outcome::Succeeded)), "{runs:?}");
    scheduler.shutdown(Duration::ZERO).wait().unwrap();
}
