//! What the host tells others of its own accord, as they hear it.

mod bench;
mod receiver;
mod talk;
mod traces;
mod webhooks;
