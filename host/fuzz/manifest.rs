//! Any text as a manifest, as a sidecar and as the description in a plugin file: no panic, and every problem can be shown.
//!
//! The first byte says what the rest is: `m` a manifest, `s` a sidecar, `e` a description, anything else all three.

#![no_main]
#![expect(
    dead_code,
    unused_imports,
    reason = "the module is taken in whole, and a fuzzer needs only some of it"
)]

#[path = "../src/manifest/mod.rs"]
mod manifest;

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use manifest::{Overrides, PluginFile, Surroundings, parse};

/// A manifest that has room for the description of `hello`.
const AROUND: &str = "[jobs.greet]\nplugin = \"hello\"\n";

fuzz_target!(|data: &[u8]| {
    let [kind, text @ ..] = data else { return };
    let text = String::from_utf8_lossy(text);
    let mut hello = PluginFile::dropped("jobs/hello.wasm");
    if *kind != b'm' && *kind != b'e' {
        hello = hello.with_sidecar(&*text);
    }
    if *kind != b'm' && *kind != b's' {
        hello = hello.with_embedded(&*text);
    }
    let manifest = if matches!(kind, b's' | b'e') { AROUND } else { &text };
    let around = Surroundings::with_files(vec![hello]);
    let problems = match parse(manifest, Path::new("m.toml"), &Overrides::default(), &around) {
        Ok(loaded) => loaded.refused.into_iter().flat_map(|refused| refused.problems.0).collect(),
        Err(problems) => {
            assert!(!problems.0.is_empty(), "refused without a reason");
            problems.0
        }
    };
    for problem in problems {
        let shown = problem.render();
        assert!(!problem.message.is_empty());
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{shown:?}");
    }
});
