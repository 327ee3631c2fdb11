//! What came of a run of `exec`, for people and for programs.

use std::time::Duration;

use clockbox_core::model::{JobState, Outcome, Report, RetryHint, RunId, Timestamp, format_size};
use serde_json::{Value, json};

use super::{advice, state};
use crate::{
    cli::{
        exit::{Failure, print, print_json},
        text,
    },
    control::view::LogView,
};

/// A run that is over.
pub(super) struct Ended {
    pub(super) plugin: String,
    pub(super) run: RunId,
    pub(super) scheduled_at: Timestamp,
    pub(super) attempt: u32,
    pub(super) report: Report,
    pub(super) took: Duration,
    pub(super) logs: Vec<LogView>,
    /// What it told of its progress.
    pub(super) progress: Vec<Value>,
    /// What it remembers, where that was written to.
    pub(super) state: Option<JobState>,
    /// What it asked for about jobs.
    pub(super) jobs: Vec<Value>,
}

impl Ended {
    pub(super) fn is_success(&self) -> bool {
        self.report.outcome == Outcome::Succeeded
    }

    /// The output goes to stdout, all else to stderr; as JSON, all of it is one object on stdout.
    pub(super) fn tell(&self, json: bool) -> Result<(), Failure> {
        if json {
            return print_json(&self.json());
        }
        eprintln!("{}", self.line());
        let said = self.logs.iter().filter(|line| line.stream == "host").map(|line| line.message.as_str());
        let flags = advice::flags(self.report.reason.as_deref().into_iter().chain(said));
        if !flags.is_empty() {
            eprintln!(
                "hint: to grant what it was refused, or to raise what it met: {}",
                text::plain(&flags.join(" "))
            );
        }
        if let Some(backtrace) = &self.report.backtrace {
            backtrace.lines().for_each(|line| eprintln!("  {}", text::plain(line)));
        }
        if let Some(state) = &self.state {
            eprintln!("it remembers:");
            state.0.iter().for_each(|(key, entry)| {
                eprintln!(
                    "  {} = {}",
                    text::plain(key),
                    text::plain(&state::shown(&entry.value).to_string())
                );
            });
            if state.0.is_empty() {
                eprintln!("  nothing");
            }
        }
        if !self.jobs.is_empty() {
            eprintln!("it asked for:");
            self.jobs.iter().for_each(|change| eprintln!("  {}", asked(change)));
        }
        match &self.report.output {
            Some(output) => print(&format!("{output}\n")),
            None => Ok(()),
        }
    }

    /// `hello succeeded in 2 ms; peak memory 1.1 MiB; fuel 31,337`
    fn line(&self) -> String {
        let Report { outcome, reason, retry, peak_memory, fuel, .. } = &self.report;
        let mut line = format!("{} {outcome} in {}", self.plugin, precise(self.took));
        if let Some(reason) = reason {
            line.push_str(": ");
            line.push_str(&reason.lines().map(text::plain).collect::<Vec<_>>().join("\n  "));
        }
        match retry {
            RetryHint::Never if *outcome == Outcome::Failed => line.push_str(" (not to be tried again)"),
            RetryHint::After(delay) => {
                line.push_str(&format!(" (to be tried again after {})", text::span(*delay)));
            }
            _ => {}
        }
        if let Some(peak) = peak_memory {
            line.push_str(&format!("; peak memory {}", format_size(*peak)));
        }
        if let Some(fuel) = fuel {
            line.push_str(&format!("; fuel {fuel}"));
        }
        line
    }

    fn json(&self) -> Value {
        let Report { outcome, reason, output, backtrace, retry, peak_memory, fuel, .. } = &self.report;
        let output = output.as_deref().map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
        let after = match retry {
            RetryHint::After(delay) => Some(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
            _ => None,
        };
        json!({
            "id": self.run,
            "plugin": self.plugin,
            "cause": "manual",
            "scheduled_at": self.scheduled_at,
            "attempt": self.attempt,
            "outcome": outcome,
            "reason": reason,
            "retry": !self.is_success() && *retry != RetryHint::Never,
            "retry_after_ms": after,
            "output": output,
            "backtrace": backtrace,
            "duration_ms": self.took.as_secs_f64() * 1000.0,
            "peak_memory": peak_memory,
            "fuel": fuel,
            "logs": self.logs,
            "progress": self.progress,
            "state": self.state.as_ref().map(state::written),
            "jobs": self.jobs,
        })
    }
}

/// What was asked for about a job, on a line.
fn asked(change: &Value) -> String {
    let word = |key: &str| change[key].as_str().unwrap_or_default();
    let rest = ["keys", "note", "args"].map(|key| &change[key]).into_iter().find(|value| !value.is_null());
    let rest = rest.map(|rest| format!(" {rest}")).unwrap_or_default();
    text::plain(&format!("{} {}{rest}", word("change"), word("job")))
}

/// Short runs are told apart by less than a millisecond.
fn precise(took: Duration) -> String {
    if took < Duration::from_millis(10) {
        return format!("{:.2} ms", took.as_secs_f64() * 1000.0);
    }
    text::span(took)
}
