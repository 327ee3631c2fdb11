//! `clockbox jobs export` and `import`: jobs as the sections of a manifest, or as JSON.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use clap::{Args, ValueEnum};

use super::look::{Origin, paused_jobs};
use crate::{
    cli::{
        Output,
        ask::{HostArgs, query, read},
        exit::{Failure, print, print_json},
        text,
    },
    control::{Added, view::JobView},
};

/// The name that stands for stdin.
const STDIN: &str = "-";

/// How jobs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The sections [jobs.NAME] of a manifest.
    Toml,
    /// An object with the key jobs, a list.
    Json,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Json => "json",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Toml => "application/toml",
            Self::Json => "application/json",
        }
    }

    /// What the name of a file says.
    fn of(file: &Path) -> Self {
        match file.extension() {
            Some(end) if end.eq_ignore_ascii_case("json") => Self::Json,
            _ => Self::Toml,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    host: HostArgs,
    /// How they are written.
    #[arg(long, value_enum, default_value = "toml", conflicts_with = "json")]
    format: Format,
    /// The same as --format json.
    #[arg(long)]
    json: bool,
    /// Only jobs that come from here.
    #[arg(long, value_enum)]
    source: Option<Origin>,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file that `jobs export` has written, or - for stdin.
    file: PathBuf,
    #[command(flatten)]
    host: HostArgs,
    /// How they are written; what the name of the file says if nothing is said, else TOML.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Put them in the place of jobs of their names.
    #[arg(long, conflicts_with = "ignore")]
    replace: bool,
    /// Leave jobs of their names as they are.
    #[arg(long)]
    ignore: bool,
    #[command(flatten)]
    output: Output,
}

pub(super) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let format = if args.json { Format::Json } else { args.format };
    let source = args.source.map(Origin::name);
    let path = format!("/v1/export{}", query(&[("format", Some(format.name())), ("source", source)]));
    let mut host = args.host.connect()?;
    let answer = host.send(http::Method::GET, &path, None)?;
    tell_paused(&paused_jobs(&mut host)?, source);
    if format == Format::Json {
        let jobs: serde_json::Value = read(&answer)?;
        return print_json(&jobs);
    }
    print(&String::from_utf8_lossy(&answer.body))
}

pub(super) fn import(args: &ImportArgs) -> Result<(), Failure> {
    let format = args.format.unwrap_or_else(|| Format::of(&args.file));
    let failed = |error: io::Error| Failure::new(format!("{}: {error}", args.file.display()));
    let bytes = if args.file.as_os_str() == STDIN {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
        bytes
    } else {
        fs::read(&args.file).map_err(failed)?
    };
    let conflict = match (args.replace, args.ignore) {
        (true, _) => Some("replace"),
        (_, true) => Some("ignore"),
        _ => None,
    };
    let path = format!("/v1/import{}", query(&[("on_conflict", conflict)]));
    let answer = args.host.connect()?.post(&path, format.media_type(), Bytes::from(bytes));
    let answer = answer.map_err(|failure| match failure.is_of_problem("not-owner") {
        true => failure.hint("give --ignore to leave such jobs as they are"),
        false => failure,
    })?;
    let added: Added = read(&answer)?;
    if args.output.json {
        return print_json(&added);
    }
    let ignored = match added.ignored {
        0 => String::new(),
        ignored => format!("; {ignored} left as they are, as there are jobs of their names"),
    };
    eprintln!("{} imported{ignored}", text::count(added.jobs, "job"));
    Ok(())
}

/// The keys of a job say nothing of a pause, and a manifest has no word for it.
fn tell_paused(paused: &[JobView], source: Option<&str>) {
    const NAMED: usize = 5;
    let is_exported = |job: &&JobView| source.is_none_or(|source| job.source == source);
    let names: Vec<&str> = paused.iter().filter(is_exported).map(|job| job.name.as_str()).collect();
    if names.is_empty() {
        return;
    }
    let more = names.len().checked_sub(NAMED).filter(|more| *more > 0);
    let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
    eprintln!(
        "note: a pause is not exported, and whoever imports these jobs has to pause them again: {}{more}",
        names[..names.len().min(NAMED)].join(", ")
    );
}
