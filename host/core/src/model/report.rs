//! What a sandbox says of one attempt.

use std::time::Duration;

use super::{Effects, LogLine, Outcome};

/// What the guest said about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetryHint {
    /// By the job's policy.
    #[default]
    Policy,
    /// Not before this long, as far as the policy allows another attempt; at most 30 days, or the policy's cap where that
    /// is longer.
    After(Duration),
    /// Never: the failure is permanent.
    Never,
}

/// How one attempt ended: what the pool hands back to the timetable.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in words; `None` for a success.
    pub reason: Option<String>,
    /// The guest's output.
    pub output: Option<String>,
    /// The WebAssembly backtrace of a trap.
    pub backtrace: Option<String>,
    /// What the guest said about trying again.
    pub retry: RetryHint,
    /// The most memory that the guest held, in bytes.
    pub peak_memory: Option<u64>,
    /// The fuel that the guest used; `None` where it was not counted (`limits.fuel`).
    pub fuel: Option<u64>,
    /// Log lines that have not been handed to the store before.
    pub logs: Vec<LogLine>,
    /// What takes effect with its success; of no account where it did not succeed.
    pub effects: Option<Box<Effects>>,
}

impl Report {
    /// A report with an outcome and nothing else.
    #[must_use]
    pub fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            reason: None,
            output: None,
            backtrace: None,
            retry: RetryHint::Policy,
            peak_memory: None,
            fuel: None,
            logs: Vec::new(),
            effects: None,
        }
    }

    /// The same with a reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
