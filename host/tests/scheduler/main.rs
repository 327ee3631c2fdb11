//! The scheduler as an embedding program uses it, on a clock that stands still until a test moves it.

mod guests;
mod jobs;
mod support;

use std::{sync::Arc, time::Duration};

use clockbox::{
    Clock, Coalesce, Event, Grace, JobId, Outcome, Overlap, Pool, PoolName, RunState, Running, Scheduler,
    SchedulerError,
    store::{JobStore, MemoryStore, RunFilter},
};
use support::{Bench, at, hourly, job, until};

#[test]
fn a_week_of_hours_passes_in_a_moment_and_each_fire_runs() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    let mut events = bench.scheduler.subscribe();
    for hour in 1..=168 {
        bench.hand.set(at(hour * 3600));
        until(&mut events, |event| matches!(event, Event::RunFinished { .. }));
    }
    let runs = bench.runs();
    assert_eq!(runs.len(), 168);
    assert!(runs.iter().all(|run| run.outcome == Some(Outcome::Succeeded)));
    assert_eq!(runs[0].scheduled_at, at(168 * 3600));
}

#[test]
fn a_listener_can_read_what_it_hears() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    let mut events = bench.scheduler.subscribe();
    bench.hand.set(at(3600));
    let Event::RunStarted { run, .. } = until(&mut events, |event| matches!(event, Event::RunStarted { .. }))
    else {
        unreachable!()
    };
    assert_eq!(bench.store.run(run).unwrap().unwrap().run.id, run);
    until(&mut events, |event| matches!(event, Event::RunFinished { .. }));
    assert_eq!(bench.store.run(run).unwrap().unwrap().run.outcome, Some(Outcome::Succeeded));
}

#[test]
fn a_job_is_in_the_store_when_its_addition_is_answered() {
    let bench = Bench::start(|builder| builder);
    bench.scheduler.add_job(hourly("a")).wait().unwrap();
    assert_eq!(bench.store.jobs().unwrap()[0].next_fire, Some(at(3600)));
    bench.scheduler.remove_job(JobId::new("a").unwrap(), Running::Finish).wait().unwrap();
    assert_eq!(bench.store.jobs().unwrap(), []);
}

#[test]
fn a_paused_job_stays_paused_over_a_restart() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    let a = JobId::new("a").unwrap();
    bench.scheduler.pause_job(a.clone(), Some("ada".into()), Some("audit".into())).wait().unwrap();
    let bench = bench.restart(|builder| builder.job(hourly("a")));
    assert_eq!(
        bench.scheduler.job(a).wait().unwrap().unwrap().paused.unwrap().note.as_deref(),
        Some("audit")
    );
}

#[test]
fn what_names_nothing_is_answered_with_what_is_wrong() {
    let bench = Bench::start(|builder| builder);
    let nobody = JobId::new("nobody").unwrap();
    let error = bench.scheduler.run_now(nobody, None).wait().unwrap_err();
    assert_eq!(error.to_string(), "there is no job \"nobody\"");
}

#[test]
fn a_run_on_demand_is_answered_with_its_id() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    let mut events = bench.scheduler.subscribe();
    let id = bench.scheduler.run_now(JobId::new("a").unwrap(), Some("[7]".into())).wait().unwrap();
    until(&mut events, |event| matches!(event, Event::RunFinished { run, .. } if *run == id));
    assert_eq!(bench.store.run(id).unwrap().unwrap().run.args.as_deref(), Some("[7]"));
}

