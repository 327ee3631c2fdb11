//! `clockbox runs`: what ran, asked of the host, or read in the store when none runs.

use std::time::Duration;

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use clockbox_core::{
    model::{JobId, Outcome, RunState, Timestamp, format_size},
    trigger::{local_time, parse_time},
};
use clockbox_store::RunFilter;
use serde_json::{Value, json};

use super::{
    Output,
    ask::HostArgs,
    exit::{Failure, print, print_json},
    history::History,
    run_live, text,
};
use crate::{
    clock::Clock,
    control::view::{AttemptView, RunView},
};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    command: Option<RunsCommand>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// List runs, newest first.
    List(ListArgs),
    /// Show one run with its attempts and its log.
    Show(ShowArgs),
    /// Print the log of a run; with -f as it is written, until the run is over.
    Logs(run_live::LogsArgs),
    /// Stop a run: one that waits is dropped, one that runs is asked to stop, and stopped soon after.
    Cancel(run_live::CancelArgs),
    /// Run the job of a run that is over once more, now, with the same arguments; prints the new run's id.
    Retry(run_live::OneArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    host: HostArgs,
    /// Only runs of this job.
    #[arg(long)]
    job: Option<JobId>,
    /// Only runs that ended so (succeeded, failed, trapped, …); may be given more than once.
    #[arg(long)]
    outcome: Vec<Outcome>,
    /// Only runs in this state (waiting, running, retrying, finished, missed, skipped); may be given more than once.
    #[arg(long)]
    state: Vec<RunState>,
    /// Only runs scheduled at or after this time (2030-11-06, RFC 3339), or within this long (`2h`).
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only runs scheduled before this time, or longer than this ago.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// At most so many.
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The run's id, or as much of its beginning as is unique.
    id: String,
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    output: Output,
}

pub(super) fn runs(args: &RunsArgs) -> Result<(), Failure> {
    match &args.command {
        Some(RunsCommand::Show(args)) => show(args),
        Some(RunsCommand::List(args)) => list(args),
        Some(RunsCommand::Logs(args)) => run_live::logs(args),
        Some(RunsCommand::Cancel(args)) => run_live::cancel(args),
        Some(RunsCommand::Retry(args)) => run_live::retry(args),
        None => list(&args.list),
    }
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let now = Clock::system().now();
    let mut history = History::open(&args.host)?;
    let zone = history.zone;
    let filter = RunFilter {
        job: args.job.clone(),
        states: args.state.clone(),
        outcomes: args.outcome.clone(),
        since: args.since.as_deref().map(|text| time(text, zone, now)).transpose()?,
        until: args.until.as_deref().map(|text| time(text, zone, now)).transpose()?,
        limit: Some(args.limit),
        ..RunFilter::default()
    };
    let runs = history.runs(&filter)?;
    if let (Some(job), true) = (&args.job, runs.is_empty()) {
        history.knows(job)?;
    }
    if args.output.json {
        return print_json(&runs);
    }
    if runs.is_empty() {
        eprintln!("no runs on record that match");
        return Ok(());
    }
    print(&table(&runs, &mut history)?)
}

fn table(runs: &[RunView], history: &mut History) -> Result<String, Failure> {
    let zone = history.zone;
    let mut table = text::table(["RUN", "JOB", "SCHEDULED", "CAUSE", "TOOK", "ENDED", "REASON"]);
    for run in runs {
        let took = took(run, history)?.map(text::span).unwrap_or_default();
        let mut reason = text::first_line(run.reason.as_deref().unwrap_or_default(), 80);
        if run.coalesced > 0 {
            let more = format!("stands for {} more", run.coalesced);
            reason = if reason.is_empty() { more } else { format!("{reason}; {more}") };
        }
        table.add_row([
            run.id.clone(),
            run.job.clone(),
            text::local(run.scheduled_at, zone),
            run.cause.clone(),
            took,
            ended(run),
            reason,
        ]);
    }
    Ok(text::lines(&table))
}

/// How long its attempts took, the pauses between them and the downtime of the host left out; `None` while the last one
/// goes on, and where a crash leaves it unknown.
fn took(run: &RunView, history: &mut History) -> Result<Option<Duration>, Failure> {
    let Some(ended) = run.finished_at.filter(|_| !is_interrupted(run.outcome.as_deref())) else {
        return Ok(None);
    };
    if run.attempt <= 1 {
        return Ok(run.started_at.map(|started| (ended - started).to_std().unwrap_or_default()));
    }
    let id = run.id.parse().map_err(Failure::new)?;
    let attempts = history.run(id)?.map(|detail| detail.attempts).unwrap_or_default();
    Ok(Some(attempts.iter().filter_map(attempt_took).sum()))
}

