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
    jobs::zone_of,
    runs, text,
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
    /// The run's id; where the host's store is beside the manifest, as much of its beginning as is unique.
    id: String,
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    output: Output,
}

impl OneArgs {
    fn id(&self) -> Result<RunId, Failure> {
        if let Ok(id) = self.id.parse() {
            return Ok(id);
        }
        if !self.host.is_of_manifest() {
            return Err(Failure::new(format!("{:?} is not a run id", self.id)).hint("give the whole of it"));
        }
        let named = self.host.place.store()?;
        let access = clockbox_store::Access::ReadOnly;
        let store = clockbox_store::open(&named.url, &named.folder, access).map_err(Failure::no)?;
        runs::find(&store, &self.id)
    }
}

pub(super) fn logs(args: &LogsArgs) -> Result<(), Failure> {
    let id = args.one.id()?;
    let Some(mut host) = args.one.host.host_or_store()? else {
        let (store, zone) = args.one.host.place.open_store()?;
        if store.run(id).map_err(Failure::new)?.is_none() {
            return Err(Failure::no(format!("there is no run {id} on record")));
        }
        let lines = store.logs(id, args.attempt).map_err(Failure::new)?;
        return lines.iter().try_for_each(|line| tell(&LogView::new(line), zone, args.one.output));
    };
    let attempt = args.attempt.map(|attempt| format!("&attempt={attempt}")).unwrap_or_default();
    let path = format!("/v1/runs/{id}/logs?follow={}{attempt}", args.follow);
    let zone = zone_of(&mut host)?;
    if args.follow {
        return follow(&mut host, &path, zone, args.one.output);
    }
    let lines: crate::control::Lines = host.get(&path)?;
    lines.logs.iter().try_for_each(|line| tell(line, zone, args.one.output))
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
    let id = args.one.id()?;
    let body = args.reason.as_ref().map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
    let path = format!("/v1/runs/{id}/cancel");
    let run: RunView = read(&args.one.host.connect()?.send(Method::POST, &path, Some(&body))?)?;
    if args.one.output.json {
        return print_json(&run);
    }
    eprintln!("run {id} of {} was asked to stop", run.job);
    Ok(())
}

pub(super) fn retry(args: &OneArgs) -> Result<(), Failure> {
    let path = format!("/v1/runs/{}/retry", args.id()?);
    let recorded: Recorded = read(&args.host.connect()?.send(Method::POST, &path, None)?)?;
    if args.output.json {
        return print_json(&recorded);
    }
    print(&format!("{}\n", recorded.run))
}
