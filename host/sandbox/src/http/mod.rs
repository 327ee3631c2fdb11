//! Outgoing HTTP: only to granted origins, only to addresses that are meant to be reached.

mod address;
mod body;
mod connect;
mod gate;
mod tls;

pub(crate) use self::gate::Gate;
