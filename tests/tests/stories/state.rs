//! What a job remembers: counted by the prebuilt `counter`, seen and changed by hand.

use std::fs;

use clockbox_core::model::{Outcome, Run};
use clockbox_tests::{TestHost, prebuilt};

/// A job `count` that counts, with these further keys.
fn place(keys: &str, limits: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&prebuilt("counter"), "counter");
    place.manifest(&manifest(keys, limits));
    place
}

fn manifest(keys: &str, limits: &str) -> String {
    format!(
        "[scheduler]\nshutdown_grace = \"0s\"\n[plugins.counter]\nallow = {{ state = true }}\nlimits = {{ {limits} }}\n\
         [jobs.count]\nplugin = \"counter\"\n{keys}\n"
    )
}

const OFTEN: &str = "trigger = { interval = \"100ms\" }";

fn outputs(runs: &[Run]) -> Vec<u64> {
    let succeeded = runs.iter().filter(|run| run.outcome == Some(Outcome::Succeeded));
    succeeded.map(|run| run.output.as_deref().unwrap_or_default().parse().unwrap()).collect()
}

#[test]
fn a_job_goes_on_counting_after_restarts_and_kills_and_counts_each_success_once() {
    let place = place(OFTEN, "");
    for kill in [true, false, true] {
        let mut host = place.start();
        for _ in 0..5 {
            host.hear_of("count", "succeeded");
        }
        if kill {
            drop(host.kill())
        } else {
            drop(host.stop())
        }
        // Whatever the host was at: the number is that of the successes.
        let successes = outputs(&place.history().of("count"));
        let expected: Vec<u64> = (1..=successes.len() as u64).collect();
        assert_eq!(successes, expected);
        let shown = place.cli(&["jobs", "state", "count", "get", "runs"]).exits(0);
        assert_eq!(shown.stdout.trim(), successes.len().to_string());
    }
}

#[test]
fn a_kill_between_the_change_and_the_success_leaves_nothing_of_it() {
    let place = place("args = { hold_ms = 3600000 }\ndelivery = \"at-least-once\"", "timeout = \"2h\"");
    let mut host = place.start();
    host.hear_text("run 1");
    host.kill();
    place.cli(&["jobs", "state", "count"]).exits(0).says(&["remembers nothing"]);
    // The second attempt starts from what was there before the first.
    let mut host = place.start();
    host.hear_text("run 1");
    host.stop();
    place.cli(&["jobs", "state", "count"]).exits(0).says(&["remembers nothing"]);
}

#[test]
fn a_run_that_fails_or_is_stopped_remembers_nothing() {
    for (keys, limits, outcome) in [
        ("args = { fail = true }", "", Outcome::Failed),
        ("args = { hold_ms = 3600000 }", "timeout = \"100ms\"", Outcome::TimedOut),
    ] {
        let place = place(keys, limits);
        let mut host = place.start();
        host.hear_of("count", outcome.as_str());
        host.stop();
        assert_eq!(place.history().of("count")[0].outcome, Some(outcome));
        let shown = place.cli(&["jobs", "state", "count", "--json"]).exits(0);
        assert_eq!(shown.json(), serde_json::json!([]));
    }
}

#[test]
fn what_is_changed_by_hand_beside_a_running_host_is_what_the_next_run_finds() {
    let place = place(OFTEN, "");
    let mut host = place.start();
    host.hear_of("count", "succeeded");
    let _ = place.cli(&["jobs", "state", "count", "set", "runs", "1000000"]).exits(0);
    let _ = place.cli(&["jobs", "state", "count", "set", "note", "by hand", "--ttl", "1h"]).exits(0);
    // A run that had read what was there before may still put its own in its place.
    let mut tries = 0;
    while place.cli(&["jobs", "state", "count", "get", "runs"]).exits(0).stdout.len() < 7 {
        let _ = place.cli(&["jobs", "state", "count", "set", "runs", "1000000"]).exits(0);
        tries += 1;
        assert!(tries < 100, "what is set never lasts");
    }
    for _ in 0..3 {
        host.hear_of("count", "succeeded");
    }
    let entries = place.cli(&["jobs", "state", "count", "--json"]).exits(0).json();
    let entries = entries.as_array().unwrap();
    assert_eq!(entries[0]["key"], "note");
    assert_eq!((&entries[0]["value"], entries[0]["expires_at"].is_string()), (&"by hand".into(), true));
    let count: u64 = entries[1]["value"].as_str().unwrap().parse().unwrap();
    assert!(count > 1_000_000, "{count}");
    place.cli(&["jobs", "state", "count"]).exits(0).says(&["note", "by hand", "of 1.0 MiB"]);
    host.stop();
    let _ = place.cli(&["jobs", "state", "count", "delete", "note"]).exits(0);
    place.cli(&["jobs", "state", "count", "delete", "note"]).exits(1).says(&["has no key \"note\""]);
    let _ = place.cli(&["jobs", "state", "count", "clear"]).exits(0);
    place.cli(&["jobs", "state", "count", "get", "runs"]).exits(1).says(&["has no key \"runs\""]);
    place
        .cli(&["jobs", "state", "cuont"])
        .exits(1)
        .says(&["there is no job \"cuont\"", "did you mean \"count\"?"]);
    place.cli(&["store", "check"]).exits(0).says(&["state"]);
}

#[test]
fn a_state_beyond_its_limit_is_refused_and_named() {
    let place = place(OFTEN, "state = \"70\"");
    let mut host = place.start();
    host.hear_of("count", "succeeded");
    place.cli(&["jobs", "state", "count", "set", "k", "123456"]).exits(1).says(&["the limit is 70 B"]);
    place.manifest(&manifest(&format!("args = {{ key = \"a-long-key\" }}\n{OFTEN}"), "state = \"70\""));
    host.hear_of("", "reloaded");
    let line = host.hear_of("count", "failed");
    assert!(line.message().contains("state-full: the state of the job would take"), "{line}");
    host.stop();
    let runs = place.history().of("count");
    let failed = runs.iter().find(|run| run.outcome == Some(Outcome::Failed)).unwrap();
    let log = place.history().log(failed);
    assert!(log.iter().any(|line| line.contains("limits.state")), "{log:?}");
}

#[test]
fn a_plugin_that_wants_state_and_has_no_right_to_it_is_refused_with_the_way_out() {
    let place = place("", "");
    place.manifest("[jobs.count]\nplugin = \"counter\"\n");
    let mut host = place.start();
    let line = host.hear_of("count", "host-error");
    assert!(line.message().contains("needs the right `allow.state`"), "{line}");
    host.stop();
    assert!(fs::exists(place.path("clockbox.db")).unwrap());
}
