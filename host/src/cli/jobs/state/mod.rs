//! `clockbox jobs state`: what jobs remember, to look at and to change by hand: asked of the host, or of the store when none
//! runs.

mod desk;

use std::io::{self, Write as _};

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use clockbox_core::model::{JobId, format_size, parse_duration};

use self::desk::Desk;
use crate::{
    cli::{
        Output,
        ask::HostArgs,
        exit::{Failure, print, print_json},
        text,
    },
    control::view::EntryView,
    manifest::suggest,
};

#[derive(Debug, Args)]
pub(super) struct StateArgs {
    /// The job.
    job: JobId,
    #[command(flatten)]
    host: HostArgs,
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
    host: HostArgs,
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
    host: HostArgs,
    /// It expires after this long (`2h`).
    #[arg(long, value_name = "DURATION")]
    ttl: Option<String>,
}

#[derive(Debug, Args)]
struct ClearArgs {
    #[command(flatten)]
    host: HostArgs,
}

pub(super) fn state(args: &StateArgs) -> Result<(), Failure> {
    // The host may be named before what is to be done or after it.
    let open = |of: &HostArgs| Desk::open(&of.or(&args.host), &args.job);
    match &args.command {
        None => list(&open(&args.host)?, args.output),
        Some(StateCommand::Get(get)) => {
            let json = get.output.json || args.output.json;
            show(entry(&open(&get.host)?, &get.key)?, Output { json })
        }
        Some(StateCommand::Set(set)) => {
            let ttl = set.ttl.as_deref().map(parse_duration).transpose().map_err(Failure::new)?;
            open(&set.host)?.set(&set.key, &set.value, ttl)
        }
        Some(StateCommand::Delete(delete)) => {
            let mut desk = open(&delete.host)?;
            entry(&desk, &delete.key)?;
            desk.delete(&delete.key)
        }
        Some(StateCommand::Clear(clear)) => open(&clear.host)?.clear(),
    }
}

fn entry<'a>(desk: &'a Desk, key: &str) -> Result<&'a EntryView, Failure> {
    let entries = &desk.state.entries;
    entries.iter().find(|entry| entry.key == key).ok_or_else(|| {
        let hint = suggest::hint("keys", key, entries.iter().map(|entry| entry.key.as_str()));
        Failure::no(format!("job {:?} has no key {key:?}", desk.job.as_str())).hint(hint)
    })
}

fn list(desk: &Desk, output: Output) -> Result<(), Failure> {
    let state = &desk.state;
    if output.json {
        return print_json(&state.entries);
    }
    if state.entries.is_empty() {
        eprintln!("job {:?} remembers nothing", desk.job.as_str());
        return Ok(());
    }
    let mut table = text::table(["KEY", "SIZE", "EXPIRES", "VALUE"]);
    for entry in &state.entries {
        table.add_row([
            entry.key.clone(),
            format_size(entry.size as u64),
            expires(entry, desk.zone),
            readable(entry),
        ]);
    }
    print(&text::lines(&table))?;
    eprintln!("{} of {}", format_size(state.size), format_size(state.limit));
    Ok(())
}

fn show(entry: &EntryView, output: Output) -> Result<(), Failure> {
    if output.json {
        return print_json(entry);
    }
    let mut bytes = entry.bytes().ok_or_else(|| Failure::new("the host's answer is not understood"))?;
    if str::from_utf8(&bytes).is_ok_and(|text| !text.ends_with('\n')) {
        bytes.push(b'\n');
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(&bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| Failure::new(format!("stdout: {error}"))),
    }
}

fn expires(entry: &EntryView, zone: Tz) -> String {
    entry.expires_at.map(|at| text::local(at, zone)).unwrap_or_default()
}

/// The beginning of a value that is text; anything else is not for a terminal.
fn readable(entry: &EntryView) -> String {
    match &entry.value {
        Some(text) if !text.contains(|c: char| c.is_control() && !c.is_whitespace()) => {
            text::first_line(text, 60)
        }
        _ => "(not text)".to_owned(),
    }
}
