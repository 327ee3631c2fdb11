//! What the API shows: the nouns as JSON.

mod job;
mod pool;
mod run;
mod state;
mod status;

pub(crate) use job::{JobKeys, JobView, NewJob};
pub(crate) use pool::PoolView;
pub(crate) use run::{LogView, RunDetailView, RunView};
pub(super) use state::EntryView;
pub(crate) use status::StatusView;
