//! What a guest says while it runs: gathered for the store, shown at once.

use std::sync::{Mutex, PoisonError};

use clockbox_core::model::{JobId, LogLevel, LogLine, RunId, Timestamp};
use clockbox_sandbox::RunSink;

use crate::{
    clock::Clock,
    scheduler::{Event, Events},
};

/// One attempt's log lines on their way to the store.
pub(crate) struct LogBuffer {
    clock: Clock,
    events: Events,
    job: JobId,
    run: RunId,
    lines: Mutex<Vec<LogLine>>,
}

impl LogBuffer {
    pub(crate) fn new(clock: Clock, events: Events, job: JobId, run: RunId) -> Self {
        Self { clock, events, job, run, lines: Mutex::default() }
    }

    /// The lines since the last call.
    pub(crate) fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RunSink for LogBuffer {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn log(&self, line: LogLine) {
        let (job, run, message) = (self.job.as_str(), self.run, line.message.as_str());
        let fields = line.fields.iter().map(|(key, value)| format!(" {key}={value}")).collect::<String>();
        match line.level {
            LogLevel::Error => tracing::error!(target: "clockbox::guest", job, %run, "{message}{fields}"),
            LogLevel::Warn => tracing::warn!(target: "clockbox::guest", job, %run, "{message}{fields}"),
            LogLevel::Info => tracing::info!(target: "clockbox::guest", job, %run, "{message}{fields}"),
            LogLevel::Debug => tracing::debug!(target: "clockbox::guest", job, %run, "{message}{fields}"),
            LogLevel::Trace => tracing::trace!(target: "clockbox::guest", job, %run, "{message}{fields}"),
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn progress(&self, done: u64, total: Option<u64>, note: Option<String>) {
        let (job, run) = (self.job.clone(), self.run);
        self.events.publish(self.clock.now(), Event::RunProgressed { job, run, done, total, note });
    }
}
