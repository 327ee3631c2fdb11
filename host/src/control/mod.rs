//! The control API: a running scheduler is asked and changed over HTTP/1.1 and JSON, on a unix socket and, where it is
//! asked for, over TCP.
//!
//! Everything is under `/v1`, and described by the OpenAPI document at `/v1/openapi.json`, which is generated from the
//! code. Errors are `application/problem+json` (RFC 9457). The API speaks only to the [`Scheduler`](crate::Scheduler), as
//! an embedding program does; it runs on a thread of its own, so that neither guests nor slow clients are in its way, nor
//! it in the way of a fire.
//!
//! Whoever may open the socket, mode 0600, is an operator. Over TCP a bearer token says who is one, and who may only
//! look; without tokens only a loopback address is listened on.

mod access;
mod app;
mod brake;
pub mod client;
mod connections;
mod extract;
mod list;
mod listen;
mod metrics;
mod openapi;
mod problem;
mod ring;
mod routes;
mod server;
mod tag;
mod tls;
mod toml_jobs;
mod upload;
pub(crate) mod view;

pub use crate::in_force::InForce;
pub use app::{EarlyEvents, Hooks, Uploads};
pub use problem::Problem;
pub(crate) use routes::{
    Added, Fires, JobPage, Lines, Plugins, PoolList, Recorded, Reloaded, Removed, RunPage, SettingsView,
    StateView, WebhookList,
};
pub use server::{Control, ControlError};
