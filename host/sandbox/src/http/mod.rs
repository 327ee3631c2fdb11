//! Outgoing HTTP: only to granted origins, only to addresses that are meant to be reached.

pub(crate) mod address;
mod asked;
mod body;
mod bounds;
mod client;
mod connect;
mod gate;
mod host;
mod tls;

pub(crate) use self::{bounds::bound, client::Client, gate::Gate};
