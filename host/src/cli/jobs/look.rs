//! `clockbox jobs list` and `show`: asked of the host; of the store when none runs.

use chrono_tz::Tz;
use clap::{Args, ValueEnum};
use clockbox_core::model::{JobId, JobRecord, PluginName, PoolName, Timestamp};
use clockbox_store::{JobFilter, JobStore};
use serde_json::Value;

use crate::{
    cli::{
        Output,
        ask::{Host, HostArgs, part, query},
        exit::{Failure, print, print_json},
        text,
    },
    clock::Clock,
    control::{Fires, JobPage, view::JobView},
    manifest::suggest,
};

/// Jobs that are asked for at one time.
const PAGE: u32 = 1000;
/// Fires to come that are shown of one job.
const FIRES: usize = 5;

#[derive(Debug, Default, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    host: HostArgs,
    /// Only jobs whose names begin so.
    #[arg(long)]
    prefix: Option<String>,
    /// Only jobs of this plugin.
    #[arg(long)]
    plugin: Option<PluginName>,
    /// Only jobs in this pool.
    #[arg(long)]
    pool: Option<PoolName>,
    /// Only jobs that are paused (true), or that are not (false).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    paused: Option<bool>,
    /// Only jobs that come from here.
    #[arg(long, value_enum)]
    source: Option<Origin>,
    /// At most so many; all of them if nothing is said.
    #[arg(short = 'n', long, value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    #[command(flatten)]
    output: Output,
}

/// Where a job comes from.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Origin {
    Manifest,
    Folder,
    Api,
    Job,
}

impl Origin {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Folder => "folder",
            Self::Api => "api",
            Self::Job => "job",
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The job.
    job: JobId,
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    output: Output,
}

pub(super) fn list(args: &ListArgs) -> Result<(), Failure> {
    let most = args.limit.unwrap_or(u32::MAX);
    let jobs = match args.host.host_or_store()? {
        Some(mut host) => args.asked(&mut host, most)?,
        None => {
            let (store, _) = args.host.place.open_store()?;
            let filter = JobFilter {
                prefix: args.prefix.clone(),
                plugin: args.plugin.clone(),
                pool: args.pool.clone(),
                paused: args.paused,
                source: args.source.map(Origin::name),
                limit: args.limit,
                after: None,
            };
            let records = store.jobs_matching(&filter).map_err(Failure::new)?;
            records.iter().map(JobView::new).collect()
        }
    };
    if args.output.json {
        return print_json(&jobs);
    }
    if jobs.is_empty() {
        eprintln!("no jobs that match");
        return Ok(());
    }
    let now = Clock::system().now();
    let mut table = text::table(["JOB", "PLUGIN", "SCHEDULE", "NEXT", "IN", "POOL", "SOURCE", "NOTE"]);
    for job in &jobs {
        let next = job.next_fire.filter(|_| job.paused.is_none());
        table.add_row([
            job.name.clone(),
            job.keys.plugin.clone().unwrap_or_default(),
            job.schedule.clone(),
            next.map(|at| text::local(at, own_zone(job))).unwrap_or_default(),
            next.map(|at| text::distance(at, now)).unwrap_or_default(),
            job.keys.pool.clone().unwrap_or_default(),
            job.source.clone(),
            note(job),
        ]);
    }
    print(&text::lines(&table))
}

/// What is out of the ordinary about a job.
fn note(job: &JobView) -> String {
    let paused = job.paused.as_ref().map(|pause| match &pause.note {
        Some(note) => format!("paused: {}", text::plain(&text::first_line(note, 60))),
        None => "paused".to_owned(),
    });
    let modified = job.modified.then(|| "modified".to_owned());
    paused.into_iter().chain(modified).collect::<Vec<_>>().join(", ")
}

impl ListArgs {
    /// Page by page, for as long as there is another one.
    fn asked(&self, host: &mut Host, most: u32) -> Result<Vec<JobView>, Failure> {
        let mut jobs: Vec<JobView> = Vec::new();
        let mut after: Option<String> = None;
        let paused = self.paused.map(|paused| paused.to_string());
        loop {
            let found = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
            let limit = most.saturating_sub(found).min(PAGE).to_string();
            let page: JobPage = host.get(&format!(
                "/v1/jobs{}",
                query(&[
                    ("after", after.as_deref()),
                    ("limit", Some(&limit)),
                    ("prefix", self.prefix.as_deref()),
                    ("plugin", self.plugin.as_ref().map(PluginName::as_str)),
                    ("pool", self.pool.as_ref().map(PoolName::as_str)),
                    ("paused", paused.as_deref()),
                    ("source", self.source.map(Origin::name)),
                ])
            ))?;
            jobs.extend(page.jobs);
            after = page.next;
            let is_enough = u32::try_from(jobs.len()).is_ok_and(|found| found >= most);
            if after.is_none() || is_enough {
                return Ok(jobs);
            }
        }
    }
}