fn is_interrupted(outcome: Option<&str>) -> bool {
    outcome == Some(Outcome::Interrupted.as_str())
}

/// How long an attempt took; when it was interrupted, only the next host's start is known.
fn attempt_took(attempt: &AttemptView) -> Option<Duration> {
    let ended = attempt.finished_at.filter(|_| !is_interrupted(attempt.outcome.as_deref()))?;
    Some((ended - attempt.started_at).to_std().unwrap_or_default())
}

/// The outcome, or where the run stands; with the attempt where there was more than one.
fn ended(run: &RunView) -> String {
    let word = run.outcome.as_deref().unwrap_or(&run.state);
    if run.attempt > 1 { format!("{word} (attempt {})", run.attempt) } else { word.to_owned() }
}

fn show(args: &ShowArgs) -> Result<(), Failure> {
    let mut history = History::open(&args.host)?;
    let (id, zone) = (history.find(&args.id)?, history.zone);
    let gone = || Failure::no(format!("there is no run {id} on record"));
    let detail = history.run(id)?.ok_or_else(gone)?;
    let logs = history.logs(id, None)?;
    if args.output.json {
        let mut value = json!(detail);
        value["logs"] = json!(logs);
        return print_json(&value);
    }
    let (run, attempts) = (&detail.run, &detail.attempts);
    let mut out = format!("run        {}\njob        {}\nplugin     {}\n", run.id, run.job, run.plugin);
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let value = text::plain_lines(value.trim_end(), "           ");
            out.push_str(&format!("{key:<10} {value}\n"));
        }
    };
    line("cause", Some(run.cause.clone()));
    line("scheduled", Some(text::local(run.scheduled_at, zone)));
    line("started", run.started_at.map(|at| text::local(at, zone)));
    let found = if is_interrupted(run.outcome.as_deref()) { " (when the next host found it)" } else { "" };
    line("ended", run.finished_at.map(|at| format!("{}{found}", text::local(at, zone))));
    line("retry", run.retry_at.map(|at| text::local(at, zone)));
    line("outcome", Some(ended(run)));
    line("reason", run.reason.clone());
    line("coalesced", (run.coalesced > 0).then(|| format!("stands for {} more fires", run.coalesced)));
    line("output", written(&run.output));
    for attempt in attempts {
        let how = attempt.outcome.as_deref().unwrap_or("running");
        let mut about = format!("{} {how}", attempt.number);
        if let Some(took) = attempt_took(attempt) {
            about.push_str(&format!(" after {}", text::span(took)));
        }
        if let Some(peak) = attempt.peak_memory {
            about.push_str(&format!(", {} of memory", format_size(peak)));
        }
        line("attempt", Some(about));
        if attempts.len() > 1 {
            line("", attempt.reason.clone());
        }
        line("", attempt.backtrace.clone());
    }
    for log in &logs {
        let time = local_time(log.at, zone).format("%H:%M:%S%.3f");
        let fields: String = log.fields.iter().map(|(key, value)| format!(" {key}={value}")).collect();
        let nth = if attempts.len() > 1 { format!("[{}] ", log.attempt) } else { String::new() };
        let message = text::plain(&format!("{}{fields}", log.message));
        out.push_str(&format!("{nth}{time} {:<6} {:<5} {message}\n", log.stream, log.level));
    }
    print(&out)
}

/// What a guest answered with, as it has written it: JSON, or a text that is none.
fn written(output: &Value) -> Option<String> {
    match output {
        Value::Null => None,
        Value::String(text) if serde_json::from_str::<Value>(text).is_err() => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

/// A point in time: RFC 3339, or a duration before now.
fn time(text: &str, zone: Tz, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    // As the table prints it.
    if let Ok(at) = chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %:z") {
        return Ok(at.to_utc());
    }
    if let Ok(at) = parse_time(text, zone) {
        return Ok(at);
    }
    clockbox_core::model::parse_duration(text)
        .ok()
        .and_then(|ago| chrono::TimeDelta::from_std(ago).ok())
        .and_then(|ago| now.checked_sub_signed(ago))
        .ok_or_else(|| {
            Failure::new(format!(
                "{text:?} is neither a time such as 2026-03-01 or 2026-03-01T00:00:00Z nor a duration such as 2h"
            ))
        })
}
