//! `clockbox runs`: what ran, from the store, also while a host runs.

use std::{sync::Arc, time::Duration};

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use clockbox_core::{
    model::{Attempt, JobId, Outcome, Run, RunId, RunState, Timestamp},
    trigger::{local_time, parse_time},
};
use clockbox_store::{JobStore, RunDetail, RunFilter};

use super::{
    Output,
    exit::{Failure, print, print_json},
    place::Place,
    run_json, run_live, text,
};
use crate::{clock::Clock, manifest::suggest};

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
    place: Place,
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
    place: Place,
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
    let (store, zone) = args.place.open_store()?;
    let filter = RunFilter {
        job: args.job.clone(),
        states: args.state.clone(),
        outcomes: args.outcome.clone(),
        since: args.since.as_deref().map(|text| time(text, zone, now)).transpose()?,
        until: args.until.as_deref().map(|text| time(text, zone, now)).transpose()?,
        limit: Some(args.limit),
        ..RunFilter::default()
    };
    let runs = store.runs(&filter).map_err(Failure::new)?;
    if let (Some(job), true) = (&args.job, runs.is_empty()) {
        known(&*store, job)?;
    }
    if args.output.json {
        return print_json(&runs.iter().map(run_json::run).collect::<Vec<_>>());
    }
    if runs.is_empty() {
        eprintln!("no runs on record that match");
        return Ok(());
    }
    print(&table(&runs, &*store, zone)?)
}

/// A job that nobody has heard of: neither the store has it, nor is a run of it on record.
fn known(store: &dyn JobStore, job: &JobId) -> Result<(), Failure> {
    let jobs = store.jobs().map_err(Failure::new)?;
    if jobs.iter().any(|record| record.job.id == *job) {
        return Ok(());
    }
    let any = RunFilter { job: Some(job.clone()), limit: Some(1), ..RunFilter::default() };
    if !store.runs(&any).map_err(Failure::new)?.is_empty() {
        return Ok(());
    }
    let names = jobs.iter().map(|record| record.job.id.as_str());
    let hint = suggest::hint("jobs", job.as_str(), names);
    Err(Failure::no(format!("there is no job {:?}, and no run of one on record", job.as_str())).hint(hint))
}

fn table(runs: &[Run], store: &dyn JobStore, zone: Tz) -> Result<String, Failure> {
    let mut table = text::table(["RUN", "JOB", "SCHEDULED", "CAUSE", "TOOK", "ENDED", "REASON"]);
    for run in runs {
        let took = took(run, store)?.map(text::span).unwrap_or_default();
        let mut reason = text::first_line(run.reason.as_deref().unwrap_or_default(), 80);
        if run.coalesced > 0 {
            let more = format!("stands for {} more", run.coalesced);
            reason = if reason.is_empty() { more } else { format!("{reason}; {more}") };
        }
        table.add_row([
            run.id.to_string(),
            run.job.to_string(),
            text::local(run.scheduled_at, zone),
            run.cause.to_string(),
            took,
            ended(run),
            reason,
        ]);
    }
    Ok(text::lines(&table))
}

/// How long its attempts took, the pauses between them and the downtime of the host left out; `None` while the last one
/// goes on, and where a crash leaves it unknown.
fn took(run: &Run, store: &dyn JobStore) -> Result<Option<Duration>, Failure> {
    let Some(ended) = run.finished_at.filter(|_| run.outcome != Some(Outcome::Interrupted)) else {
        return Ok(None);
    };
    if run.attempt <= 1 {
        return Ok(run.started_at.map(|started| (ended - started).to_std().unwrap_or_default()));
    }
    let attempts = store.run(run.id).map_err(Failure::new)?.map(|detail| detail.attempts).unwrap_or_default();
    Ok(Some(attempts.iter().filter_map(attempt_took).sum()))
}