/// Every job of a host that is paused.
pub(in crate::cli) fn paused_jobs(host: &mut Host) -> Result<Vec<JobView>, Failure> {
    ListArgs { paused: Some(true), ..ListArgs::default() }.asked(host, u32::MAX)
}

/// Every job of a host.
pub(in crate::cli) fn every_job(host: &mut Host) -> Result<Vec<JobView>, Failure> {
    ListArgs::default().asked(host, u32::MAX)
}

/// The time zone of a job, which its times are shown in.
pub(super) fn own_zone(job: &JobView) -> Tz {
    job.timezone.parse().unwrap_or(Tz::UTC)
}

/// The time zone of the host, which times are shown in.
pub(in crate::cli) fn zone_of(host: &mut Host) -> Result<Tz, Failure> {
    let status: Value = host.get("/v1/status")?;
    Ok(status["timezone"].as_str().and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC))
}

pub(super) fn show(args: &ShowArgs) -> Result<(), Failure> {
    let (job, fires) = match args.host.host_or_store()? {
        Some(mut host) => {
            let path = format!("/v1/jobs/{}", part(args.job.as_str()));
            let job: JobView = match host.find(&path)? {
                Some(job) => job,
                None => return Err(unknown(&args.job, &names_at(&mut host)?)),
            };
            let next: Fires = host.get(&format!("{path}/next?limit={FIRES}"))?;
            (job, next.fires)
        }
        None => {
            let (store, _) = args.host.place.open_store()?;
            let record = recorded(&*store, &args.job)?;
            let now = Clock::system().now();
            let fires = record.fires_from(now).take(FIRES).collect();
            (JobView::new(&record), fires)
        }
    };
    if args.output.json {
        return print_json(&job);
    }
    print(&shown(&job, &fires, Clock::system().now()))
}

fn recorded(store: &dyn JobStore, id: &JobId) -> Result<JobRecord, Failure> {
    let records = store.jobs().map_err(Failure::new)?;
    match records.iter().find(|record| record.job.id == *id) {
        Some(record) => Ok(record.clone()),
        None => {
            let names: Vec<String> = records.iter().map(|record| record.job.id.to_string()).collect();
            Err(unknown(id, &names))
        }
    }
}

/// Names that are like the one that is not there.
pub(in crate::cli) fn names_at(host: &mut Host) -> Result<Vec<String>, Failure> {
    let page: JobPage = host.get(&format!("/v1/jobs?limit={PAGE}"))?;
    Ok(page.jobs.into_iter().map(|job| job.name).collect())
}

pub(in crate::cli) fn unknown(id: &JobId, names: &[String]) -> Failure {
    let failure = Failure::no(format!("there is no job {:?}", id.as_str()));
    if names.is_empty() {
        return failure.hint("there are no jobs at all");
    }
    failure.hint(suggest::hint("jobs", id.as_str(), names.iter().map(String::as_str)))
}

/// A job for people: a line for each key, then its fires to come.
pub(super) fn shown(job: &JobView, fires: &[Timestamp], now: Timestamp) -> String {
    let zone = own_zone(job);
    let mut out = String::new();
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push_str(&format!("{key:<14} {}\n", text::plain(&value)));
        }
    };
    line("job", Some(job.name.clone()));
    line("schedule", Some(format!("{} ({})", job.schedule, job.timezone)));
    let source = match &job.added_by {
        Some(adder) => format!("{}: added by {} ({})", job.source, adder.job, adder.plugin),
        None => job.source.clone(),
    };
    let modified = if job.modified { ", modified since" } else { "" };
    line("source", Some(format!("{source}{modified}")));
    line(
        "paused",
        job.paused.as_ref().map(|pause| {
            let by = pause.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let note = pause.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            format!("since {}{by}{note}", text::local(pause.at, zone))
        }),
    );
    let keys = serde_json::to_value(&job.keys).unwrap_or_default();
    for (key, value) in keys.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        line(key, Some(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)));
    }
    line("last fire", job.last_fire.map(|at| text::local(at, zone)));
    line("last success", job.last_success.map(|at| text::local(at, zone)));
    if job.paused.is_some() {
        line(
            "next",
            Some("nothing while it is paused; these are caught up or missed by its policy:".to_owned()),
        );
    }
    for (n, fire) in fires.iter().enumerate() {
        let key = if n == 0 && job.paused.is_none() { "next" } else { "" };
        line(key, Some(format!("{} ({})", text::local(*fire, zone), text::distance(*fire, now))));
    }
    if fires.is_empty() {
        line("next", Some("never".to_owned()));
    }
    line("etag", Some(job.etag.trim_matches('"').to_owned()));
    out
}
