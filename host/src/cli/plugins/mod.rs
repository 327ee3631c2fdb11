//! `clockbox plugins`: what plugins are, want and may, without running or compiling them; and a new one for a running host.

mod at_host;
mod describe;
mod description;
mod grant;
mod inspect;
mod inspection;
mod list;
mod listing;
mod rights;
mod show;
mod table;
mod upload;

pub(super) use description::faults;
pub(super) use inspection::every_right;

use clap::{Args, Subcommand};

use super::exit::Failure;
use crate::{
    granted,
    manifest::{Severity, Survey},
};

#[derive(Debug, Args)]
pub(super) struct PluginsArgs {
    #[command(subcommand)]
    command: PluginsCommand,
}

#[derive(Debug, Subcommand)]
enum PluginsCommand {
    /// Show what a plugin is, what it asks for, and what of it the manifest grants. Nothing of it is run.
    #[command(
        after_help = "exit codes: 0 done; 1 no host would run it (its digest is not the pinned one, or it is no plugin), or \
                            there is no such plugin; 2 it cannot be looked at"
    )]
    Inspect(inspect::InspectArgs),
    /// Write what a plugin file says of itself, which `inspect` shows and a host goes by: for languages whose tools cannot.
    Describe(Box<describe::DescribeArgs>),
    /// Show every plugin of a manifest, also what is none although a job names it, with what the host that runs has of them;
    /// of a host that is named, its plugins. Nothing is compiled or run.
    List(list::ListArgs),
    /// Put a plugin into the plugin folder of a running host, which loads it; only where `[server]` says `uploads = true`.
    Upload(upload::UploadArgs),
}

pub(super) fn plugins(args: &PluginsArgs) -> Result<(), Failure> {
    match &args.command {
        PluginsCommand::Inspect(args) => inspect::run(args),
        PluginsCommand::Describe(args) => describe::run(args),
        PluginsCommand::List(args) => list::run(args),
        PluginsCommand::Upload(args) => upload::run(args),
    }
}

/// What is looked at is a manifest that no host would take.
fn warn_of_errors(survey: &Survey) {
    if survey.problems.0.iter().any(|problem| problem.severity == Severity::Error) {
        eprintln!("warning: {} has problems; `clockbox check` shows them", survey.manifest.path.display());
    }
}
