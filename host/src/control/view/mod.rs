//! What the API shows: the nouns as JSON.

mod job;
mod pool;
mod status;

pub(super) use job::{JobKeys, JobView, NewJob};
pub(super) use pool::PoolView;
pub(super) use status::StatusView;
