//! Functions of the program as the work of jobs: typed arguments, output, failures and log.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use clockbox::{
    Builder, Event, Job, JobError, LogLevel, LogStream, Outcome, Retry, RunId, Scheduler, Subscription,
    store::{JobStore, RunDetail},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Order {
    id: u64,
}

/// The next run to end.
pub(crate) fn ended(events: &mut Subscription) -> RunId {
    loop {
        let heard = events.next_blocking().expect("the scheduler stopped").expect("no event is lost");
        if let Event::RunFinished { run, .. } = heard.event {
            return run;
        }
    }
}

/// Runs one job to its end.
fn run(builder: Builder, job: clockbox::JobBuilder) -> RunDetail {
    let mut events = builder.subscribe();
    let scheduler = builder.job(job).start().unwrap();
    let run = ended(&mut events);
    let detail = scheduler.store().run(run).unwrap().unwrap();
    scheduler.shutdown(Duration::ZERO).wait().unwrap();
    detail
}

fn charging() -> Builder {
    Scheduler::builder().native_fn("charge", |order: Order, run| async move {
        run.info(format!("order {}\nattempt {}", order.id, run.attempt()));
        run.warn("\x1b[31mred");
        match order.id {
            0 => Err(JobError::fatal("no-such-order", "there is no order 0")),
            1 => Err(JobError::cancelled("it was given up")),
            id => Ok(format!("receipt {id}")),
        }
    })
}

#[test]
fn a_function_gets_its_arguments_and_leaves_output_and_log() {
    let detail = run(charging(), Job::new("a").plugin("charge").args(Order { id: 7 }));
    assert_eq!(detail.run.outcome, Some(Outcome::Succeeded));
    assert_eq!(detail.run.output.as_deref(), Some("\"receipt 7\""));
}

#[test]
fn a_function_says_how_its_failure_is_meant() {
    let retry = Retry { attempts: 3, backoff: Duration::ZERO, ..Retry::default() };
    let job = |id| Job::new("a").plugin("charge").args(Order { id }).retry_policy(retry);
    let failed = run(charging(), job(0)).run;
    assert_eq!((failed.outcome, failed.attempt), (Some(Outcome::Failed), 1), "it is not tried again");
    assert_eq!(failed.reason.as_deref(), Some("no-such-order: there is no order 0"));
    assert_eq!(run(charging(), job(1)).run.outcome, Some(Outcome::Cancelled));
}

#[test]
fn arguments_that_do_not_fit_fail_for_good_with_what_is_wrong() {
    let job = Job::new("a").plugin("charge").args("seven").retry(3);
    let failed = run(charging(), job).run;
    assert_eq!((failed.outcome, failed.attempt), (Some(Outcome::Failed), 1));
    let reason = failed.reason.unwrap();
    assert!(reason.starts_with("invalid-args: ") && reason.contains("struct Order"), "{reason}");
}

#[test]
fn an_error_of_any_kind_is_tried_again() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let builder = Scheduler::builder().native_fn("flaky", move |(): (), run| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if run.attempt() < 3 {
                Err(std::io::Error::other("not yet"))?;
            }
            Ok::<_, JobError>(())
        }
    });
    let retry = Retry { attempts: 5, backoff: Duration::ZERO, ..Retry::default() };
    let detail = run(builder, Job::new("flaky").retry_policy(retry));
    assert_eq!((detail.run.outcome, calls.load(Ordering::SeqCst)), (Some(Outcome::Succeeded), 3));
    assert_eq!(detail.run.output, None, "nothing was said");
    assert_eq!(detail.attempts[0].reason.as_deref(), Some("error: not yet"));
}

/// The log of the only run, as it is kept.
fn log(builder: Builder, job: clockbox::JobBuilder) -> Vec<(LogStream, LogLevel, String)> {
    let mut events = builder.subscribe();
    let scheduler = builder.job(job).start().unwrap();
    let run = ended(&mut events);
    let logs = logs_of(&**scheduler.store(), run);
    scheduler.shutdown(Duration::ZERO).wait().unwrap();
    logs
}

#[test]
fn lines_of_a_function_are_in_the_log_of_its_run_without_control_characters() {
    let lines = log(charging(), Job::new("a").plugin("charge").args(Order { id: 7 }));
    let line = |level, text: &str| (LogStream::Log, level, text.to_owned());
    let expected =
        [line(LogLevel::Info, "order 7"), line(LogLevel::Info, "attempt 1"), line(LogLevel::Warn, "[31mred")];
    assert_eq!(lines, expected);
}

#[test]
fn a_function_cannot_flood_the_log() {
    let builder = Scheduler::builder().native_fn("chatter", |(): (), run| async move {
        for _ in 0..100 {
            run.info("x".repeat(100_000));
        }
        run.info("short");
        Ok::<_, JobError>(())
    });
    let lines = log(builder, Job::new("chatter"));
    let (stream, _, last) = lines.last().unwrap();
    assert_eq!(*stream, LogStream::Host);
    assert!(last.contains("what follows is dropped"), "{last}");
    assert!(lines.len() < 20, "{} lines", lines.len());
}

#[test]
fn an_output_beyond_the_limit_fails_the_run() {
    let builder = Scheduler::builder()
        .native_fn("large", |(): (), _| async move { Ok::<_, JobError>("x".repeat(100_000)) });
    let failed = run(builder, Job::new("large")).run;
    assert!(failed.reason.unwrap().starts_with("output: it has "));
}

fn logs_of(store: &dyn JobStore, run: RunId) -> Vec<(LogStream, LogLevel, String)> {
    let lines = store.logs(run, None).unwrap();
    lines.into_iter().map(|(_, line)| (line.stream, line.level, line.message)).collect()
}
