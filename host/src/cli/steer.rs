//! `clockbox pause`, `resume`, `reload`, `drain` and `shutdown`: a running host as a whole.

use clap::Args;
use clockbox_core::model::parse_duration;
use http::Method;
use serde_json::{Map, Value, json};

use super::{
    Output,
    ask::{HostArgs, read},
    exit::{Failure, print_json},
    text,
};
use crate::control::{Reloaded, view::StatusView};

#[derive(Debug, Args)]
pub(super) struct PauseArgs {
    #[command(flatten)]
    steer: SteerArgs,
    #[command(flatten)]
    by: ByArgs,
}

/// Which host, and how it answers.
#[derive(Debug, Args)]
pub(super) struct SteerArgs {
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct ShutdownArgs {
    #[command(flatten)]
    steer: SteerArgs,
    /// How long what runs may go on (`30s`, `0s`); [scheduler] shutdown_grace if nothing is said.
    #[arg(long, value_name = "DURATION")]
    grace: Option<String>,
}

/// Who pauses, and why.
#[derive(Debug, Default, Args)]
pub(super) struct ByArgs {
    /// Who does it; your user name if nothing is said.
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl ByArgs {
    /// What the host is told.
    pub(super) fn body(&self) -> Value {
        let user = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        let mut body = Map::new();
        let by = self.by.clone().or_else(user).filter(|by| !by.is_empty());
        body.extend(by.map(|by| ("by".to_owned(), json!(by))));
        body.extend(self.note.as_ref().map(|note| ("note".to_owned(), json!(note))));
        Value::Object(body)
    }
}

pub(super) fn pause(args: &PauseArgs) -> Result<(), Failure> {
    args.steer.change(
        "/v1/pause",
        &args.by.body(),
        "nothing starts until `clockbox resume`, over restarts too",
    )
}

pub(super) fn resume(args: &SteerArgs) -> Result<(), Failure> {
    args.change("/v1/resume", &json!({}), "jobs fire again")
}

impl SteerArgs {
    /// Changes the host as a whole; it answers how it stands.
    fn change(&self, path: &str, body: &Value, done: &str) -> Result<(), Failure> {
        let status: StatusView = read(&self.host.connect()?.send(Method::POST, path, Some(body))?)?;
        if self.output.json {
            return print_json(&status);
        }
        eprintln!("{done}");
        Ok(())
    }

    /// Asks the host to end, which it does after it has answered.
    fn end(&self, path: &str, body: &Value, done: &str) -> Result<(), Failure> {
        self.host.connect()?.send(Method::POST, path, Some(body))?;
        if self.output.json {
            return print_json(&Map::new());
        }
        eprintln!("{done}");
        Ok(())
    }
}

pub(super) fn drain(args: &SteerArgs) -> Result<(), Failure> {
    args.end("/v1/drain", &json!({}), "nothing starts any more; the host stops once all that runs has ended")
}

pub(super) fn shutdown(args: &ShutdownArgs) -> Result<(), Failure> {
    let mut body = Map::new();
    if let Some(grace) = args.grace()? {
        body.insert("grace".to_owned(), json!(grace));
    }
    args.steer.end("/v1/shutdown", &Value::Object(body), "the host stops")
}

impl ShutdownArgs {
    /// The grace that is given, else the manifest's where it can be read.
    fn grace(&self) -> Result<Option<String>, Failure> {
        if let Some(grace) = &self.grace {
            let read = parse_duration(grace);
            read.map_err(|error| Failure::new(format!("--grace: {error}")).hint("write for instance 30s"))?;
            return Ok(Some(grace.clone()));
        }
        if !self.steer.host.is_of_manifest() {
            return Ok(None);
        }
        let loaded = self.steer.host.place.load().ok();
        let grace = loaded.map(|loaded| loaded.manifest.scheduler.shutdown_grace);
        Ok(grace.map(clockbox_core::model::format_duration))
    }
}

pub(super) fn reload(args: &SteerArgs) -> Result<(), Failure> {
    let answer = args.host.connect()?.send(Method::POST, "/v1/reload", None)?;
    let reloaded: Reloaded = read(&answer)?;
    if args.output.json {
        return print_json(&reloaded);
    }
    let Reloaded { added, changed, removed, problems } = &reloaded;
    for problem in problems {
        eprintln!("warning: {}", text::plain(problem));
    }
    eprintln!("reloaded: jobs +{added} ~{changed} -{removed}");
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::no(format!(
        "{}: what they are about was refused, and all else is in force",
        text::count(problems.len(), "problem")
    )))
}
