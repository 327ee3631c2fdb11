//! The scheduler as a program says it in code: jobs, functions and plugins by name, the ways to run, and callbacks.

mod configuration;
mod functions;
mod starting;
mod waiting;
