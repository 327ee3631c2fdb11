//! The ways to stay with a scheduler, and to listen to it.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use clockbox::{Event, Job, JobError, Outcome, Scheduler, store::RunFilter};
use tokio::sync::Notify;

/// A scheduler whose only run goes on until it is let go, or asked to stop.
fn busy() -> (Scheduler, Arc<Notify>) {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let builder = Scheduler::builder().native_fn("wait", move |(): (), run| {
        let opened = Arc::clone(&opened);
        async move {
            tokio::select! {
                () = opened.notified() => Ok(()),
                () = run.cancelled() => Err(JobError::cancelled("it was asked to stop")),
            }
        }
    });
    let builder = builder.job(Job::new("wait"));
    let mut events = builder.subscribe();
    let scheduler = builder.start().unwrap();
    while !matches!(events.next_blocking().unwrap().unwrap().event, Event::RunStarted { .. }) {}
    (scheduler, gate)
}

fn outcome(scheduler: &Scheduler) -> Option<Outcome> {
    scheduler.store().runs(&RunFilter::default()).unwrap()[0].outcome
}

#[tokio::test]
async fn serving_ends_with_the_scheduler() {
    let (scheduler, gate) = tokio::task::spawn_blocking(busy).await.unwrap();
    let (served, stopped) = tokio::join!(scheduler.serve(), async {
        gate.notify_one();
        scheduler.shutdown(Duration::from_secs(60)).await
    });
    served.unwrap();
    stopped.unwrap();
    assert_eq!(outcome(&scheduler), Some(Outcome::Succeeded));
}

#[tokio::test]
async fn dropped_it_stops_the_scheduler_and_lets_runs_end() {
    let (scheduler, gate) = tokio::task::spawn_blocking(busy).await.unwrap();
    tokio::select! {
        biased;
        served = scheduler.serve().grace(Duration::from_secs(60)) => panic!("it ended: {served:?}"),
        () = std::future::ready(()) => {}
    }
    assert!(scheduler.status().await.unwrap().draining);
    gate.notify_one();
    scheduler.stopped().await;
    assert_eq!(outcome(&scheduler), Some(Outcome::Succeeded));
}

#[tokio::test]
async fn dropped_with_a_short_grace_it_asks_runs_to_stop() {
    let (scheduler, _gate) = tokio::task::spawn_blocking(busy).await.unwrap();
    drop(scheduler.serve().grace(Duration::from_millis(20)));
    scheduler.stopped().await;
    assert_eq!(outcome(&scheduler), Some(Outcome::Cancelled));
}

#[test]
fn a_blocking_program_goes_on_until_a_job_of_its_own_stops_it() {
    let (give, taken) = mpsc::channel::<Scheduler>();
    let taken = std::sync::Mutex::new(taken);
    let scheduler = Scheduler::builder()
        .native_fn("last", move |(): (), _| {
            let scheduler = taken.lock().unwrap().recv().unwrap();
            async move {
                drop(scheduler.shutdown(Duration::from_secs(60)));
                Ok::<_, JobError>(())
            }
        })
        .job(Job::new("last"))
        .start()
        .unwrap();
    give.send(scheduler.clone()).unwrap();
    scheduler.run_blocking().unwrap();
    assert_eq!(outcome(&scheduler), Some(Outcome::Succeeded));
    // Once more: it has ended already.
    scheduler.run_blocking().unwrap();
}

#[test]
fn a_callback_hears_everything_from_the_start_on_in_order() {
    let (tell, heard) = mpsc::channel();
    let builder = Scheduler::builder()
        .native_fn("quick", |(): (), _| async { Ok::<_, JobError>(()) })
        .job(Job::new("quick"))
        .on_event(move |heard| tell.send(heard.unwrap()).unwrap());
    let scheduler = builder.start().unwrap();
    let told = |happening: &clockbox::Happening| !matches!(happening.event, Event::RunFinished { .. });
    let before: Vec<_> = heard.iter().take_while(told).collect();
    assert_eq!(before[0].seq, 1);
    assert!(before.iter().any(|happening| happening.event == Event::SchedulerStarted));
    scheduler.shutdown(Duration::ZERO).wait().unwrap();
    // It ends with the scheduler, and lets go of what it holds.
    assert_eq!(heard.iter().last().unwrap().event, Event::SchedulerStopped);
}

#[test]
fn a_callback_may_ask_the_scheduler_and_can_be_stopped() {
    let scheduler = Scheduler::builder().start().unwrap();
    let (asker, (tell, heard)) = (scheduler.clone(), mpsc::channel());
    let listener = scheduler
        .on_event(move |heard| {
            if heard.unwrap().event == Event::SchedulerResumed {
                tell.send(asker.status().wait().unwrap()).unwrap();
            }
        })
        .unwrap();
    scheduler.pause(None, None).wait().unwrap();
    scheduler.resume().wait().unwrap();
    assert_eq!(heard.recv().unwrap().paused, None);
    listener.stop();
    scheduler.pause(None, None).wait().unwrap();
    scheduler.resume().wait().unwrap();
    assert!(heard.recv().is_err(), "nobody listens any more");
    scheduler.shutdown(Duration::ZERO).wait().unwrap();
}

#[test]
fn a_loop_that_only_looks_sees_the_end() {
    let scheduler = Scheduler::builder().start().unwrap();
    let mut events = scheduler.subscribe();
    assert!(!events.is_ended());
    scheduler.pause(None, None).wait().unwrap();
    // What a change is told by is there when it is answered; the start may be heard before it.
    let is_pause = |event: &Event| matches!(event, Event::SchedulerPaused { .. });
    assert!(std::iter::from_fn(|| events.try_next()).any(|heard| is_pause(&heard.unwrap().event)));
    assert!(events.try_next().is_none() && !events.is_ended(), "more may come");
    scheduler.shutdown(Duration::ZERO).wait().unwrap();
    while events.try_next().is_some() {}
    assert!(events.is_ended());
}
