//! The facts of a run, as the `context` import tells them.

use std::{sync::Arc, time::Duration};

use clockbox_core::model::{Cause, ClockRight, PluginSpec, SecretAs, Timestamp};

use crate::{
    CancelToken, RunRequest, RunSink,
    bindings::clockbox::job::context::{Host, RunCause},
};

/// What the `context` import answers from.
pub(crate) struct Facts {
    pub(crate) request: RunRequest,
    pub(crate) spec: Arc<PluginSpec>,
    pub(crate) sink: Arc<dyn RunSink>,
    pub(crate) cancel: CancelToken,
    /// When the run began, by the sink's clock.
    pub(crate) started: Timestamp,
}

impl Host for Facts {
    fn job_id(&mut self) -> String {
        self.request.job.to_string()
    }

    fn run_id(&mut self) -> String {
        self.request.run.to_string()
    }

    fn attempt(&mut self) -> u32 {
        self.request.attempt
    }

    fn scheduled_at(&mut self) -> String {
        self.request.scheduled_at.to_rfc3339()
    }

    fn previous_success(&mut self) -> Option<String> {
        self.request.previous_success.map(|at| at.to_rfc3339())
    }

    fn cause(&mut self) -> RunCause {
        match self.request.cause {
            Cause::Trigger => RunCause::Trigger,
            Cause::Manual => RunCause::Manual,
        }
    }

    fn idempotency_key(&mut self) -> String {
        self.request.run.to_string()
    }

    fn deadline_ms(&mut self) -> u64 {
        // A clock that was set back must not promise more than the timeout; one that stands still shows no time going by.
        let gone = match self.spec.rights.clock {
            ClockRight::Real => (self.sink.now() - self.started).to_std().unwrap_or_default(),
            ClockRight::Frozen => Duration::ZERO,
        };
        u64::try_from(self.spec.limits.timeout.saturating_sub(gone).as_millis()).unwrap_or(u64::MAX)
    }

    fn is_cancelled(&mut self) -> bool {
        self.cancel.is_cancelled()
    }

    fn config(&mut self, key: String) -> Option<String> {
        let secret = || {
            let secret = self.spec.rights.secrets.get(&key)?;
            (secret.handed_as() == SecretAs::Config).then(|| secret.expose().to_owned())
        };
        self.spec.config.get(&key).cloned().or_else(secret)
    }
}