/// How long an attempt took; when it was interrupted, only the next host's start is known.
fn attempt_took(attempt: &Attempt) -> Option<Duration> {
    let ended = attempt.finished_at.filter(|_| attempt.outcome != Some(Outcome::Interrupted))?;
    Some((ended - attempt.started_at).to_std().unwrap_or_default())
}

/// The outcome, or where the run stands; with the attempt where there was more than one.
fn ended(run: &Run) -> String {
    let word = run.outcome.map_or_else(|| run.state.as_str(), Outcome::as_str);
    if run.attempt > 1 { format!("{word} (attempt {})", run.attempt) } else { word.to_owned() }
}

fn show(args: &ShowArgs) -> Result<(), Failure> {
    let (store, zone) = args.place.open_store()?;
    let id = find(&store, &args.id)?;
    let gone = || Failure::no(format!("there is no run {id} on record"));
    let RunDetail { run, attempts } = store.run(id).map_err(Failure::new)?.ok_or_else(gone)?;
    let logs = store.logs(id, None).map_err(Failure::new)?;
    if args.output.json {
        return print_json(&run_json::detail(&run, &attempts, &logs));
    }
    let mut out = format!("run        {}\njob        {}\nplugin     {}\n", run.id, run.job, run.plugin);
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let value = value.trim_end().replace('\n', "\n           ");
            out.push_str(&format!("{key:<10} {value}\n"));
        }
    };
    line("cause", Some(run.cause.to_string()));
    line("scheduled", Some(text::local(run.scheduled_at, zone)));
    line("started", run.started_at.map(|at| text::local(at, zone)));
    let found = if run.outcome == Some(Outcome::Interrupted) { " (when the next host found it)" } else { "" };
    line("ended", run.finished_at.map(|at| format!("{}{found}", text::local(at, zone))));
    line("retry", run.retry_at.map(|at| text::local(at, zone)));
    line("outcome", Some(ended(&run)));
    line("reason", run.reason.clone());
    line("coalesced", (run.coalesced > 0).then(|| format!("stands for {} more fires", run.coalesced)));
    line("output", run.output.clone());
    for attempt in &attempts {
        let how = attempt.outcome.map_or("running", Outcome::as_str);
        let mut about = format!("{} {how}", attempt.number);
        if let Some(took) = attempt_took(attempt) {
            about.push_str(&format!(" after {}", text::span(took)));
        }
        if let Some(peak) = attempt.peak_memory {
            about.push_str(&format!(", {} of memory", clockbox_core::model::format_size(peak)));
        }
        line("attempt", Some(about));
        if attempts.len() > 1 {
            line("", attempt.reason.clone());
        }
        line("", attempt.backtrace.clone());
    }
    for (attempt, log) in &logs {
        let time = local_time(log.at, zone).format("%H:%M:%S%.3f");
        let fields: String = log.fields.iter().map(|(key, value)| format!(" {key}={value}")).collect();
        let nth = if attempts.len() > 1 { format!("[{attempt}] ") } else { String::new() };
        out.push_str(&format!("{nth}{time} {:<6} {:<5} {}{fields}\n", log.stream, log.level, log.message));
    }
    print(&out)
}

/// The run with this id, or the only one whose id starts so.
pub(super) fn find(store: &Arc<dyn JobStore>, text: &str) -> Result<RunId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let bad = || Failure::new(format!("{text:?} is not the beginning of a run id"));
    let ids = RunId::range_of_prefix(&text.to_ascii_lowercase()).ok_or_else(bad)?;
    let filter = RunFilter { ids: Some(ids), limit: Some(2), ..RunFilter::default() };
    let found = store.runs(&filter).map_err(Failure::new)?;
    match found.as_slice() {
        [] => Err(Failure::no(format!("no run id on record starts with {text:?}"))),
        [run] => Ok(run.id),
        _ => Err(Failure::no(format!("more than one run id starts with {text:?}")).hint("give more of it")),
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
