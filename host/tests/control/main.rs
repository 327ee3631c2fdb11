//! The control API, as its clients see it.

mod bulk;
mod events;
mod exposition;
mod job_state;
mod jobs;
mod metrics;
mod plugins;
mod rate;
mod runs;
mod scheduler;
mod support;
mod tls;
