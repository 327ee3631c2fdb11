//! A scheduler whose runs end as they are told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clockbox::{
    Event, Job, JobId, LogLevel, LogLine, LogStream, Outcome, Report, Retry, Run, Scheduler,
    store::{JobStore, MemoryStore},
};

use crate::talk;

/// A scheduler with a work that fails or succeeds as it is told, and jobs that do it on demand.
pub(crate) struct Bench {
    pub(crate) scheduler: Scheduler,
    pub(crate) store: Arc<dyn JobStore>,
    fails: Arc<AtomicBool>,
}

impl Bench {
    pub(crate) fn start() -> Self {
        Self::on(Arc::new(MemoryStore::new()))
    }

    pub(crate) fn on(store: Arc<dyn JobStore>) -> Self {
        let fails = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&fails);
        let work = move |_, _| {
            let fails = told.load(Ordering::SeqCst);
            async move {
                match fails {
                    true => Report { reason: Some("as it was told".into()), ..Report::new(Outcome::Failed) },
                    false => Report::new(Outcome::Succeeded),
                }
            }
        };
        talk::listen();
        let scheduler = Scheduler::builder().store(Arc::clone(&store)).native("work".parse().unwrap(), work);
        let scheduler = scheduler.native("second".parse().unwrap(), second_time());
        Self { scheduler: scheduler.start().unwrap(), store, fails }
    }

    pub(crate) fn add(&self, job: &str) {
        let never = Job::new(job).plugin("work").every(Duration::from_secs(86_400 * 365));
        self.scheduler.add_job(never).wait().unwrap();
    }

    /// Adds a job that fails once, logs a lot, and then succeeds.
    pub(crate) fn add_second(&self, job: &str) {
        let retry = Retry { attempts: 2, backoff: Duration::from_millis(1), ..Retry::default() };
        let never =
            Job::new(job).plugin("second").every(Duration::from_secs(86_400 * 365)).retry_policy(retry);
        self.scheduler.add_job(never).wait().unwrap();
    }

    /// Runs a job to its end, and answers with the record of it.
    pub(crate) fn run(&self, job: &str, fails: bool) -> Run {
        self.fails.store(fails, Ordering::SeqCst);
        let mut events = self.scheduler.subscribe();
        let id = self.scheduler.run_now(JobId::new(job).unwrap(), None).wait().unwrap();
        loop {
            let happening = events.next_blocking().unwrap().unwrap();
            if matches!(happening.event, Event::RunFinished { run, .. } if run == id) {
                return self.store.run(id).unwrap().unwrap().run;
            }
        }
    }

    /// Two events that are about no job.
    pub(crate) fn pause_and_resume(&self) {
        self.scheduler.pause(None, None).wait().unwrap();
        self.scheduler.resume().wait().unwrap();
    }

    pub(crate) fn end(&self) {
        self.scheduler.shutdown(Duration::ZERO).wait().unwrap();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        drop(self.scheduler.shutdown(Duration::ZERO));
    }
}

/// Lines that the second attempt logs.
pub(crate) const LINES: usize = 150;

fn second_time()
-> impl Fn(clockbox::Launch, clockbox::sandbox::CancelToken) -> std::future::Ready<Report> + Send + Sync {
    let is_second = AtomicBool::new(false);
    move |_, _| {
        let is_second = is_second.swap(true, Ordering::SeqCst);
        let line = |n: usize| LogLine {
            at: "2030-01-01T00:00:00Z".parse().unwrap(),
            stream: LogStream::Log,
            level: LogLevel::Warn,
            message: format!("line {n}"),
            fields: vec![("n".to_owned(), n.to_string())],
        };
        std::future::ready(match is_second {
            false => Report { reason: Some("not yet".into()), ..Report::new(Outcome::Failed) },
            true => Report { logs: (0..LINES).map(line).collect(), ..Report::new(Outcome::Succeeded) },
        })
    }
}
