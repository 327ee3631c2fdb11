//! The command line: data on stdout, talk on stderr, documented exit codes.

mod ask;
mod build;
mod check;
mod config;
mod events;
mod exec;
mod exit;
mod history;
mod hosting;
mod jobs;
mod new;
mod next;
mod open_files;
mod paper;
mod place;
mod plan;
mod planned;
mod plugin_sandbox;
mod plugins;
mod pools;
mod run;
mod run_live;
mod runs;
mod signals;
mod simulate;
mod status;
mod steer;
mod store;
mod supervisor;
mod talk;
mod telling;
mod text;
mod top;
mod trigger_args;
mod webhooks;
mod wit;

use std::{process::ExitCode, sync::LazyLock};

use clap::{Args, Parser, Subcommand};
use clockbox_core::trigger::zone_data;
pub use exit::Failure;
pub use place::Place;

use crate::prefer_system_zone_data;

/// Runs scheduled jobs as sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(
    name = "clockbox",
    version,
    long_version = LONG_VERSION.as_str(),
    max_term_width = 100,
    after_help = "exit codes: 0 done; 1 the answer is no (problems found, no such run or job); 2 wrong usage, or what was \
                  asked for could not be done; 3 the host could not go on or not end in order, its store was lost (start \
                  it again); 130 stopped at once by a second signal"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the host until it is stopped: Ctrl-C drains, a second one stops at once.
    Run(run::RunArgs),
    /// Make a project for a plugin: a job, a test, and how to build and run it.
    New(new::NewArgs),
    /// Build a project: run its language's tools, make a plugin of what they make, and describe it.
    Build(build::BuildArgs),
    /// Run a plugin once, now, outside any schedule and store: the inner loop of whoever writes one.
    Exec(Box<exec::ExecArgs>),
    /// Read a manifest and its plugins, report every problem, run nothing.
    Check(check::CheckArgs),
    /// Show every value that is in force, and where it comes from: file and line, variable, flag, sidecar or default.
    Config(config::ConfigArgs),
    /// Show what a changed manifest would do to the running host. Exit code 0: nothing; 1: something; 2: it would be refused.
    Plan(plan::PlanArgs),
    /// Show what fires next: the jobs of a manifest, or a trigger given here.
    Next(next::NextArgs),
    /// Show what would fire in a window of time, and how the load is spread. Nothing runs.
    Simulate(simulate::SimulateArgs),
    /// Show what ran: the history, newest first.
    Runs(runs::RunsArgs),
    /// How the running host stands.
    Status(status::StatusArgs),
    /// Look at jobs, add and change them, run them now; look at what they remember.
    Jobs(jobs::JobsArgs),
    /// Look at the pools of the running host, or resize them.
    Pools(pools::PoolsArgs),
    /// Tell what happens on the running host, as it happens.
    Events(events::EventsArgs),
    /// Watch the running host on one screen: pools, runs, what fires next, what ended; pause, run and cancel with a key.
    Top(top::TopArgs),
    /// Let nothing start on the running host until it is resumed.
    Pause(steer::PauseArgs),
    /// Let jobs of a paused host fire again.
    Resume(steer::SteerArgs),
    /// Let the running host read its manifest and plugins again, now; says what came of it.
    Reload(steer::SteerArgs),
    /// Let the running host start nothing more, let all that runs end, however long it takes, and stop.
    Drain(steer::SteerArgs),
    /// Stop the running host: nothing more starts, what runs gets the grace to end.
    Shutdown(steer::ShutdownArgs),
    /// Look the store over, or copy it; also while the host runs.
    Store(store::StoreArgs),
    /// Look at plugins.
    Plugins(plugins::PluginsArgs),
    /// Look at webhooks, or send a test.
    Webhooks(webhooks::WebhooksArgs),
    /// Print the WIT of the guest contract, or write it into a folder for the tools of any language.
    Wit(wit::WitArgs),
    /// Print the completions of a shell: bash, zsh or fish.
    Completions(paper::CompletionsArgs),
    /// Print the man page, or write the pages of all commands into a folder.
    Man(paper::ManArgs),
    /// Compile the plugin on stdin: what a host starts for each plugin that it does not have the code of.
    #[command(name = plugin_sandbox::COMPILE, hide = true)]
    CompilePlugin {
        #[arg(hide = true)]
        settings: Vec<String>,
    },
}

/// How data is printed.
#[derive(Debug, Clone, Copy, Default, Args)]
struct Output {
    /// Print JSON for programs instead of a table for people.
    #[arg(long)]
    json: bool,
}

/// The version, and what fire times depend on beside it.
static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    let (release, origin) = (zone_data::release(), zone_data::origin());
    format!("{}\ntime zone data {release} ({origin})", env!("CARGO_PKG_VERSION"))
});

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    // The compiler of plugins knows no zones. Everybody else does, `--version` included, which ends while it is parsed.
    if std::env::args_os().nth(1).is_none_or(|command| command != plugin_sandbox::COMPILE) {
        prefer_system_zone_data();
    }
    let done = match Cli::parse().command {
        Command::CompilePlugin { settings } => return clockbox_sandbox::compile_plugin(&settings),
        Command::Run(args) => run::run(&args),
        Command::New(args) => new::new(&args),
        Command::Build(args) => build::build(&args),
        Command::Exec(args) => exec::exec(&args),
        Command::Check(args) => check::check(&args),
        Command::Config(args) => config::config(&args),
        Command::Completions(args) => paper::completions(&args),
        Command::Man(args) => paper::man(&args),
        Command::Wit(args) => wit::wit(&args),
        Command::Plan(args) => plan::plan(&args),
        Command::Next(args) => next::next(&args),
        Command::Simulate(args) => simulate::simulate(&args),
        Command::Runs(args) => runs::runs(&args),
        Command::Status(args) => status::status(&args),
        Command::Jobs(args) => jobs::jobs(&args),
        Command::Pools(args) => pools::pools(&args),
        Command::Events(args) => events::events(&args),
        Command::Top(args) => top::top(&args),
        Command::Pause(args) => steer::pause(&args),
        Command::Resume(args) => steer::resume(&args),
        Command::Reload(args) => steer::reload(&args),
        Command::Drain(args) => steer::drain(&args),
        Command::Shutdown(args) => steer::shutdown(&args),
        Command::Store(args) => store::store(&args),
        Command::Plugins(args) => plugins::plugins(&args),
        Command::Webhooks(args) => webhooks::webhooks(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
