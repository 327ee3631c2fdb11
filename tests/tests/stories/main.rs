//! The real command on real files, story by story.

#![cfg(unix)]

mod architecture;
mod authoring;
mod bad_manifest;
mod bad_plugins;
mod cancel;
#[cfg(target_os = "linux")]
mod compiling;
mod crash;
mod database;
mod downtime;
mod endurance;
mod exec;
mod follow_up;
mod looking;
mod managing;
mod outcomes;
mod output;
mod overlap;
mod paper;
mod planning;
mod plugins;
mod quickstart;
mod read_anywhere;
mod reload;
mod service;
mod state;
mod terminal;
#[cfg(target_os = "linux")]
mod top;
mod traces;
mod triggers;
mod trouble;
mod webhooks;

use clockbox_tests::{Build, TestHost};

/// A place to run the command in.
fn place() -> TestHost {
    TestHost::new(Build {
        command: env!("CARGO_BIN_EXE_clockbox-under-test"),
        scratch: env!("CARGO_TARGET_TMPDIR"),
    })
}
