//! `clockbox jobs state`: what jobs remember, to look at and to change by hand; also while the host runs.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use clockbox_core::model::{
    JobId, JobState, Limits, Refusal, StateChanges, StateEntry, Timestamp, Write, check_state_key,
    format_size, parse_duration,
};
use clockbox_store::{Access, JobStore, StoreError};
use serde_json::{Value, json};

use crate::{
    cli::{
        Output,
        exit::{Failure, print, print_json},
        place::{NamedStore, Place},
        text,
    },
    clock::Clock,
    manifest::suggest,
};

#[derive(Debug, Args)]
pub(super) struct StateArgs {
    /// The job.
    job: JobId,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    command: Option<StateCommand>,
}

#[derive(Debug, Subcommand)]
enum StateCommand {
    /// Print the value of a key.
    Get(KeyArgs),
    /// Set the value of a key.
    Set(SetArgs),
    /// Delete a key.
    Delete(KeyArgs),
    /// Delete every key.
    Clear(ClearArgs),
}

#[derive(Debug, Args)]
struct KeyArgs {
    /// The key.
    key: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct SetArgs {
    /// The key.
    key: String,
    /// The value: text, as it is.
    value: String,
    #[command(flatten)]
    place: Place,
    /// It expires after this long (`2h`).
    #[arg(long, value_name = "DURATION")]
    ttl: Option<String>,
}

#[derive(Debug, Args)]
struct ClearArgs {
    #[command(flatten)]
    place: Place,
}

pub(super) fn state(args: &StateArgs) -> Result<(), Failure> {
    // The manifest may be named before what is to be done or after it.
    let place = |of: &'_ Place| if of.is_given() { of.clone() } else { args.place.clone() };
    let open = |of: &Place| Desk::open(&place(of), &args.job);
    match &args.command {
        None => open(&args.place)?.list(args.output),
        Some(StateCommand::Get(get)) => {
            let json = get.output.json || args.output.json;
            open(&get.place)?.get(&get.key, Output { json })
        }
        Some(StateCommand::Set(set)) => open(&set.place)?.set(set),
        Some(StateCommand::Delete(delete)) => open(&delete.place)?.delete(&delete.key),
        Some(StateCommand::Clear(clear)) => open(&clear.place)?.clear(),
    }
}

/// One job's state in a store.
struct Desk {
    store: NamedStore,
    job: JobId,
    state: JobState,
    limit: u64,
    now: Timestamp,
}

impl Desk {
    fn open(place: &Place, job: &JobId) -> Result<Self, Failure> {
        let now = Clock::system().now();
        let named = place.store()?;
        let store = clockbox_store::open(&named.url, &named.folder, Access::ReadOnly).map_err(Failure::no)?;
        let state = store.state(job, now).map_err(Failure::new)?;
        let limit = limit(place, &*store, job)?;
        Ok(Self { store: named, job: job.clone(), state, limit, now })
    }

    fn entry(&self, key: &str) -> Result<&StateEntry, Failure> {
        self.state.get(key, self.now).ok_or_else(|| {
            let hint = suggest::hint("keys", key, self.state.0.keys().map(String::as_str));
            Failure::no(format!("job {:?} has no key {key:?}", self.job.as_str())).hint(hint)
        })
    }

    fn list(&self, output: Output) -> Result<(), Failure> {
        if output.json {
            let entries = self.state.0.iter().map(|(key, entry)| as_json(key, entry));
            return print_json(&entries.collect::<Vec<_>>());
        }
        if self.state.0.is_empty() {
            eprintln!("job {:?} remembers nothing", self.job.as_str());
            return Ok(());
        }
        let mut table = text::table(["KEY", "SIZE", "EXPIRES", "VALUE"]);
        for (key, entry) in &self.state.0 {
            table.add_row([
                key.clone(),
                format_size(entry.value.len() as u64),
                expires(entry, self.store.zone),
                readable(&entry.value),
            ]);
        }
        print(&text::lines(&table))?;
        let size = format_size(self.state.size(self.now));
        eprintln!("{size} of {}", format_size(self.limit));
        Ok(())
    }

    fn get(&self, key: &str, output: Output) -> Result<(), Failure> {
        let entry = self.entry(key)?;
        if output.json {
            return print_json(&as_json(key, entry));
        }
        let mut bytes = entry.value.to_vec();
        if str::from_utf8(&bytes).is_ok_and(|text| !text.ends_with('\n')) {
            bytes.push(b'\n');
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(&bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done.map_err(|error| Failure::new(format!("stdout: {error}"))),
        }
    }

    fn set(&self, args: &SetArgs) -> Result<(), Failure> {
        check_state_key(&args.key).map_err(Failure::new)?;
        let ttl = args.ttl.as_deref().map(parse_duration).transpose().map_err(Failure::new)?;
        let expires_at = ttl
            .map(|ttl| {
                let later = chrono::TimeDelta::from_std(ttl).ok();
                later.and_then(|later| self.now.checked_add_signed(later)).ok_or_else(|| {
                    Failure::new("that is beyond the calendar").hint("leave --ttl out: it never expires")
                })
            })
            .transpose()?;
        let entry = StateEntry { value: args.value.as_bytes().into(), expires_at };
        self.change([(args.key.clone(), Some(entry))].into())
    }

    fn delete(&self, key: &str) -> Result<(), Failure> {
        self.entry(key)?;
        self.change([(key.to_owned(), None)].into())
    }

    fn clear(&self) -> Result<(), Failure> {
        self.change(self.state.0.keys().map(|key| (key.clone(), None)).collect())
    }

    /// Changes the state in one transaction: a run that has compared one of these keys, and ends later, fails for it.
    fn change(&self, put: BTreeMap<String, Option<StateEntry>>) -> Result<(), Failure> {
        let changes = Box::new(StateChanges { put, limit: self.limit, ..StateChanges::default() });
        let write = Write::State { job: self.job.clone(), changes, at: self.now };
        let answer = clockbox_store::edit(&self.store.url, &self.store.folder, &write);
        match answer.map_err(failed)? {
            Ok(()) => Ok(()),
            Err(Refusal::NoSuchJob) => Err(no_job(&self.job, &[])),
            Err(refusal) => Err(Failure::no(refusal)),
        }
    }
}

fn failed(error: StoreError) -> Failure {
    Failure::new(error)
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

fn expires(entry: &StateEntry, zone: Tz) -> String {
    entry.expires_at.map(|at| text::local(at, zone)).unwrap_or_default()
}

/// The beginning of a value that is text; anything else is not for a terminal.
fn readable(value: &[u8]) -> String {
    match str::from_utf8(value) {
        Ok(text) if !text.contains(|c: char| c.is_control() && !c.is_whitespace()) => {
            text::first_line(text, 60)
        }
        _ => "(not text)".to_owned(),
    }
}

/// The entry as a JSON object: its value as text, or in hexadecimal digits where it is none.
fn as_json(key: &str, entry: &StateEntry) -> Value {
    let mut object = json!({
        "key": key,
        "size": entry.value.len(),
        "expires_at": entry.expires_at.map(|at| at.to_rfc3339()),
    });
    match str::from_utf8(&entry.value) {
        Ok(text) => object["value"] = json!(text),
        Err(_) => {
            let digits: String = entry.value.iter().map(|byte| format!("{byte:02x}")).collect();
            object["hex"] = json!(digits);
        }
    }
    object
}
