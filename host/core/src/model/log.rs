//! What a guest said while it ran.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogStream {
    /// A call of the `log` import.
    Log,
    /// A line of standard output.
    Stdout,
    /// A line of standard error.
    Stderr,
    /// The host's own remark, such as the marker that the log limit was reached.
    Host,
}

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Finest detail.
    Trace,
    /// Detail for the author.
    Debug,
    /// Normal course.
    Info,
    /// Odd, yet not a failure.
    Warn,
    /// A failure.
    Error,
}

macro_rules! names {
    ($type:ident { $($variant:ident => $name:literal),* }) => {
        impl $type {
            /// The name used in JSON, in the store and at the terminal.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(format!("{text:?} is none of {}", [$($name),*].join(", "))),
                }
            }
        }
    };
}

names!(LogStream { Log => "log", Stdout => "stdout", Stderr => "stderr", Host => "host" });
names!(LogLevel { Trace => "trace", Debug => "debug", Info => "info", Warn => "warn", Error => "error" });

/// One line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When the host received it.
    pub at: Timestamp,
    /// Where it came from.
    pub stream: LogStream,
    /// How grave it is: the guest's word for `log` lines, `info` for stdout, `warn` for stderr.
    pub level: LogLevel,
    /// The text, without its line end.
    pub message: String,
    /// Key-value fields of a `log` call, in the guest's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, String)>,
}
