//! What every store does ([`conformance`]), what the SQLite store does beyond that, and the writer in front of them.

mod conformance;
mod sqlite;
mod support;
mod urls;
mod writer;
