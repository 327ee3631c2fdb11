//! `clockbox store`: is the history in good order, and a copy of it; also while the host runs.

use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use clockbox_core::model::{Timestamp, format_size};
use clockbox_store::{StoreCheck, StoreContents, StoreProblem};
use serde_json::{Value, json};

use super::{
    Output,
    exit::{Failure, print, print_json},
    place::Place,
    text,
};

#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Look the store over: its file, every row, what is in it.
    Check(CheckArgs),
    /// Write a copy of the store to a new file.
    Backup(BackupArgs),
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct BackupArgs {
    /// The file to write; it must not exist yet.
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

pub(super) fn store(args: &StoreArgs) -> Result<(), Failure> {
    match &args.command {
        StoreCommand::Check(args) => check(args),
        StoreCommand::Backup(args) => backup(args),
    }
}

fn check(args: &CheckArgs) -> Result<(), Failure> {
    let named = args.place.store()?;
    let found = clockbox_store::check(&named.url, &named.folder).map_err(Failure::new)?;
    if args.output.json {
        print_json(&as_json(&found))?;
    } else {
        print(&report(&found, named.zone))?;
    }
    let Some(worst) = found.problems.first() else { return Ok(()) };
    let failure = Failure::no("the store is not in good order");
    Err(failure.hint(remedy(&found, worst)))
}

fn as_json(found: &StoreCheck) -> Value {
    let StoreCheck { path, size, host, contents, problems } = found;
    let problems: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let text = problem.to_string();
            let message = text.strip_prefix(problem.kind()).and_then(|text| text.strip_prefix(": "));
            json!({ "kind": problem.kind(), "message": message })
        })
        .collect();
    let contents =
        contents.map(|StoreContents { jobs, runs, unfinished, attempts, state, oldest, newest }| {
            json!({
                "jobs": jobs, "runs": runs, "unfinished": unfinished, "attempts": attempts, "state": state,
                "oldest": oldest, "newest": newest,
            })
        });
    json!({
        "path": path, "size": size, "host": host, "contents": contents, "ok": problems.is_empty(),
        "problems": problems,
    })
}

fn report(found: &StoreCheck, zone: Tz) -> String {
    let mut out = String::new();
    let mut line = |key: &str, value: String| out.push_str(&format!("{key:<10} {value}\n"));
    line("store", found.path.display().to_string());
    line("size", format_size(found.size));
    line("host", found.host.clone().unwrap_or_else(|| "none is running".to_owned()));
    if let Some(contents) = found.contents {
        let time = |at: Option<Timestamp>| at.map_or("none".to_owned(), |at| text::local(at, zone));
        line("jobs", contents.jobs.to_string());
        line("runs", format!("{}, {} of them unfinished", contents.runs, contents.unfinished));
        line("attempts", contents.attempts.to_string());
        line("state", format!("{} entries of what jobs remember", contents.state));
        line("oldest", time(contents.oldest));
        line("newest", time(contents.newest));
    }
    if found.problems.is_empty() {
        line("problems", "none: the store is in good order".to_owned());
    }
    for problem in &found.problems {
        line("problem", problem.to_string().trim_end().replace('\n', "\n           "));
    }
    out
}

/// What to do about the worst of the problems.
fn remedy(found: &StoreCheck, worst: &StoreProblem) -> String {
    let path = found.path.display();
    match worst {
        StoreProblem::Unreadable(_) | StoreProblem::Dangling(_) => format!(
            "the file is sound and the host goes on without these rows; to mend them, stop the host, make a copy \
             (`clockbox store backup FILE`), and correct or delete them with `sqlite3 {path}`"
        ),
        // The only other kind there is.
        _ => {
            let stop = match &found.host {
                Some(host) => format!("stop the host ({host}), then "),
                None => String::new(),
            };
            format!(
                "{stop}move {path}, {path}-wal and {path}-shm to another folder (what is left of the last two would be \
                 laid over any file that takes the place), then do one of these: put a backup in the place (`clockbox store \
                 backup FILE` makes them) and check it; save what can be read (`sqlite3 {path} .recover | sqlite3 \
                 rescued.db`, in that folder), look rescued.db over and put it in the place; or start with an empty \
                 history and the jobs of the manifest"
            )
        }
    }
}

fn backup(args: &BackupArgs) -> Result<(), Failure> {
    let named = args.place.store()?;
    let size = clockbox_store::backup(&named.url, &named.folder, &args.file).map_err(Failure::new)?;
    eprintln!("{} written to {}", format_size(size), args.file.display());
    Ok(())
}
