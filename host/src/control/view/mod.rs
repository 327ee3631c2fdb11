//! What the API shows: the nouns as JSON.

mod job;
mod pool;
mod status;

pub(crate) use job::{JobKeys, JobView, NewJob};
pub(crate) use pool::PoolView;
pub(crate) use status::StatusView;
