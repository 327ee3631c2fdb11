//! The control API, as its clients see it.

mod jobs;
mod scheduler;
mod support;
