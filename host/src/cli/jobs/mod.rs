//! `clockbox jobs`: the jobs of a host, to look at and to change.

mod change;
mod look;
mod state;
mod transfer;
mod words;

use clap::{Args, Subcommand};

use super::exit::Failure;
pub(super) use look::{every_job, names_at, paused_jobs, unknown, zone_of};
pub(super) use words::read_args;

#[derive(Debug, Args)]
pub(super) struct JobsArgs {
    #[command(subcommand)]
    command: JobsCommand,
}

#[derive(Debug, Subcommand)]
enum JobsCommand {
    /// List the jobs of the host, or of the store when none runs.
    List(look::ListArgs),
    /// Show one job with all its keys and its next fires.
    Show(look::ShowArgs),
    /// Add a job to the running host. It is durable once the command is done.
    Add(change::AddArgs),
    /// Change some keys of a job. Of a job of the manifest, that stays until the manifest says something new about it.
    Modify(change::ModifyArgs),
    /// Give a job another trigger.
    Reschedule(change::RescheduleArgs),
    /// Let a job not fire until it is resumed.
    Pause(change::PauseArgs),
    /// Let a paused job fire again.
    Resume(change::ResumeArgs),
    /// Remove a job that was added while the host ran. Its history stays.
    Remove(change::RemoveArgs),
    /// Remove every job that was added while the host ran. Those of the manifest and folder stay.
    RemoveAll(change::RemoveAllArgs),
    /// Run a job now, once, without moving its schedule; prints the run's id.
    Run(change::RunArgs),
    /// Print the jobs of the running host as the sections of a manifest, or as JSON.
    Export(transfer::ExportArgs),
    /// Add what `jobs export` has written: all of it, or nothing.
    Import(transfer::ImportArgs),
    /// Show what a job remembers from run to run, or change it.
    State(state::StateArgs),
}

pub(super) fn jobs(args: &JobsArgs) -> Result<(), Failure> {
    match &args.command {
        JobsCommand::List(args) => look::list(args),
        JobsCommand::Show(args) => look::show(args),
        JobsCommand::Add(args) => change::add(args),
        JobsCommand::Modify(args) => change::modify(args),
        JobsCommand::Reschedule(args) => change::reschedule(args),
        JobsCommand::Pause(args) => change::pause(args),
        JobsCommand::Resume(args) => change::resume(args),
        JobsCommand::Remove(args) => change::remove(args),
        JobsCommand::RemoveAll(args) => change::remove_all(args),
        JobsCommand::Run(args) => change::run(args),
        JobsCommand::Export(args) => transfer::export(args),
        JobsCommand::Import(args) => transfer::import(args),
        JobsCommand::State(args) => state::state(args),
    }
}
