//! Tests of the manifest as a whole.

use std::path::Path;

use super::{Loaded, Overrides, PluginFile, Problem, Problems, Surroundings, parse};

mod again;
mod checking;
mod dropped;
mod files;
mod fuzz;
mod mistakes;
mod overriding;
mod rendering;
mod triggers;
mod valid;
mod webhooks;

/// A dropped plugin without texts, so that jobs have something to name.
fn hello() -> Surroundings<'static> {
    Surroundings::with_files(vec![PluginFile::dropped("jobs/hello.wasm")])
}

fn read(text: &str, around: &Surroundings<'_>) -> Result<Loaded, Problems> {
    parse(text, Path::new("clockbox.toml"), &Overrides::default(), around)
}

/// Reads what must be right.
#[track_caller]
fn good(text: &str) -> super::Manifest {
    match read(text, &hello()).map(Loaded::whole) {
        Ok(Ok(manifest)) => manifest,
        Ok(Err(problems)) | Err(problems) => panic!("{}", problems.render()),
    }
}

/// Reads what must be wrong.
#[track_caller]
fn bad(text: &str) -> Vec<Problem> {
    match read(text, &hello()) {
        Ok(loaded) => panic!("nothing wrong was found in {text}\n{loaded:?}"),
        Err(problems) => problems.0,
    }
}

/// A problem on one line: `line:column key: message | hint`.
fn brief(problem: &Problem) -> String {
    let (line, column) = problem.place.position().unwrap_or_default();
    let hint = problem.hint.as_deref().map(|hint| format!(" | {hint}")).unwrap_or_default();
    format!("{line}:{column} {}: {}{hint}", problem.key, problem.message)
}

/// Checks that a text has exactly these problems.
#[track_caller]
fn expect(text: &str, wanted: &[&str]) {
    let found: Vec<String> = bad(text).iter().map(brief).collect();
    assert_eq!(found, wanted, "in:\n{text}");
}
