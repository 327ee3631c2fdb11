//! The sandbox seen from outside: each file tells one part of what it promises.

mod answers;
mod cache;
mod cache_view;
mod http;
mod journal;
mod loading;
mod rights;
mod secrets;
mod stopping;
mod support;
