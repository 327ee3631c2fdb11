//! `clockbox next`: what fires next, of a manifest's jobs or of a trigger given on the command line.

use std::io::{BufRead, Write};

use chrono_tz::Tz;
use clap::Args;
use clockbox_core::{
    model::{JobId, Timestamp},
    trigger::{Trigger, TriggerSpec, jsonl, local_time},
};
use serde_json::json;

use super::{
    Output,
    exit::{Failure, print, print_json},
    place::Place,
    text,
};
use crate::clock::Clock;

#[derive(Debug, Args)]
pub(super) struct NextArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    trigger: TriggerArgs,
    /// Only this job of the manifest.
    #[arg(long, conflicts_with = "TriggerArgs")]
    job: Option<JobId>,
    /// As if it were this time (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME")]
    after: Option<Timestamp>,
    /// So many fires.
    #[arg(short = 'n', long, default_value_t = 10)]
    count: usize,
    /// Answer JSON lines on stdin, each a trigger with id, kind, spec, timezone, start, end and after.
    #[arg(long, conflicts_with_all = ["TriggerArgs", "after", "manifest"])]
    jsonl: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
#[group(multiple = true)]
struct TriggerArgs {
    /// A cron trigger: "30 5 * * mon-fri", "@daily", or with seconds first "0 30 5 * * *".
    #[arg(long, conflicts_with_all = ["interval", "date", "inline"])]
    cron: Option<String>,
    /// An interval trigger: "2h", "1d 12h".
    #[arg(long, conflicts_with_all = ["date", "inline"])]
    interval: Option<String>,
    /// A date trigger: "2030-11-06 16:30:05".
    #[arg(long, conflicts_with = "inline")]
    date: Option<String>,
    /// Any trigger, as in the manifest: '{ cron = { hour = 5 }, end = "2030-05-30" }'.
    #[arg(long = "trigger", value_name = "TOML")]
    inline: Option<String>,
    /// The time zone of the trigger, an IANA name such as Asia/Shanghai; UTC if nothing is said.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<Tz>,
}

/// One fire to come.
struct Coming {
    fire: Timestamp,
    job: Option<JobId>,
    zone: Tz,
}

pub(super) fn next(args: &NextArgs) -> Result<(), Failure> {
    if args.jsonl {
        return answer_lines();
    }
    let now = args.after.unwrap_or_else(|| Clock::system().now());
    match args.trigger.trigger()? {
        Some(trigger) => {
            if !args.output.json {
                eprintln!("{}", trigger.describe());
            }
            show(&fires(&trigger, None, None, now, args.count), now, args.output)
        }
        None => of_manifest(args, now),
    }
}

impl TriggerArgs {
    fn trigger(&self) -> Result<Option<Trigger>, Failure> {
        let of = |key: &str, value: &str| serde_json::from_value::<TriggerSpec>(json!({ key: value }));
        let spec = match self {
            Self { cron: Some(text), .. } => of("cron", text).map_err(Failure::new)?,
            Self { interval: Some(text), .. } => of("interval", text).map_err(Failure::new)?,
            Self { date: Some(text), .. } => of("date", text).map_err(Failure::new)?,
            Self { inline: Some(text), .. } => inline(text)?,
            Self { timezone: None, .. } => return Ok(None),
            Self { .. } => {
                return Err(Failure::new("--timezone alone names no trigger")
                    .hint("add --cron, --interval, --date or --trigger"));
            }
        };
        let zone = self.timezone.unwrap_or(Tz::UTC);
        Trigger::new(spec, zone).map(Some).map_err(|error| {
            let failure = Failure::new(&error);
            match error.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })
    }
}

/// A trigger as it stands in a manifest: an inline table.
fn inline(text: &str) -> Result<TriggerSpec, Failure> {
    #[derive(serde::Deserialize)]
    struct Holder {
        trigger: TriggerSpec,
    }
    let holder: Holder = toml::from_str(&format!("trigger = {text}"))
        .map_err(|error| Failure::new(error.to_string().trim_end()))?;
    Ok(holder.trigger)
}

