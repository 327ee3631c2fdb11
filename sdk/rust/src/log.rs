//! Lines for the run's log: `log::info!("copied {n} files")`. Fields go first: `log::info!(n = 3, "copied")`, where `n`
//! alone means `n = n`.
//!
//! ```
//! use clockbox_sdk::{log, testing};
//!
//! let (name, bytes) = ("a.txt", 1024);
//! log::info!(file = name, bytes, "copied {name}");
//! assert_eq!(testing::lines()[0].to_string(), "INFO copied a.txt file=a.txt bytes=1024");
//! ```

use std::fmt;

#[doc(inline)]
pub use crate::{__debug as debug, __error as error, __info as info, __trace as trace, __warn as warn};

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// For the author of the job.
    Debug,
    /// For whoever looks at the run.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        })
    }
}

/// Appends a line with its fields (name and value) to the run's log. The macros of this module are handier.
///
/// A line beyond the run's log limit is dropped by the host, which leaves a marker.
pub fn write(level: Level, message: &str, fields: &[(&str, String)]) {
    crate::backend::log(level, message, fields);
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $($key:ident $(= $value:expr)?,)* $format:literal $($rest:tt)*) => {
        $crate::log::write(
            $crate::log::Level::$level,
            &$crate::__private::format!($format $($rest)*),
            &[$((::core::stringify!($key), $crate::__private::format!("{}", $crate::__field!($key $(= $value)?)))),*],
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($key:ident) => {
        $key
    };
    ($key:ident = $value:expr) => {
        $value
    };
}

/// Logs what a reader of every step wants.
#[macro_export]
#[doc(hidden)]
macro_rules! __trace { ($($line:tt)*) => { $crate::__log!(Trace, $($line)*) }; }

/// Logs what the author of the job wants.
#[macro_export]
#[doc(hidden)]
macro_rules! __debug { ($($line:tt)*) => { $crate::__log!(Debug, $($line)*) }; }

/// Logs what whoever looks at the run wants: `info!("text {x}")` or `info!(key = value, "text")`.
#[macro_export]
#[doc(hidden)]
macro_rules! __info { ($($line:tt)*) => { $crate::__log!(Info, $($line)*) }; }

/// Logs what is worth a look.
#[macro_export]
#[doc(hidden)]
macro_rules! __warn { ($($line:tt)*) => { $crate::__log!(Warn, $($line)*) }; }

/// Logs what failed.
#[macro_export]
#[doc(hidden)]
macro_rules! __error { ($($line:tt)*) => { $crate::__log!(Error, $($line)*) }; }

#[cfg(test)]
mod tests {
    use crate::{log, testing};

    #[test]
    fn a_line_takes_format_arguments_and_fields() {
        let captured = 2;
        log::trace!("plain");
        log::debug!("{captured} and {}", 3);
        log::warn!(status = 500, captured, after = format!("{}ms", 7), "slow {}", "host",);
        log::error!("braces {{}}");
        let lines: Vec<_> = testing::lines().iter().map(ToString::to_string).collect();
        let expected = [
            "TRACE plain",
            "DEBUG 2 and 3",
            "WARN slow host status=500 captured=2 after=7ms",
            "ERROR braces {}",
        ];
        assert_eq!(lines, expected);
    }
}
