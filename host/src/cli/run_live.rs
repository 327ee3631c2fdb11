//! `clockbox runs logs`, `cancel` and `retry`: runs of a running host.

use std::ops::ControlFlow;

use chrono_tz::Tz;
use clap::Args;
use clockbox_core::{model::RunId, trigger::local_time};
use http::Method;
use serde_json::json;

use super::{
    Output,
    ask::{Host, HostArgs, read},
    exit::{Failure, print, print_json},
    history::{History, find_at},
    text,
};
use crate::control::{
    Recorded,
    view::{LogView, RunView},
};

#[derive(Debug, Args)]
pub(super) struct LogsArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Go on until the run is over.
    #[arg(short, long)]
    follow: bool,
    /// Only this attempt.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempt: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct CancelArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// A run of a host.
#[derive(Debug, Args)]
pub(super) struct OneArgs {
    /// The run's id, or as much of its beginning as is unique.
    id: String,
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    output: Output,
}

impl OneArgs {
    /// The host, and the id of the run that it is asked about.
    fn at_host(&self) -> Result<(Host, RunId), Failure> {
        let mut host = self.host.connect()?;
        let id = find_at(&mut host, &self.id)?;
        Ok((host, id))
    }
}

pub(super) fn logs(args: &LogsArgs) -> Result<(), Failure> {
    let mut history = History::open(&args.one.host)?;
    let (id, zone, output) = (history.find(&args.one.id)?, history.zone, args.one.output);
    if let (true, Some(host)) = (args.follow, history.host()) {
        let attempt = args.attempt.map(|attempt| format!("&attempt={attempt}")).unwrap_or_default();
        return follow(host, &format!("/v1/runs/{id}/logs?follow=true{attempt}"), zone, output);
    }
    if history.run(id)?.is_none() {
        return Err(Failure::no(format!("there is no run {id} on record")));
    }
    history.logs(id, args.attempt)?.iter().try_for_each(|line| tell(line, zone, output))
}

/// A line for each line of the log, as it comes.
fn follow(host: &mut Host, path: &str, zone: Tz, output: Output) -> Result<(), Failure> {
    let mut done = Ok(());
    host.follow_lines(path, &[], |line| {
        let view = serde_json::from_str(line)
            .map_err(|error| Failure::new(format!("the host's answer is not understood: {error}")));
        done = view.and_then(|view| tell(&view, zone, output));
        if done.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    done
}

/// One line, as `runs show` has it; as JSON, an object a line.
fn tell(line: &LogView, zone: Tz, output: Output) -> Result<(), Failure> {
    if output.json {
        return print(&format!("{}\n", json!(line)));
    }
    let fields: String = line.fields.iter().map(|(key, value)| format!(" {key}={value}")).collect();
    let nth = if line.attempt > 1 { format!("[{}] ", line.attempt) } else { String::new() };
    let time = local_time(line.at, zone).format("%H:%M:%S%.3f");
    let message = text::plain(&format!("{}{fields}", line.message));
    print(&format!("{nth}{time} {:<6} {:<5} {message}\n", line.stream, line.level))
}

pub(super) fn cancel(args: &CancelArgs) -> Result<(), Failure> {
    let (mut host, id) = args.one.at_host()?;
    let body = args.reason.as_ref().map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
    let path = format!("/v1/runs/{id}/cancel");
    let run: RunView = read(&host.send(Method::POST, &path, Some(&body))?)?;
    if args.one.output.json {
        return print_json(&run);
    }
    eprintln!("run {id} of {} was asked to stop", run.job);
    Ok(())
}

pub(super) fn retry(args: &OneArgs) -> Result<(), Failure> {
    let (mut host, id) = args.at_host()?;
    let path = format!("/v1/runs/{id}/retry");
    let recorded: Recorded = read(&host.send(Method::POST, &path, None)?)?;
    if args.output.json {
        return print_json(&recorded);
    }
    print(&format!("{}\n", recorded.run))
}
