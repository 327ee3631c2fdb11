//! Runs that are asked to stop: they may do so by themselves, and are stopped when they do not.

use clockbox_core::model::{Outcome, Run};
use clockbox_tests::{History, TestHost, guest};
use rustix::process::Signal;

/// A place whose job replaces its own run every second, with this guest under these limits.
fn place(name: &str, limits: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest(name), name);
    place.manifest(&format!(
        "[scheduler]\nshutdown_grace = \"4s\"\n[plugins.{name}]\nlimits = {{ timeout = \"1h\", {limits} }}\n\
         [jobs.a]\nplugin = \"{name}\"\ntrigger = {{ interval = \"1s\" }}\noverlap = \"replace\"\n"
    ));
    place
}

/// The run of a line that says how it was cancelled.
fn cancelled(history: &History, id: &str) -> Run {
    let run = history.of("a").into_iter().find(|run| run.id.to_string() == id).unwrap();
    assert_eq!(run.outcome, Some(Outcome::Cancelled), "{run:?}");
    run
}

#[test]
fn a_guest_that_looks_stops_by_itself() {
    let place = place("polite", "cancel_grace = \"1h\"");
    let mut host = place.start();
    let first = host.hear_of("a", "started").run().to_owned();
    let line = host.hear_of("a", "cancelled");
    assert_eq!(line.run(), first);
    // The next one stops by itself as well, in the last part of the grace that the host's end gives it.
    host.hear_of("a", "started");
    host.signal(Signal::TERM);
    let last = host.hear_of("a", "cancelled").run().to_owned();
    assert_eq!(host.end().code(), Some(0), "{host}");
    let history = place.history();
    let reason = cancelled(&history, &first).reason.unwrap();
    assert!(reason.starts_with("replaced by the later fire "), "{reason}");
    assert!(reason.ends_with("; as-asked: half of the work is done"), "{reason}");
    let reason = cancelled(&history, &last).reason.unwrap();
    assert_eq!(reason, "the scheduler stopped before the run had ended; as-asked: half of the work is done");
}

#[test]
fn a_cancel_that_was_answered_outlives_a_kill_within_its_grace() {
    let place = crate::place();
    place.drop_plugin(&guest("spin"), "spin");
    place.manifest(
        "[plugins.spin]\nlimits = { timeout = \"1h\", cancel_grace = \"1h\" }\n\
         [jobs.a]\nplugin = \"spin\"\ndelivery = \"at-least-once\"\n",
    );
    let mut host = place.start();
    let run = host.hear_of("a", "started").run().to_owned();
    drop(place.cli(&["runs", "cancel", &run, "--reason", "ada: wrong args"]).exits(0));
    host.kill();

    let mut host = place.start();
    assert_eq!(host.hear_of("a", "cancelled").run(), run);
    host.stop();
    let run = cancelled(&place.history(), &run);
    assert_eq!(run.attempt, 1, "it was not started again");
    let why = "ada: wrong args; the host ended before the run's end was recorded";
    assert_eq!(run.reason.as_deref(), Some(why));
}

#[test]
fn a_guest_that_does_not_is_stopped_after_the_grace() {
    let place = place("spin", "cancel_grace = \"300ms\"");
    let mut host = place.start();
    let first = host.hear_of("a", "started").run().to_owned();
    assert_eq!(host.hear_of("a", "cancelled").run(), first);
    host.kill();
    let history = place.history();
    let run = cancelled(&history, &first);
    let reason = run.reason.clone().unwrap();
    assert!(reason.starts_with("replaced by the later fire "), "{reason}");
    assert!(
        reason.ends_with(
            "; it did not end within 300ms of being asked to, and was stopped (limits.cancel_grace)"
        ),
        "{reason}"
    );
    let took = run.finished_at.unwrap() - run.started_at.unwrap();
    assert!(took.num_milliseconds() >= 1200, "stopped after {took}");
}
