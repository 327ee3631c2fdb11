//! One attempt: a straight line from launch to report.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use clockbox_core::{
    model::{Limits, Outcome, Report, RunId, Write, format_duration},
    timetable::Launch,
};
use clockbox_sandbox::{CancelToken, RunRequest};
use clockbox_store::{JobStore, Writer};

use super::{NativeRun, NativeWork, log_buffer::LogBuffer, runners, work::Work};
use crate::{
    clock::Clock,
    scheduler::{Defaults, Events, Inbox, Message},
};

/// How often the lines of a run that goes on are handed to the store.
const FLUSH_LOGS: Duration = Duration::from_millis(500);

/// Where an attempt's words go.
pub(crate) struct Sinks {
    pub(crate) inbox: Inbox,
    pub(crate) writer: Arc<Writer>,
    /// Where guests read what their jobs remember.
    pub(crate) store: Arc<dyn JobStore>,
    /// What jobs have that guests add and that say nothing of their own.
    pub(crate) defaults: Defaults,
    pub(crate) events: Events,
    pub(crate) clock: Clock,
}

/// An attempt that is about to start.
pub(super) struct Prepared {
    /// What does the work; `None` where there is nothing of that name any more.
    work: Option<Work>,
    launch: Launch,
    token: CancelToken,
    guard: Guard,
}

impl Prepared {
    pub(super) fn new(work: Option<Work>, launch: Launch, token: CancelToken, sinks: Arc<Sinks>) -> Self {
        let guard = Guard::new(launch.run.id, launch.run.attempt, sinks);
        Self { work, launch, token, guard }
    }

    /// Runs it to its end and reports.
    pub(super) async fn run(self) {
        let Self { work, launch, token, guard } = self;
        let report = match work {
            Some(work) => run(work, launch, token, &guard.sinks).await,
            None => Report::new(Outcome::HostError).because(format!(
                "plugin {:?} is not loaded: its file and its entry in the manifest are gone",
                launch.job.plugin.as_str()
            )),
        };
        runners::before_looking(|| guard.report(report));
    }
}

/// Runs one attempt to its end.
async fn run(work: Work, launch: Launch, token: CancelToken, sinks: &Arc<Sinks>) -> Report {
    let (id, attempt) = (launch.run.id, launch.run.attempt);
    let log = Arc::new(LogBuffer::new(Arc::clone(sinks), Arc::clone(&launch.job), id));
    let mut report = match work {
        Work::Plugin(plugin) => {
            let Launch { run, job, previous_success } = launch;
            let plugin = match &job.policy.allow {
                Some(allow) => plugin.narrowed(allow),
                None => plugin,
            };
            let request = RunRequest {
                job: run.job.clone(),
                run: id,
                attempt,
                scheduled_at: run.scheduled_at,
                previous_success,
                cause: run.cause,
                args: run.args.as_deref().map_or_else(|| Arc::clone(&job.args), Into::into),
            };
            // Pinned where it is made: what is handed on by value has a second place in the task, and every waiting run
            // keeps both.
            let run = pin!(plugin.run(request, Arc::clone(&log) as _, token));
            flushing(run, &log, id, attempt, sinks).await
        }
        Work::Native(function) => {
            let run = NativeRun::new(launch, token.clone(), Arc::clone(&log));
            flushing(pin!(native(&*function, run, token)), &log, id, attempt, sinks).await
        }
        Work::Refused(why) => return Report::new(Outcome::HostError).because(why.to_string()),
    };
    report.logs.splice(0..0, log.take());
    report
}

/// Runs a function of this program, for as long as it may.
async fn native(function: &NativeWork, run: NativeRun, stop: CancelToken) -> Report {
    let grace = Limits::default().cancel_grace;
    let outstayed = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        report = function(run) => report,
        () = stop.killed() => Report::new(Outcome::Cancelled).because("it was stopped at once"),
        () = outstayed => Report::new(Outcome::Cancelled).because(format!(
            "it did not end within {} of being asked to, and was stopped",
            format_duration(grace)
        )),
    }
}

/// Hands the lines of a run that goes on to the store from time to time.
async fn flushing(
    mut attempt_run: Pin<&mut impl Future<Output = Report>>,
    log: &LogBuffer,
    run: RunId,
    attempt: u32,
    sinks: &Sinks,
) -> Report {
    loop {
        tokio::select! {
            biased;
            report = &mut attempt_run => return report,
            () = tokio::time::sleep(FLUSH_LOGS) => {
                let lines = log.take();
                if !lines.is_empty() {
                    sinks.writer.submit(vec![Write::Log { run, attempt, lines }], |_| {});
                }
            }
        }
    }
}

/// Sees to it that every attempt reports, even when its task panics or is dropped.
struct Guard {
    run: RunId,
    attempt: u32,
    sinks: Arc<Sinks>,
    report: Option<Box<Report>>,
}

impl Guard {
    fn new(run: RunId, attempt: u32, sinks: Arc<Sinks>) -> Self {
        Self { run, attempt, sinks, report: None }
    }

    fn report(mut self, report: Report) {
        self.report = Some(Box::new(report));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let report = self.report.take().unwrap_or_else(|| {
            Box::new(
                Report::new(Outcome::HostError).because("the host's own task for this attempt broke down"),
            )
        });
        self.sinks.inbox.hand(Message::Finished { run: self.run, attempt: self.attempt, report });
    }
}
