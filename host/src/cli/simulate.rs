//! `clockbox simulate`: what would fire in a window of time, and how the load is spread.

use std::{fmt::Write as _, time::Duration};

use chrono::{DateTime, FixedOffset, TimeDelta};
use chrono_tz::Tz;
use clap::Args;
use clockbox_core::{
    model::{JobId, Timestamp, parse_duration},
    trigger::{local_time, parse_time},
};
use serde_json::{Value, json};

use super::{
    Output,
    exit::{Failure, print, print_json},
    next::load,
    place::Place,
    planned, text,
};
use crate::{
    clock::Clock,
    manifest::count,
    simulation::{Fire, Hour, Minute, Simulation},
};

/// How many of the busiest minutes are shown.
const BUSIEST: usize = 5;
/// Up to so many hours have a line each; a longer window has a line for each day.
const HOUR_LINES: usize = 48;
const BAR: usize = 40;

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    #[command(flatten)]
    place: Place,
    /// The begin: 2030-11-06, "2030-11-06 16:30:05" or 2030-11-06T16:30:05Z; now if nothing is said. With it, what the
    /// store knows is left aside.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The end, which is not part of the window: at most ten years after the begin.
    #[arg(long, value_name = "TIME", conflicts_with = "span")]
    to: Option<String>,
    /// The length of the window, such as 36h or 7d; 24h if nothing is said.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    span: Option<Duration>,
    /// Only this job. May be given more than once.
    #[arg(long)]
    job: Vec<JobId>,
    /// How many fires the table lists; --json and --ical have all.
    #[arg(short = 'n', long, default_value_t = 20)]
    count: usize,
    /// Print an iCalendar file, an event for each fire.
    #[arg(long, conflicts_with = "json")]
    ical: bool,
    #[command(flatten)]
    output: Output,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

pub(super) fn simulate(args: &SimulateArgs) -> Result<(), Failure> {
    let manifest = load(&args.place)?.manifest;
    let zone = manifest.scheduler.timezone;
    let now = Clock::system().now();
    let time = |text: &String| parse_time(text, zone).map_err(Failure::refused);
    let from = args.from.as_ref().map_or(Ok(now), time)?;
    let span = args.span.unwrap_or(Duration::from_secs(86_400));
    let to = match &args.to {
        Some(to) => time(to)?,
        None => TimeDelta::from_std(span).ok().and_then(|span| from.checked_add_signed(span)).ok_or_else(
            || Failure::new("the window ends beyond the end of time").hint("give a shorter --for"),
        )?,
    };
    let planned = planned::jobs(&args.place, &manifest, &args.job, args.from.is_none())?;
    let simulation = Simulation::new(planned, from, to).map_err(Failure::new)?;
    if args.ical {
        return print(&simulation.to_ical(now));
    }
    if args.output.json {
        return print_json(&as_json(&simulation, zone));
    }
    print(&as_text(&simulation, zone, args.count))
}

fn as_json(simulation: &Simulation, zone: Tz) -> Value {
    let local = |at: Timestamp| local_time(at, zone).to_rfc3339();
    let fire = |fire: &Fire| {
        let planned = simulation.job_of(fire);
        let own = planned.trigger.zone();
        json!({ "job": planned.job, "fire": local_time(fire.at, own).to_rfc3339(), "timezone": own.name() })
    };
    let by_job = simulation.by_job();
    let jobs = simulation.planned.iter().zip(by_job).map(|(planned, (fires, first, last))| {
        json!({
            "job": planned.job, "trigger": planned.trigger.describe(), "fires": fires,
            "first": first.map(local), "last": last.map(local),
        })
    });
    let hour = |hour: &Hour| json!({ "begin": hour.begin.to_rfc3339(), "fires": hour.fires });
    let minute = |minute: &Minute| {
        let jobs = minute.jobs.iter().map(|(job, fires)| json!({ "job": job, "fires": fires }));
        json!({ "begin": local(minute.begin), "fires": minute.fires, "jobs": jobs.collect::<Vec<_>>() })
    };
    json!({
        "from": local(simulation.from),
        "to": local(simulation.to),
        "timezone": zone.name(),
        "fires": simulation.fires.iter().map(fire).collect::<Vec<_>>(),
        "jobs": jobs.collect::<Vec<_>>(),
        "hours": simulation.hours(zone).iter().map(hour).collect::<Vec<_>>(),
        "busiest_minutes": simulation.busiest_minutes(BUSIEST).iter().map(minute).collect::<Vec<_>>(),
    })
}

