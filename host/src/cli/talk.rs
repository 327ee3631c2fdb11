//! Talk on stderr: what the host and its guests say, a line each, as text for people or JSON for programs.

use std::fmt;

use chrono_tz::Tz;
use clap::ValueEnum;
use clockbox_core::trigger::local_time;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use super::text::plain_lines;
use crate::clock::Clock;

/// How talk is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Lets `tracing` speak on stderr. `CLOCKBOX_LOG` sets levels, as in `CLOCKBOX_LOG=debug` or `warn,clockbox=info`.
pub(crate) fn start(format: Format, zone: Tz, quiet: bool) {
    let usual = if quiet { "warn" } else { "info" };
    let filter = EnvFilter::try_from_env("CLOCKBOX_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A reader of stderr that went away, or a full disk, must not end the host.
        .log_internal_errors(false);
    // An error means that the embedding program has a subscriber already, which then hears everything.
    drop(match format {
        Format::Text => {
            tracing::subscriber::set_global_default(subscriber.event_format(Plain(zone)).finish())
        }
        Format::Json => {
            tracing::subscriber::set_global_default(subscriber.json().flatten_event(true).finish())
        }
    });
}

/// `05:30:00.012 WARN  report    | the disk is nearly full`
struct Plain(Tz);

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line::default();
        event.record(&mut line);
        let time = local_time(Clock::system().now(), self.0);
        write!(out, "{} ", time.format("%H:%M:%S%.3f"))?;
        let level = *event.metadata().level();
        if level != Level::INFO {
            write!(out, "{level:<5} ")?;
        }
        if let Some(job) = &line.job {
            write!(out, "{job:<12} ")?;
        }
        if event.metadata().target() == "clockbox::guest" {
            write!(out, "| ")?;
        }
        writeln!(out, "{}{}", in_place(&line.message), in_place(&line.rest))
    }
}

#[derive(Default)]
struct Line {
    message: String,
    job: Option<String>,
    rest: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "job" => self.job = Some(format!("{value:?}")),
            // Of interest to programs; a person finds it in the history.
            "run" => {}
            name if name.starts_with("log.") => {}
            name => self.rest.push_str(&format!(" {name}={value:?}")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "job" => self.job = Some(value.to_owned()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }
}

/// A text whose further lines are indented, and without control characters: what a guest makes the host say must not look
/// like the host's own line, nor steer the terminal.
fn in_place(text: &str) -> String {
    plain_lines(text, "             ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_be_forged_from_within_another() {
        let forged = in_place("x: done\n12:00:00.000 payroll succeeded");
        assert_eq!(forged, "x: done\n             12:00:00.000 payroll succeeded");
        assert_eq!(in_place("a\u{1b}[2Jb\r"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(in_place("a\tb"), "a    b");
    }
}
