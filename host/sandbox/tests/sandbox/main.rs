//! The sandbox seen from outside: each file tells one part of what it promises.

mod answers;
mod cache;
mod cache_view;
mod client;
mod cores;
mod http;
mod jobs;
mod journal;
mod last_line;
mod listing;
mod loading;
mod rebinding;
mod refusals;
mod rights;
mod script;
mod secrets;
mod state;
mod stopping;
mod support;
mod tcp;
mod tls;
mod traps;
