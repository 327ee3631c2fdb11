//! Where one job's state is looked at and changed: at a running host, or in the store.

use std::{collections::BTreeMap, time::Duration};

use chrono_tz::Tz;
use clockbox_core::model::{
    JobId, Limits, Refusal, StateChanges, StateEntry, Timestamp, Write, check_state_key, format_duration,
};
use clockbox_store::{Access, JobStore};
use http::Method;
use serde_json::json;

use crate::{
    cli::{
        ask::{Host, HostArgs, part},
        exit::Failure,
        jobs::zone_of,
        place::{NamedStore, Place},
    },
    clock::Clock,
    control::StateView,
    manifest::suggest,
};

/// One job's state.
pub(super) struct Desk {
    keeper: Keeper,
    pub(super) job: JobId,
    /// What it was when it was looked at.
    pub(super) state: StateView,
    /// The zone in which times are shown.
    pub(super) zone: Tz,
}

enum Keeper {
    Host(Host),
    Store(Table),
}

/// The state in a store.
struct Table {
    store: NamedStore,
    limit: u64,
    now: Timestamp,
}

impl Desk {
    pub(super) fn open(args: &HostArgs, job: &JobId) -> Result<Self, Failure> {
        match args.host_or_store()? {
            Some(host) => Self::at_host(host, job),
            None => Self::in_store(&args.place, job),
        }
    }

    fn at_host(mut host: Host, job: &JobId) -> Result<Self, Failure> {
        let state = host.get(&path(job, None))?;
        let zone = zone_of(&mut host)?;
        Ok(Self { keeper: Keeper::Host(host), job: job.clone(), state, zone })
    }

    fn in_store(place: &Place, job: &JobId) -> Result<Self, Failure> {
        let now = Clock::system().now();
        let named = place.store()?;
        let store = clockbox_store::open(&named.url, &named.folder, Access::ReadOnly).map_err(Failure::no)?;
        let kept = store.state(job, now).map_err(Failure::new)?;
        let limit = limit(place, &*store, job)?;
        let state = StateView::new(&kept, now, limit);
        let zone = named.zone;
        Ok(Self { keeper: Keeper::Store(Table { store: named, limit, now }), job: job.clone(), state, zone })
    }

    pub(super) fn set(&mut self, key: &str, value: &str, ttl: Option<Duration>) -> Result<(), Failure> {
        check_state_key(key).map_err(Failure::new)?;
        match &mut self.keeper {
            Keeper::Host(host) => {
                let body = json!({ "value": value, "ttl": ttl.map(format_duration) });
                host.send(Method::PUT, &path(&self.job, Some(key)), Some(&body)).map(drop)
            }
            Keeper::Store(table) => {
                let expires_at = expiry(table.now, ttl)?;
                let entry = StateEntry { value: value.as_bytes().into(), expires_at };
                table.change(&self.job, [(key.to_owned(), Some(entry))].into())
            }
        }
    }

    pub(super) fn delete(&mut self, key: &str) -> Result<(), Failure> {
        match &mut self.keeper {
            Keeper::Host(host) => host.send(Method::DELETE, &path(&self.job, Some(key)), None).map(drop),
            Keeper::Store(table) => table.change(&self.job, [(key.to_owned(), None)].into()),
        }
    }

    pub(super) fn clear(&mut self) -> Result<(), Failure> {
        match &mut self.keeper {
            Keeper::Host(host) => host.send(Method::DELETE, &path(&self.job, None), None).map(drop),
            Keeper::Store(table) => {
                let keys = self.state.entries.iter().map(|entry| entry.key.clone());
                table.change(&self.job, keys.map(|key| (key, None)).collect())
            }
        }
    }
}

impl Table {
    /// Changes what is stored in one transaction.
    fn change(&self, job: &JobId, put: BTreeMap<String, Option<StateEntry>>) -> Result<(), Failure> {
        let changes = Box::new(StateChanges { put, limit: self.limit, ..StateChanges::default() });
        let write = Write::State { job: job.clone(), changes, at: self.now };
        let answer = clockbox_store::edit(&self.store.url, &self.store.folder, &write);
        match answer.map_err(Failure::new)? {
            Ok(()) => Ok(()),
            Err(Refusal::NoSuchJob) => Err(no_job(job, &[])),
            Err(refusal) => Err(Failure::no(refusal)),
        }
    }
}

fn path(job: &JobId, key: Option<&str>) -> String {
    let state = format!("/v1/jobs/{}/state", part(job.as_str()));
    key.map_or_else(|| state.clone(), |key| format!("{state}/{}", part(key)))
}

fn expiry(now: Timestamp, ttl: Option<Duration>) -> Result<Option<Timestamp>, Failure> {
    let Some(ttl) = ttl else { return Ok(None) };
    let later = chrono::TimeDelta::from_std(ttl).ok().and_then(|later| now.checked_add_signed(later));
    later
        .map(Some)
        .ok_or_else(|| Failure::new("that is beyond the calendar").hint("leave --ttl out: it never expires"))
}

/// `limits.state` of the job's plugin; and whether there is such a job at all.
fn limit(place: &Place, store: &dyn JobStore, job: &JobId) -> Result<u64, Failure> {
    let records = store.jobs().map_err(Failure::new)?;
    let Some(record) = records.iter().find(|record| record.job.id == *job) else {
        let names: Vec<&str> = records.iter().map(|record| record.job.id.as_str()).collect();
        return Err(no_job(job, &names));
    };
    // A manifest with problems does not hide the state.
    let loaded = place.load().ok();
    let spec = loaded.as_ref().and_then(|loaded| loaded.manifest.plugins.get(&record.job.plugin));
    Ok(spec.map_or_else(|| Limits::default().state, |spec| spec.limits.state))
}

fn no_job(job: &JobId, names: &[&str]) -> Failure {
    let failure = Failure::no(format!("there is no job {:?} in the store", job.as_str()));
    if names.is_empty() {
        return failure.hint("a job is stored when the host starts with it");
    }
    failure.hint(suggest::hint("jobs", job.as_str(), names.iter().copied()))
}
