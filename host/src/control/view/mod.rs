//! What the API shows: the nouns as JSON.

mod job;
mod plugin;
mod pool;
mod run;
mod state;
mod status;
mod webhook;

pub(crate) use job::{JobKeys, JobView, NewJob, PauseView};
pub(crate) use plugin::PluginView;
pub(crate) use plugin::{allowed, limits_of};
pub(crate) use pool::PoolView;
pub(crate) use run::{AttemptView, LogView, RunDetailView, RunView};
pub(crate) use state::{EntryView, bytes_of_hex};
pub(crate) use status::StatusView;
pub(crate) use webhook::{Messages, WebhookView};
