//! The gallery of hostile guests: each attacks one real host, gets what is documented, and leaves nothing behind.

#![cfg(target_os = "linux")]

mod attack;
mod cpu;
mod files;
mod gallery;
mod jobs;
mod made;
mod memory;
mod reach;
mod table;
mod web;
mod words;

use clockbox_tests::{Build, TestHost};

/// A place to run the command in.
fn place() -> TestHost {
    TestHost::new(Build {
        command: env!("CARGO_BIN_EXE_clockbox-under-test"),
        scratch: env!("CARGO_TARGET_TMPDIR"),
    })
}
