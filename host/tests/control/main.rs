//! The control API, as its clients see it.

mod jobs;
mod runs;
mod scheduler;
mod support;
