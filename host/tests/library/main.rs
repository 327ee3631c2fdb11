//! The scheduler as a program says it in code: jobs, functions and plugins by name, the ways to run, and callbacks.

mod configuration;
#[cfg(target_os = "linux")]
mod ctrl_c;
mod functions;
mod starting;
mod waiting;
