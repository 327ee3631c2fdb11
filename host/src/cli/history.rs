//! Where runs are read: of a running host, or of the store that the last one left.

use std::{fmt::Display, sync::Arc};

use chrono_tz::Tz;
use clockbox_core::model::{JobId, RunId};
use clockbox_store::{JobStore, RunDetail, RunFilter};

use super::{
    ask::{Host, HostArgs, part, query},
    exit::Failure,
    jobs::{every_job, zone_of},
};
use crate::{
    control::{
        Lines, RunPage,
        view::{LogView, RunDetailView, RunView},
    },
    manifest::suggest,
};

/// Runs that are asked for at one time.
const PAGE: u32 = 1000;

/// The history, asked of a host or read in the store: what it says is the same.
pub(super) struct History {
    from: From,
    /// The zone that times are shown in.
    pub(super) zone: Tz,
}

enum From {
    Host(Box<Host>),
    Store(Arc<dyn JobStore>),
}

impl History {
    /// The host's, where one runs or is named; else the store's.
    pub(super) fn open(args: &HostArgs) -> Result<Self, Failure> {
        match Self::of_host(args) {
            Ok(Some(history)) => return Ok(history),
            Ok(None) => {}
            Err(failure) if args.is_of_manifest() => {
                // The store is beside it, and says the same.
                eprintln!("note: the host is not asked: {}", failure.message());
            }
            Err(failure) => return Err(failure),
        }
        let (store, zone) = args.place.open_store()?;
        Ok(Self { from: From::Store(store), zone })
    }

    fn of_host(args: &HostArgs) -> Result<Option<Self>, Failure> {
        let Some(mut host) = args.host_or_store()? else { return Ok(None) };
        let zone = zone_of(&mut host)?;
        Ok(Some(Self { from: From::Host(Box::new(host)), zone }))
    }

    /// The runs that match, newest first.
    pub(super) fn runs(&mut self, filter: &RunFilter) -> Result<Vec<RunView>, Failure> {
        match &mut self.from {
            From::Store(store) => {
                Ok(store.runs(filter).map_err(Failure::new)?.iter().map(RunView::new).collect())
            }
            From::Host(host) => pages(host, filter),
        }
    }

    /// A run with its attempts; `None` when it is not on record.
    pub(super) fn run(&mut self, id: RunId) -> Result<Option<RunDetailView>, Failure> {
        match &mut self.from {
            From::Host(host) => host.find(&format!("/v1/runs/{id}")),
            From::Store(store) => {
                let found = store.run(id).map_err(Failure::new)?;
                Ok(found.map(|RunDetail { run, attempts }| RunDetailView::new(&run, &attempts)))
            }
        }
    }

    /// The log of a run, or of one attempt.
    pub(super) fn logs(&mut self, id: RunId, attempt: Option<u32>) -> Result<Vec<LogView>, Failure> {
        match &mut self.from {
            From::Host(host) => {
                let attempt = attempt.map(|attempt| attempt.to_string());
                let lines: Lines =
                    host.get(&format!("/v1/runs/{id}/logs{}", query(&[("attempt", attempt.as_deref())])))?;
                Ok(lines.logs)
            }
            From::Store(store) => {
                let lines = store.logs(id, attempt).map_err(Failure::new)?;
                Ok(lines.iter().map(LogView::new).collect())
            }
        }
    }

    /// The host, where one is asked.
    pub(super) fn host(&mut self) -> Option<&mut Host> {
        match &mut self.from {
            From::Host(host) => Some(host),
            From::Store(_) => None,
        }
    }

    /// The run with this id, or the only one whose id starts so.
    pub(super) fn find(&mut self, text: &str) -> Result<RunId, Failure> {
        match &mut self.from {
            From::Host(host) => find_at(host, text),
            From::Store(store) => found(text, |ids| {
                let filter = RunFilter { ids: Some(ids), limit: Some(2), ..RunFilter::default() };
                Ok(store.runs(&filter).map_err(Failure::new)?.iter().map(RunView::new).collect())
            }),
        }
    }

    /// Refuses a job that nobody has heard of: there is none, nor is a run of one on record.
    pub(super) fn knows(&mut self, job: &JobId) -> Result<(), Failure> {
        let names: Vec<String> = match &mut self.from {
            From::Host(host) => {
                let path = format!("/v1/jobs/{}", part(job.as_str()));
                if host.find::<serde_json::Value>(&path)?.is_some() {
                    return Ok(());
                }
                every_job(host)?.into_iter().map(|job| job.name).collect()
            }
            From::Store(store) => {
                let jobs = store.jobs().map_err(Failure::new)?;
                jobs.into_iter().map(|record| record.job.id.to_string()).collect()
            }
        };
        if names.iter().any(|name| name == job.as_str()) {
            return Ok(());
        }
        let any = RunFilter { job: Some(job.clone()), limit: Some(1), ..RunFilter::default() };
        if !self.runs(&any)?.is_empty() {
            return Ok(());
        }
        let hint = suggest::hint("jobs", job.as_str(), names.iter().map(String::as_str));
        Err(Failure::no(format!("there is no job {:?}, and no run of one on record", job.as_str()))
            .hint(hint))
    }
}

/// The run of a host with this id, or the only one whose id starts so.
pub(super) fn find_at(host: &mut Host, text: &str) -> Result<RunId, Failure> {
    let path = format!("/v1/runs{}", query(&[("prefix", Some(text)), ("limit", Some("2"))]));
    found(text, |_| Ok(host.get::<RunPage>(&path)?.runs))
}

fn found(
    text: &str,
    starting: impl FnOnce((RunId, RunId)) -> Result<Vec<RunView>, Failure>,
) -> Result<RunId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    // Wrong usage, as a name is that no job can have.
    let bad = || {
        Failure::new(format!("{text:?} is not the beginning of a run id"))
            .hint("an id has 13 digits and letters; `clockbox runs list` has them")
    };
    let ids = RunId::range_of_prefix(&text.to_ascii_lowercase()).ok_or_else(bad)?;
    match starting(ids)?.as_slice() {
        [] => Err(Failure::no(format!("no run id on record starts with {text:?}"))),
        [run] => run.id.parse().map_err(Failure::new),
        _ => Err(Failure::no(format!("more than one run id starts with {text:?}")).hint("give more of it")),
    }
}

/// Page by page, for as long as there is another one.
fn pages(host: &mut Host, filter: &RunFilter) -> Result<Vec<RunView>, Failure> {
    let several = |words: Vec<String>| (!words.is_empty()).then(|| words.join(","));
    let (states, outcomes) = (several(words(&filter.states)), several(words(&filter.outcomes)));
    let (since, until) = (filter.since.map(|at| at.to_rfc3339()), filter.until.map(|at| at.to_rfc3339()));
    let most = filter.limit.unwrap_or(u32::MAX);
    let mut runs: Vec<RunView> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let left = most.saturating_sub(u32::try_from(runs.len()).unwrap_or(u32::MAX));
        if left == 0 {
            return Ok(runs);
        }
        let limit = left.min(PAGE).to_string();
        let page: RunPage = host.get(&format!(
            "/v1/runs{}",
            query(&[
                ("after", after.as_deref()),
                ("limit", Some(&limit)),
                ("job", filter.job.as_ref().map(JobId::as_str)),
                ("state", states.as_deref()),
                ("outcome", outcomes.as_deref()),
                ("since", since.as_deref()),
                ("until", until.as_deref()),
            ])
        ))?;
        runs.extend(page.runs);
        after = page.next;
        if after.is_none() {
            return Ok(runs);
        }
    }
}

fn words(of: &[impl Display]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}
