//! `clockbox next`: what fires next, of the jobs of a host or a manifest, or of a trigger given on the command line.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{BufRead, Write},
};

use chrono_tz::Tz;
use clap::Args;
use clockbox_core::{
    model::{JobId, Timestamp},
    trigger::{Trigger, jsonl, local_time, parse_time},
};
use serde_json::json;

use super::{
    Output,
    ask::{Host, HostArgs},
    exit::{Failure, print, print_json},
    jobs::zone_of,
    place::Place,
    planned, text,
    trigger_args::TriggerArgs,
};
use crate::{
    clock::Clock,
    manifest::Loaded,
    simulation::{Planned, fire_before},
};

#[derive(Debug, Args)]
pub(super) struct NextArgs {
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    trigger: TriggerArgs,
    /// Only this job. May be given more than once.
    #[arg(long, conflicts_with = "TriggerArgs")]
    job: Vec<JobId>,
    /// As if it were this time instead of now, by what the manifest says, or the host that is named: 2030-11-06, "2030-11-06 16:30:05" or 2030-11-06T16:30:05Z.
    #[arg(long, value_name = "TIME")]
    after: Option<String>,
    /// So many fires.
    #[arg(short = 'n', long, default_value_t = 10)]
    count: usize,
    /// Answer JSON lines on stdin, each a trigger with id, kind, spec, timezone, start, end and after.
    #[arg(long, conflicts_with_all = ["TriggerArgs", "job", "after", "manifest", "url", "socket"])]
    jsonl: bool,
    #[command(flatten)]
    output: Output,
}

/// One fire to come.
struct Coming<'a> {
    fire: Timestamp,
    job: Option<&'a JobId>,
    trigger: &'a Trigger,
}

pub(super) fn next(args: &NextArgs) -> Result<(), Failure> {
    if args.jsonl {
        return answer_lines(args.count);
    }
    match &args.trigger {
        given if given.is_given() => of_trigger(args),
        TriggerArgs { timezone: Some(_), .. } => Err(TriggerArgs::zone_alone()),
        _ => of_jobs(args),
    }
}

/// The time that the question is asked for.
fn asked_for(after: Option<&str>, zone: Tz) -> Result<Timestamp, Failure> {
    match after {
        Some(after) => parse_time(after, zone).map_err(Failure::refused),
        None => Ok(Clock::system().now()),
    }
}

fn of_trigger(args: &NextArgs) -> Result<(), Failure> {
    let zone = match args.trigger.timezone {
        Some(zone) => zone,
        None if args.host.place.is_given() => load(&args.host.place)?.manifest.scheduler.timezone,
        None => Tz::UTC,
    };
    let trigger = args.trigger.trigger(zone)?;
    let now = asked_for(args.after.as_deref(), trigger.zone())?;
    if !args.output.json {
        eprintln!("{}", trigger.describe());
    }
    let fire = |previous, from| fire_before(&trigger, previous, from, Timestamp::MAX_UTC);
    let fires = std::iter::successors(fire(None, now), |previous| fire(Some(*previous), *previous));
    let coming = |fire| Coming { fire, job: None, trigger: &trigger };
    let coming: Vec<_> = fires.take(args.count).map(coming).collect();
    show(&coming, now, args.output)
}

pub(super) fn load(place: &Place) -> Result<Loaded, Failure> {
    place.load().map_err(|problems| Failure::new(problems.to_string().trim_end()))
}

/// Of the host that runs or is named, which knows jobs that no file names; else of the manifest and its store.
fn of_jobs(args: &NextArgs) -> Result<(), Failure> {
    let host = if args.after.is_some() && args.host.is_of_manifest() {
        eprintln!("note: with --after no host is asked: this is what the manifest says");
        None
    } else {
        args.host.host_or("this is what the manifest and its store say")?
    };
    match host {
        Some(host) => of_host(args, host),
        None => of_manifest(args),
    }
}

fn of_host(args: &NextArgs, mut host: Host) -> Result<(), Failure> {
    let now = asked_for(args.after.as_deref(), zone_of(&mut host)?)?;
    let planned = planned::at_host(&mut host, &args.job, args.count, args.after.is_none())?;
    show_soonest(planned, now, args)
}

fn of_manifest(args: &NextArgs) -> Result<(), Failure> {
    let place = &args.host.place;
    let manifest = load(place)?.manifest;
    let now = asked_for(args.after.as_deref(), manifest.scheduler.timezone)?;
    show_soonest(planned::jobs(place, &manifest, &args.job, args.after.is_none())?, now, args)
}

fn show_soonest(mut planned: Vec<Planned>, now: Timestamp, args: &NextArgs) -> Result<(), Failure> {
    planned.sort_by(|a, b| a.job.cmp(&b.job));
    let mut fires: Vec<_> = planned.iter().map(|planned| planned.fires(now, Timestamp::MAX_UTC)).collect();
    // Of each job the next fire that is not taken yet; one of many jobs is asked for no more than is shown.
    let first = |(n, fires): (usize, &mut _)| Some(Reverse((Iterator::next(fires)?, n)));
    let mut heads: BinaryHeap<_> = fires.iter_mut().enumerate().filter_map(first).collect();
    let mut coming = Vec::new();
    while coming.len() < args.count
        && let Some(Reverse((fire, n))) = heads.pop()
    {
        coming.push(Coming { fire, job: Some(&planned[n].job), trigger: &planned[n].trigger });
        heads.extend(fires[n].next().map(|fire| Reverse((fire, n))));
    }
    show(&coming, now, args.output)
}

fn show(coming: &[Coming<'_>], now: Timestamp, output: Output) -> Result<(), Failure> {
    if output.json {
        let value = |coming: &Coming<'_>| {
            let zone = coming.trigger.zone();
            let fire = local_time(coming.fire, zone).to_rfc3339();
            match &coming.job {
                Some(job) => {
                    let trigger = coming.trigger.describe();
                    json!({ "job": job, "fire": fire, "timezone": zone.name(), "trigger": trigger })
                }
                None => json!({ "fire": fire, "timezone": zone.name() }),
            }
        };
        return print_json(&coming.iter().map(value).collect::<Vec<_>>());
    }
    if coming.is_empty() {
        eprintln!("nothing fires any more");
        return Ok(());
    }
    let with_job = coming.iter().any(|coming| coming.job.is_some());
    let mut table = if with_job {
        text::table(["FIRE", "ZONE", "IN", "JOB", "TRIGGER"])
    } else {
        text::table(["FIRE", "ZONE", "IN"])
    };
    for Coming { fire, job, trigger } in coming {
        let zone = trigger.zone();
        let mut row = vec![text::local(*fire, zone), zone.name().to_owned(), text::distance(*fire, now)];
        row.extend(job.iter().flat_map(|job| [job.to_string(), trigger.describe()]));
        table.add_row(row);
    }
    print(&text::lines(&table))
}

/// One answer a line; a bad line is answered with an error and the rest goes on.
fn answer_lines(most: usize) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let now = Clock::system().now();
    let failed = |error: std::io::Error| Failure::new(format!("stdout: {error}"));
    let mut input = std::io::BufReader::new(std::io::stdin());
    let mut line = Vec::new();
    loop {
        // Whoever waits for an answer before it asks on gets it.
        if input.buffer().is_empty() {
            match out.flush() {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                done => done.map_err(failed)?,
            }
        }
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        if read.map_err(|error| Failure::new(format!("stdin: {error}")))? == 0 {
            break;
        }
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        match writeln!(out, "{}", jsonl::answer(&line, now, most)) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            done => done.map_err(failed)?,
        }
    }
    out.flush().map_err(failed)
}