#[test]
fn a_work_that_does_not_end_is_cancelled_on_demand() {
    let bench = Bench::start(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    bench.scheduler.add_job(job("a", "{}", "stubborn")).wait().unwrap();
    let Event::RunStarted { run, .. } = until(&mut events, |event| matches!(event, Event::RunStarted { .. }))
    else {
        unreachable!()
    };
    bench.scheduler.cancel_run(run, "ada: enough").wait().unwrap();
    until(&mut events, |event| matches!(event, Event::RunFinished { outcome: Outcome::Cancelled, .. }));
    let reason = bench.store.run(run).unwrap().unwrap().run.reason.unwrap();
    assert_eq!(reason, "ada: enough; it did not end within 5s of being asked to, and was stopped");
}

#[test]
fn a_work_that_panics_is_a_host_error_and_nothing_worse() {
    let bench = Bench::start(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    bench.scheduler.add_job(job("a", "{}", "panics")).wait().unwrap();
    until(&mut events, |event| matches!(event, Event::RunFinished { outcome: Outcome::HostError, .. }));
    bench.scheduler.add_job(job("b", "{}", "quick")).wait().unwrap();
    until(&mut events, |event| matches!(event, Event::RunFinished { outcome: Outcome::Succeeded, .. }));
}

#[test]
fn a_job_of_an_unknown_plugin_is_a_host_error_that_names_it() {
    let bench = Bench::start(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    bench.scheduler.add_job(job("a", "{}", "nowhere")).wait().unwrap();
    until(&mut events, |event| matches!(event, Event::RunFinished { outcome: Outcome::HostError, .. }));
    assert!(bench.runs()[0].reason.as_ref().unwrap().contains("plugin \"nowhere\" is not loaded"));
}

#[test]
fn a_shutdown_lets_runs_end_within_the_grace() {
    let bench = Bench::start(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    bench.scheduler.add_job(job("a", "{}", "gated")).wait().unwrap();
    until(&mut events, |event| matches!(event, Event::RunStarted { .. }));
    let stopping = bench.scheduler.shutdown(Duration::from_secs(600));
    until(&mut events, |event| matches!(event, Event::SchedulerDraining));
    bench.gate.notify_one();
    stopping.wait().unwrap();
    assert_eq!(bench.runs()[0].outcome, Some(Outcome::Succeeded));
    assert!(matches!(bench.scheduler.pause(None, None).wait(), Err(SchedulerError::Stopped)));
}

#[test]
fn a_shutdown_cancels_what_outlives_the_grace_and_records_it() {
    let bench = Bench::start(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    bench.scheduler.add_job(job("a", "{}", "stubborn")).wait().unwrap();
    until(&mut events, |event| matches!(event, Event::RunStarted { .. }));
    bench.scheduler.shutdown(Duration::ZERO).wait().unwrap();
    let run = &bench.runs()[0];
    assert_eq!((run.state, run.outcome), (RunState::Finished, Some(Outcome::Cancelled)));
    assert!(run.reason.as_ref().unwrap().contains("the scheduler stopped"));
}

#[test]
fn a_second_shutdown_shortens_the_grace() {
    let bench = Bench::start(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    bench.scheduler.add_job(job("a", "{}", "stubborn")).wait().unwrap();
    until(&mut events, |event| matches!(event, Event::RunStarted { .. }));
    let first = bench.scheduler.shutdown(Duration::from_secs(600));
    bench.scheduler.shutdown(Duration::ZERO).wait().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_pool_never_exceeds_its_cap() {
    let name = PoolName::new("narrow").unwrap();
    let bench =
        Bench::start(|builder| builder.pool(Pool { name: name.clone(), max_instances: 3, queue: 100 }));
    let mut events = bench.scheduler.subscribe();
    for n in 0..50 {
        let mut job = job(&format!("j{n}"), "{}", "counted");
        job.pool = name.clone();
        bench.scheduler.add_job(job).wait().unwrap();
    }
    for _ in 0..50 {
        until(&mut events, |event| matches!(event, Event::RunFinished { outcome: Outcome::Succeeded, .. }));
    }
    let most = bench.most.load(std::sync::atomic::Ordering::SeqCst);
    assert!((1..=3).contains(&most), "{most} at one time");
}

#[test]
fn fires_of_a_stopped_scheduler_are_caught_up_at_the_next_start() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    bench.hand.set(at(1));
    let bench = bench.restart(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    bench.hand.set(at(3 * 3600 + 60));
    let caught_up = |runs: &[clockbox::Run]| runs.iter().any(|run| run.outcome.is_some());
    while !caught_up(&bench.runs()) {
        events.next_blocking();
    }
    assert_eq!((bench.runs()[0].scheduled_at, bench.runs()[0].coalesced), (at(3 * 3600), 2));
}

#[test]
fn declared_jobs_that_are_gone_are_removed_and_others_stay() {
    let mut declared = hourly("declared");
    declared.source = clockbox::Source::Manifest;
    let bench = Bench::start(|builder| builder.job(hourly("added")).declared([Arc::new(declared)]));
    assert_eq!(bench.scheduler.jobs().wait().unwrap().len(), 2);
    let bench = bench.restart(|builder| builder.declared([]));
    let jobs = bench.scheduler.jobs().wait().unwrap();
    assert_eq!(jobs.iter().map(|job| job.job.id.as_str()).collect::<Vec<_>>(), ["added"]);
}

#[test]
fn a_declared_job_of_a_refused_plugin_stays_as_the_store_knows_it() {
    let mut declared = hourly("a");
    declared.source = clockbox::Source::Manifest;
    let bench = Bench::start(|builder| builder.declared([Arc::new(declared)]));
    let a = JobId::new("a").unwrap();
    bench.scheduler.pause_job(a.clone(), None, None).wait().unwrap();
    // Its plugin cannot be read, so nobody knows what it declares.
    let bench = bench.restart(|builder| builder.declared([]).refused(["quick".parse().unwrap()]));
    let kept = bench.scheduler.job(a).wait().unwrap().expect("the job is still there");
    assert!(kept.paused.is_some() && kept.next_fire == Some(at(3600)), "{kept:?}");
}

#[test]
fn overlap_replace_stops_a_real_run_and_starts_the_next() {
    let bench = Bench::start(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    let mut replace = job("a", r#"{ "interval": "1h" }"#, "stubborn");
    let policy = Arc::make_mut(&mut replace.policy);
    (policy.overlap, policy.misfire_grace) = (Overlap::Replace, Grace::Forever);
    bench.scheduler.put_job(replace).wait().unwrap();
    for hour in 1..=2 {
        bench.hand.set(at(hour * 3600));
        until(&mut events, |event| matches!(event, Event::RunStarted { .. }));
    }
    let runs = bench.runs();
    assert_eq!((runs[1].outcome, runs[0].state), (Some(Outcome::Cancelled), RunState::Running));
}

#[test]
fn every_fire_of_a_backlog_runs_when_asked_to() {
    let mut each = hourly("a");
    let policy = Arc::make_mut(&mut each.policy);
    (policy.coalesce, policy.misfire_grace) = (Coalesce::All, Grace::Forever);
    let bench = Bench::start(|builder| builder.job(each));
    let mut events = bench.scheduler.subscribe();
    bench.hand.set(at(100 * 3600));
    for _ in 0..100 {
        until(&mut events, |event| matches!(event, Event::RunFinished { outcome: Outcome::Succeeded, .. }));
    }
    assert_eq!(bench.runs().len(), 100);
}

#[test]
fn hundreds_of_starts_and_stops_leave_nothing_behind() {
    let store: Arc<dyn JobStore> = Arc::new(MemoryStore::new());
    for n in 0..200_u64 {
        let (clock, hand) = Clock::manual(at(0));
        let scheduler = Scheduler::builder()
            .store(Arc::clone(&store))
            .clock(clock)
            .native("quick".parse().unwrap(), support::quick)
            .start()
            .unwrap();
        let added = scheduler.add_job(job(&format!("j{n}"), "{}", "quick"));
        if n % 3 == 0 {
            added.wait().unwrap();
        }
        hand.advance(Duration::from_millis(n));
        scheduler.shutdown(Duration::from_secs(60)).wait().unwrap();
        assert!(scheduler.run_now(JobId::new("x").unwrap(), None).wait().is_err());
    }
    let runs = store.runs(&RunFilter::default()).unwrap();
    assert!(runs.iter().all(|run| run.state.is_final() || run.state == RunState::Waiting), "{runs:?}");
}

/// The runs of the one job, oldest fire first, and the hour of each fire.
fn hours(bench: &Bench) -> Vec<i64> {
    let mut runs = bench.runs();
    runs.reverse();
    runs.iter().map(|run| (run.scheduled_at - at(0)).num_hours()).collect()
}

#[test]
fn a_clock_that_leaps_ahead_brings_one_run_and_no_storm() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    let mut events = bench.scheduler.subscribe();
    // A machine that slept for a month, and woke between two fires.
    bench.hand.set(at(720 * 3600 + 1800));
    until(&mut events, |event| matches!(event, Event::RunFinished { .. }));
    bench.hand.set(at(721 * 3600));
    until(&mut events, |event| matches!(event, Event::RunFinished { .. }));
    let runs = bench.runs();
    assert_eq!(hours(&bench), [720, 721]);
    assert_eq!((runs[1].coalesced, runs[0].coalesced), (719, 0));
    assert_eq!(runs[1].recorded_at, at(720 * 3600 + 1800));
}

#[test]
fn a_clock_that_steps_back_doubles_nothing_and_the_schedule_goes_on() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    let mut events = bench.scheduler.subscribe();
    let mut fires = |to| {
        bench.hand.set(at(to));
        until(&mut events, |event| matches!(event, Event::RunFinished { .. }));
    };
    fires(3600);
    fires(2 * 3600);
    // Back by an hour and a half, over two fires; then the same hours again.
    bench.hand.set(at(1800));
    bench.scheduler.ping().wait().unwrap();
    bench.hand.set(at(2 * 3600 + 1));
    bench.scheduler.ping().wait().unwrap();
    assert_eq!(hours(&bench), [1, 2]);
    // What was asked for by hand meanwhile has a time and an id of its own, behind all others.
    bench.hand.set(at(1800));
    let a = JobId::new("a").unwrap();
    let manual = bench.scheduler.run_now(a, None).wait().unwrap();
    assert!(bench.runs().iter().all(|run| run.id <= manual));
    until(&mut events, |event| matches!(event, Event::RunFinished { run, .. } if *run == manual));
    bench.hand.set(at(3 * 3600));
    until(&mut events, |event| matches!(event, Event::RunFinished { .. }));
    assert_eq!(hours(&bench), [0, 1, 2, 3]);
}

#[test]
fn a_clock_that_is_slewed_loses_and_doubles_nothing() {
    let bench = Bench::start(|builder| builder.job(hourly("a")));
    let mut events = bench.scheduler.subscribe();
    let mut now = 0;
    for hour in 1..=50 {
        // Forward in uneven steps, and now and then a little back, also across the fire that has just been.
        for step in [1700, -3, 1890, -20] {
            now += step;
            bench.hand.set(at(now));
            bench.scheduler.ping().wait().unwrap();
        }
        now = hour * 3600 + 5;
        bench.hand.set(at(now));
        until(&mut events, |event| matches!(event, Event::RunFinished { .. }));
        now -= 10;
        bench.hand.set(at(now));
        now = hour * 3600;
    }
    assert_eq!(hours(&bench), (1..=50).collect::<Vec<_>>());
    assert!(bench.runs().iter().all(|run| run.coalesced == 0));
}

#[test]
fn a_listener_hears_the_end_while_handles_are_still_held() {
    let bench = Bench::start(|builder| builder);
    let mut events = bench.scheduler.subscribe();
    bench.scheduler.shutdown(Duration::ZERO).wait().unwrap();
    // The driver lets go of its end before it answers, so nothing is waited for.
    let heard: Vec<Event> =
        std::iter::from_fn(|| events.next_blocking()).map(|happening| happening.unwrap().event).collect();
    assert_eq!(heard.last(), Some(&Event::SchedulerStopped));
    assert_eq!(bench.scheduler.subscribe().next_blocking(), None);
}

#[test]
fn a_shutdown_after_the_end_is_answered_as_the_first_was() {
    let bench = Bench::start(|builder| builder);
    for _ in 0..3 {
        bench.scheduler.shutdown(Duration::ZERO).wait().unwrap();
    }
}
