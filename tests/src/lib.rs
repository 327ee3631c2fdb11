//! What the end-to-end tests stand on: a [`TestHost`] that runs the real command in a folder of its own, the
//! [guests](guest) that misbehave, and a [`WebServer`] for the plugins that need one.

// Signals, symbolic links and file modes are half of these stories.
#![cfg(unix)]

mod cli;
#[cfg(target_os = "linux")]
mod compilers;
mod disk;
mod guests;
mod history;
mod host;
mod process;
#[cfg(target_os = "linux")]
mod vitals;
mod web;

pub use cli::Answer;
#[cfg(target_os = "linux")]
pub use compilers::CompilerProcess;
pub use disk::{SmallDisk, limit_file_size};
pub use guests::{guest, prebuilt, repository};
pub use history::History;
pub use host::{Build, TestHost};
pub use process::{Line, Running};
#[cfg(target_os = "linux")]
pub use vitals::Vitals;
pub use web::{DeadPort, Request, WebServer};
