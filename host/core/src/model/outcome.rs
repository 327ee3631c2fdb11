//! How a run or an attempt ended.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How a run or an attempt ended.
///
/// ```
/// use clockbox_core::model::Outcome;
/// assert_eq!(Outcome::TimedOut.to_string(), "timed-out");
/// assert_eq!("timed-out".parse(), Ok(Outcome::TimedOut));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The guest returned success (a command: exit code 0).
    Succeeded,
    /// The guest returned an error (a command: another exit code).
    Failed,
    /// The guest hit a WebAssembly trap, such as an unreachable instruction or a stack overflow.
    Trapped,
    /// The run did not end within its timeout.
    TimedOut,
    /// The guest asked for more memory than its limit and died of the refusal.
    OutOfMemory,
    /// The run was cancelled: by hand, by `overlap = "replace"`, or by a shutdown.
    Cancelled,
    /// The host ended before the run's end was recorded.
    Interrupted,
    /// The host could not carry out the run, through no fault of the guest.
    HostError,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Succeeded,
        Self::Failed,
        Self::Trapped,
        Self::TimedOut,
        Self::OutOfMemory,
        Self::Cancelled,
        Self::Interrupted,
        Self::HostError,
    ];

    /// The name used in JSON, in the store and at the terminal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Trapped => "trapped",
            Self::TimedOut => "timed-out",
            Self::OutOfMemory => "out-of-memory",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::HostError => "host-error",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("{text:?} is not an outcome; the outcomes are {all}")
        })
    }
}
