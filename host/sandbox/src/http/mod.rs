//! Outgoing HTTP: only to granted origins, only to addresses that are meant to be reached.

pub(crate) mod address;
mod body;
mod client;
mod connect;
mod gate;
mod tls;

pub(crate) use self::{client::Client, gate::Gate};