/// The next fires of a trigger whose first one may be known already.
fn fires(
    trigger: &Trigger,
    job: Option<&JobId>,
    known: Option<Timestamp>,
    now: Timestamp,
    count: usize,
) -> Vec<Coming> {
    let mut coming = Vec::new();
    let mut at = known.or_else(|| trigger.next_after(None, now));
    while let Some(fire) = at.filter(|_| coming.len() < count) {
        coming.push(Coming { fire, job: job.cloned(), zone: trigger.zone() });
        at = trigger.next_after(Some(fire), fire);
    }
    coming
}

fn of_manifest(args: &NextArgs, now: Timestamp) -> Result<(), Failure> {
    let loaded = args.place.load().map_err(|problems| Failure::new(problems.to_string().trim_end()))?;
    let jobs = &loaded.manifest.jobs;
    if let Some(id) = args.job.as_ref().filter(|id| !jobs.contains_key(*id)) {
        return Err(Failure::no(format!(
            "there is no job {:?} in {}",
            id.as_str(),
            loaded.manifest.path.display()
        )));
    }
    // What the store knows counts: an interval goes on from its last fire, and a paused job does not fire.
    let stored = match args.after {
        None => args
            .place
            .open_store()
            .and_then(|(store, _)| store.jobs().map_err(Failure::new))
            .unwrap_or_default(),
        Some(_) => Vec::new(),
    };
    let mut coming = Vec::new();
    for job in jobs.values().filter(|job| args.job.as_ref().is_none_or(|id| *id == job.id)) {
        let known = stored.iter().find(|record| record.job.id == job.id && record.job.trigger == job.trigger);
        match known {
            Some(record) if record.paused.is_some() => eprintln!("job {} is paused", job.id),
            Some(record) if record.next_fire.is_none() => {}
            known => {
                let next = known.and_then(|record| record.next_fire);
                coming.extend(fires(&job.trigger, Some(&job.id), next, now, args.count));
            }
        }
    }
    let declared = |id: &JobId| jobs.contains_key(id);
    for record in stored.iter().filter(|record| !record.job.source.is_reloaded() && !declared(&record.job.id))
    {
        if let (Some(next), None, None) = (record.next_fire, &record.paused, &args.job) {
            coming.extend(fires(&record.job.trigger, Some(&record.job.id), Some(next), now, args.count));
        }
    }
    coming.sort_by(|a, b| (a.fire, &a.job).cmp(&(b.fire, &b.job)));
    coming.truncate(args.count);
    show(&coming, now, args.output)
}

fn show(coming: &[Coming], now: Timestamp, output: Output) -> Result<(), Failure> {
    if output.json {
        let value = |coming: &Coming| {
            let fire = local_time(coming.fire, coming.zone).to_rfc3339();
            match &coming.job {
                Some(job) => json!({ "job": job, "fire": fire, "timezone": coming.zone.name() }),
                None => json!({ "fire": fire, "timezone": coming.zone.name() }),
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
        text::table(["FIRE", "ZONE", "IN", "JOB"])
    } else {
        text::table(["FIRE", "ZONE", "IN"])
    };
    for Coming { fire, job, zone } in coming {
        let mut row = vec![text::local(*fire, *zone), zone.name().to_owned(), text::distance(*fire, now)];
        row.extend(job.as_ref().map(ToString::to_string));
        table.add_row(row);
    }
    print(&text::lines(&table))
}

/// One answer a line; a bad line is answered with an error and the rest goes on.
fn answer_lines() -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let now = Clock::system().now();
    let failed = |error: std::io::Error| Failure::new(format!("stdout: {error}"));
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Failure::new(format!("stdin: {error}")))?;
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        match writeln!(out, "{}", jsonl::answer(&line, now)) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            done => done.map_err(failed)?,
        }
    }
    out.flush().map_err(failed)
}
