//! Jobs that programs add, modify and remove while the scheduler runs, beside those that the manifest declares.

use std::sync::Arc;

use clockbox::{
    Conflict, Event, Job, JobId, JobPatch, Outcome, PolicyPatch, Rejection, Running, SchedulerError, Source,
};

use crate::support::{Bench, at, hourly, job, until};

fn id(name: &str) -> JobId {
    JobId::new(name).unwrap()
}

fn declared(name: &str) -> Arc<Job> {
    Arc::new(Job { source: Source::Manifest, ..hourly(name) })
}

fn widened() -> JobPatch {
    let policy = PolicyPatch { max_instances: Some(7), ..PolicyPatch::default() };
    JobPatch { policy, ..JobPatch::default() }
}

/// In how many seconds a job is to run, once.
fn once(name: &str, seconds: i64) -> Job {
    job(name, &format!(r#"{{ "date": "{}" }}"#, at(seconds).to_rfc3339()), "quick")
}

#[test]
fn what_is_modified_by_hand_outlives_a_restart_until_the_manifest_changes() {
    let bench = Bench::start(|builder| builder.declared([declared("a")]));
    bench.scheduler.modify_job(id("a"), widened()).wait().unwrap();
    let cap = |bench: &Bench| bench.scheduler.job(id("a")).wait().unwrap().unwrap().job.policy.max_instances;
    let bench = bench.restart(|builder| builder.declared([declared("a")]));
    assert_eq!(cap(&bench), 7);
    let mut changed = (*declared("a")).clone();
    changed.args = "[1]".into();
    let bench = bench.restart(|builder| builder.declared([Arc::new(changed)]));
    assert_eq!(cap(&bench), 1);
}

#[test]
fn a_job_of_the_manifest_is_neither_removed_nor_replaced_by_hand() {
    let bench = Bench::start(|builder| builder.declared([declared("a")]));
    for reply in [bench.scheduler.remove_job(id("a"), Running::Finish), bench.scheduler.put_job(hourly("a"))]
    {
        let Err(SchedulerError::Rejected(Rejection::NotOwner { owner, .. })) = reply.wait() else {
            panic!("not rejected")
        };
        assert_eq!(owner, Source::Manifest);
    }
}

#[test]
fn a_start_with_a_job_that_cannot_be_added_says_so() {
    let bench = Bench::start(|builder| builder.declared([declared("a")]));
    let store = Arc::clone(&bench.store);
    bench.scheduler.shutdown(std::time::Duration::ZERO).wait().unwrap();
    let error = clockbox::Scheduler::builder().store(store).job(hourly("a")).start().err().unwrap();
    assert!(error.to_string().starts_with("the job \"a\" comes from the manifest: "), "{error}");
}

#[test]
fn jobs_are_added_together_or_not_at_all_and_are_durable_then() {
    let bench = Bench::start(|builder| builder);
    let batch = |names: std::ops::Range<i64>| names.map(|n| once(&format!("order-{n}"), 1800 + n));
    bench.scheduler.add_jobs(batch(0..1000), Conflict::Error).wait().unwrap();
    assert_eq!(bench.store.jobs().unwrap().len(), 1000);
    let error = bench.scheduler.add_jobs(batch(999..2000), Conflict::Error).wait().unwrap_err();
    assert!(matches!(error, SchedulerError::Rejected(Rejection::JobExists(job)) if job == id("order-999")));
    assert_eq!(bench.store.jobs().unwrap().len(), 1000);
    bench.scheduler.add_jobs(batch(999..2000), Conflict::Ignore).wait().unwrap();
    assert_eq!(bench.store.jobs().unwrap().len(), 2000);
}

#[test]
fn a_job_added_for_once_is_gone_after_its_run_and_leaves_its_history() {
    let bench = Bench::start(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    bench.scheduler.add_job(once("order-123", 1800)).wait().unwrap();
    bench.hand.set(at(1800));
    until(&mut events, |event| *event == Event::JobRemoved { job: id("order-123") });
    assert_eq!(bench.store.jobs().unwrap(), []);
    assert_eq!(bench.runs()[0].outcome, Some(Outcome::Succeeded));
}

#[test]
fn a_rescheduled_job_fires_by_its_new_trigger() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    let trigger = job("a", r#"{ "interval": "10s" }"#, "quick").trigger;
    bench.scheduler.reschedule_job(id("a"), trigger).wait().unwrap();
    assert_eq!(bench.store.jobs().unwrap()[0].next_fire, Some(at(10)));
}

#[test]
fn who_paused_everything_and_why_is_known_after_a_restart() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    let mut events = bench.scheduler.subscribe();
    bench.scheduler.pause(Some("ada".into()), Some("audit".into())).wait().unwrap();
    until(&mut events, |event| {
        matches!(event, Event::SchedulerPaused { by, note }
            if by.as_deref() == Some("ada") && note.as_deref() == Some("audit"))
    });
    let mut told = None;
    let bench = bench.restart(|builder| {
        told = Some(builder.subscribe());
        builder.job(hourly("a"))
    });
    until(&mut told.unwrap(), |event| matches!(event, Event::SchedulerPaused { note: Some(_), .. }));
    let pause = bench.scheduler.paused().wait().unwrap().unwrap();
    assert_eq!((pause.at, pause.by.as_deref()), (at(0), Some("ada")));
    let mut events = bench.scheduler.subscribe();
    bench.hand.set(at(7200));
    bench.scheduler.resume().wait().unwrap();
    let Event::RunStarted { scheduled_at, .. } =
        until(&mut events, |event| matches!(event, Event::RunStarted { .. }))
    else {
        unreachable!()
    };
    assert_eq!(scheduled_at, at(7200), "what came due in the pause is decided at its end");
    assert_eq!(bench.scheduler.paused().wait().unwrap(), None);
}
