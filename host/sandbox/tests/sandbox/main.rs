//! The sandbox seen from outside: each file tells one part of what it promises.

mod answers;
mod cache;
mod http;
mod jobs;
mod journal;
mod loading;
mod rights;
mod script;
mod secrets;
mod state;
mod stopping;
mod support;
