//! Files that are no plugins, or ask for more than they were granted: each is told what it got, and the others run.

use std::fs;

use clockbox_core::model::Outcome;
use clockbox_tests::{TestHost, guest, prebuilt};

/// A place with every kind of bad plugin, a job for each, and a good one.
fn gallery() -> TestHost {
    let place = crate::place();
    let whole = fs::read(prebuilt("hello")).unwrap();
    place.put("jobs/empty.wasm", b"");
    place.put("jobs/truncated.wasm", &whole[..whole.len() / 2]);
    place.put("jobs/foreign.wasm", b"#!/bin/sh\necho not wasm\n");
    place.drop_plugin(&guest("no-entry"), "no-entry");
    place.drop_plugin(&guest("bad-import"), "bad-import");
    place.drop_plugin(&prebuilt("http-check"), "http-check");
    place.drop_plugin(&prebuilt("hello"), "pinned");
    place.drop_plugin(&prebuilt("hello"), "good");
    let mut manifest = String::new();
    manifest += &format!("[plugins.pinned]\nsha256 = \"{}\"\n", "0".repeat(64));
    for (plugin, _) in WORDS.iter().chain(&[("good", "")]) {
        manifest += &format!(
            "[jobs.{plugin}]\nplugin = \"{plugin}\"\ntrigger = {{ date = \"2020-01-01\" }}\nmisfire_grace = \"forever\"\n"
        );
    }
    place.manifest(&manifest);
    place
}

/// Each bad plugin, and what must be said of it.
const WORDS: [(&str, &str); 7] = [
    ("empty", "the file is empty"),
    ("truncated", "the file ends in the middle"),
    ("foreign", "the file is not WebAssembly: it starts with"),
    ("no-entry", "the component has nothing that can be run"),
    ("bad-import", "the plugin imports acme:rockets/launchpad@1.0.0, which is not provided"),
    ("http-check", "needs the right `allow.http`, and that is not granted"),
    ("pinned", "is pinned"),
];

#[test]
fn check_names_each_bad_plugin_and_what_is_wrong_with_it() {
    let place = gallery();
    let answer = place.cli(&["check"]).exits(1);
    for (plugin, words) in WORDS {
        let said = answer
            .stdout
            .lines()
            .any(|line| line.contains(&format!("plugins.{plugin}: ")) && line.contains(words));
        assert!(said, "{plugin}: {words}: {answer}");
    }
    assert!(!answer.stdout.contains("plugins.good"), "{answer}");
    answer.says(&["hint: ", "grant the origins it may reach", "is it still being copied"]);

    let report = place.cli(&["check", "--json"]).exits(1).json();
    assert_eq!(report["ok"], false);
    for (plugin, words) in WORDS {
        let key = format!("plugins.{plugin}");
        let problem = report["problems"].as_array().unwrap().iter().find(|problem| problem["key"] == *key);
        let message = problem.unwrap_or_else(|| panic!("{key}: {report}"))["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn run_starts_the_good_jobs_and_records_why_the_others_could_not() {
    let place = gallery();
    let mut host = place.start();
    let mut missing: Vec<&str> = WORDS.iter().map(|(plugin, _)| *plugin).chain(["good"]).collect();
    while !missing.is_empty() {
        let line = host.hear("every job ended", |line| {
            line.is_of(line.job(), "succeeded") || line.is_of(line.job(), "host-error")
        });
        missing.retain(|job| *job != line.job());
    }
    for (plugin, words) in WORDS {
        let said = |line: &clockbox_tests::Line| line.level() == "ERROR" && line.message().contains(words);
        assert!(host.heard().iter().any(said), "{plugin}: {words}: {host}");
    }
    host.stop();
    let history = place.history();
    assert_eq!(history.of("good")[0].outcome, Some(Outcome::Succeeded));
    for (plugin, words) in WORDS {
        let run = &history.of(plugin)[0];
        assert_eq!(run.outcome, Some(Outcome::HostError), "{run:?}");
        let reason = run.reason.as_deref().unwrap_or_default();
        assert!(reason.contains(&format!("{plugin:?}")) && reason.contains(words), "{reason}");
    }
}

#[test]
fn a_plugin_that_the_manifest_names_and_that_is_not_there_refuses_the_manifest() {
    let place = gallery();
    place.manifest("[plugins.missing]\npath = \"jobs/missing.wasm\"\n[jobs.a]\nplugin = \"missing\"\n");
    let words = "clockbox.toml:2:8: plugins.missing.path: there is no file jobs/missing.wasm";
    place.cli(&["check"]).exits(1).says(&[words]);
    let answer = place.cli(&["run"]).exits(2);
    answer.says(&[words]);
    assert!(answer.stderr.contains("\nerror: the manifest has problems"), "{answer}");
}

#[test]
fn a_plugin_is_looked_at_without_being_run() {
    let place = gallery();
    let file = place.path("jobs/http-check.wasm");
    let answer = place.cli(&["plugins", "inspect", file.to_str().unwrap()]).exits(0);
    answer.says(&["wasi:http"]);
    let answer = place.cli(&["plugins", "inspect", place.path("jobs/foreign.wasm").to_str().unwrap()]);
    assert_ne!(answer.code, Some(0), "{answer}");
    answer.says(&["not WebAssembly"]);
}

#[test]
fn a_right_that_is_missing_is_told_once() {
    let place = crate::place();
    place.drop_plugin(&prebuilt("counter"), "counter");
    place.manifest("");
    let answer = place.cli(&["check"]).exits(1);
    answer.says(&["which needs the right `allow.state`, and that is not granted"]);
    assert!(!answer.stdout.contains("asks for more"), "{answer}");
    // What no error says is told all the same.
    place.drop_plugin(&prebuilt("hello"), "hello");
    drop(place.cli(&["plugins", "describe", "jobs/hello.wasm", "--allow", "{ dns = true }"]).exits(0));
    place.cli(&["check"]).exits(1).says(&["plugin hello asks for more than it is given: dns"]);
}
