//! The control API, as its clients see it.

mod job_state;
mod jobs;
mod runs;
mod scheduler;
mod support;