// Writing to a String cannot fail.
fn as_text(simulation: &Simulation, zone: Tz, most: usize) -> String {
    let mut out = String::new();
    let (total, jobs) = (simulation.fires.len(), simulation.planned.len());
    _ = writeln!(
        out,
        "{} to {} ({zone}): {} of {}",
        text::local(simulation.from, zone),
        text::local(simulation.to, zone),
        count(total, "fire"),
        count(jobs, "job"),
    );
    if total > 0 && most > 0 {
        out.push('\n');
        out.push_str(&fires(simulation, most));
    }
    out.push('\n');
    out.push_str(&by_job(simulation));
    if total > 0 {
        let hours = simulation.hours(zone);
        _ = writeln!(out, "\nruns that begin in each hour ({zone})");
        out.push_str(&if hours.len() <= HOUR_LINES { bars(&hours) } else { days(&hours) });
        _ = writeln!(out, "\nbusiest minutes");
        for minute in simulation.busiest_minutes(BUSIEST) {
            _ = writeln!(out, "  {}", busy(&minute, zone));
        }
    }
    out
}

fn fires(simulation: &Simulation, most: usize) -> String {
    let mut table = text::table(["FIRE", "ZONE", "JOB"]);
    for fire in simulation.fires.iter().take(most) {
        let planned = simulation.job_of(fire);
        let zone = planned.trigger.zone();
        table.add_row([text::local(fire.at, zone), zone.name().to_owned(), planned.job.to_string()]);
    }
    let mut out = text::lines(&table);
    let more = simulation.fires.len().saturating_sub(most);
    if more > 0 {
        _ = writeln!(out, "… and {more} more: -n shows more, --json has all");
    }
    out
}

fn by_job(simulation: &Simulation) -> String {
    let mut table = text::table(["JOB", "FIRES", "FIRST", "LAST", "TRIGGER"]);
    for (planned, (fires, first, last)) in simulation.planned.iter().zip(simulation.by_job()) {
        let local = |at: Option<Timestamp>| {
            at.map_or_else(|| "-".to_owned(), |at| text::local(at, planned.trigger.zone()))
        };
        let cells = [fires.to_string(), local(first), local(last), planned.trigger.describe()];
        table.add_row([vec![planned.job.to_string()], cells.to_vec()].concat());
    }
    text::lines(&table)
}

/// A line for each hour.
fn bars(hours: &[Hour]) -> String {
    let most = hours.iter().map(|hour| hour.fires).max().unwrap_or(0).max(1) as usize;
    let mut out = String::new();
    for hour in hours {
        let fires = hour.fires as usize;
        let bar = "█".repeat((fires * BAR).div_ceil(most));
        let line = format!("  {}  {fires:>7}  {bar}", hour.begin.format("%Y-%m-%d %H:%M %:z"));
        _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// A line for each day, with a mark for each of its hours.
fn days(hours: &[Hour]) -> String {
    let most = hours.iter().map(|hour| hour.fires).max().unwrap_or(0).max(1);
    let mut out = String::from("              0     6     12    18\n");
    for day in hours.chunk_by(|a, b| a.begin.date_naive() == b.begin.date_naive()) {
        let Some(first) = day.first() else { continue };
        let blank = " ".repeat(hour_number(&first.begin));
        let marks: String = day.iter().map(|hour| mark(hour.fires, most)).collect();
        let total: u64 = day.iter().map(|hour| u64::from(hour.fires)).sum();
        // A day of 25 hours has 25 marks.
        _ = writeln!(out, "  {}  {:25}  {total:>7}", first.begin.format("%Y-%m-%d"), blank + &marks);
    }
    _ = writeln!(out, "  · none, ▁ up to an eighth of the busiest hour ({most}), █ close to it");
    out
}

fn hour_number(begin: &DateTime<FixedOffset>) -> usize {
    use chrono::Timelike;
    begin.hour() as usize
}

fn mark(fires: u32, most: u32) -> char {
    const MARKS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let eighths = (u64::from(fires) * 8).div_ceil(u64::from(most));
    usize::try_from(eighths).ok().and_then(|n| MARKS.get(n)).copied().unwrap_or('█')
}

fn busy(minute: &Minute, zone: Tz) -> String {
    const MOST: usize = 4;
    let named = minute.jobs.iter().take(MOST).map(|(job, fires)| match fires {
        1 => job.to_string(),
        _ => format!("{job} ×{fires}"),
    });
    let mut jobs = named.collect::<Vec<_>>().join(", ");
    if minute.jobs.len() > MOST {
        _ = write!(jobs, " and {} more", minute.jobs.len() - MOST);
    }
    let begin = local_time(minute.begin, zone).format("%Y-%m-%d %H:%M %:z");
    format!("{begin}  {:>7}  {jobs}", minute.fires)
}
