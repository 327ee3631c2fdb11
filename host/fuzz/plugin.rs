//! Any bytes as a plugin file: what it says of itself is read without a panic, in bounds, and fit for a terminal.
//!
//! An input that begins with `(` is WebAssembly text; any other is a binary, with or without its first eight bytes.

#![no_main]
#![expect(
    dead_code,
    unused_imports,
    reason = "the modules are taken in whole, and a fuzzer needs only some of them"
)]

#[path = "../sandbox/src/error.rs"]
mod error;
#[path = "../sandbox/src/hex.rs"]
mod hex;
#[path = "../sandbox/src/inspect/mod.rs"]
mod inspect;
#[path = "../sandbox/src/kind.rs"]
mod kind;
#[path = "../sandbox/src/log"]
mod log {
    mod clean;
    pub(crate) use clean::{clean, clean_lines};
}

use clockbox_core::model::Rights;
use error::PluginError;
use kind::PluginKind;
use libfuzzer_sys::fuzz_target;

/// Stands in for wasmtime, of which inspection asks only whether a file is native code.
extern crate self as wasmtime;

/// See [`wasmtime`].
pub struct Engine;

impl Engine {
    /// No: what a fuzzer makes is none.
    #[must_use]
    pub fn detect_precompiled(_: &[u8]) -> Option<()> {
        None
    }
}

const HEADS: [&[u8]; 2] = [b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0"];

fuzz_target!(|data: &[u8]| {
    check(data);
    if !data.starts_with(b"(") && !data.starts_with(b"\0asm") {
        for head in HEADS {
            check(&[head, data].concat());
        }
    }
});

fn check(bytes: &[u8]) {
    let found = match inspect::inspect(bytes) {
        Ok(found) => found,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!((found.size, found.sha256.len()), (bytes.len() as u64, 64));
    let remarks = [&found.name, &found.version, &found.description, &found.licenses];
    let producers = found.producers.iter().flat_map(|(field, name, version)| [field, name, version]);
    for said in remarks.into_iter().flatten().chain(producers) {
        assert!(said.len() <= 3 * (4 << 10), "{} bytes", said.len());
        assert!(!said.chars().any(|c| c.is_control() && c != '\t'), "{said:?}");
    }
    let shown = |c: char| c == '\t' || c == '\n' || !c.is_control();
    assert!(found.job.iter().all(|job| job.chars().all(shown)), "{:?}", found.job);
    match found.check(&Rights::default()) {
        Ok(kind) => assert_eq!(found.kind, Some(kind)),
        Err(error) => _ = (error.to_string(), error.hint()),
    }
}
