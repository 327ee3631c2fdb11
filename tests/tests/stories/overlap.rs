//! Caps and what becomes of fires beyond them, with guests that take their time.

use clockbox_core::model::{Outcome, Run, RunState, Timestamp};
use clockbox_tests::{History, TestHost, guest};

/// A place whose jobs sleep until their timeout.
fn place(timeout: &str, manifest: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("sleep"), "sleep");
    place.manifest(&format!("[scheduler]\nshutdown_grace = \"0s\"\n[plugins.sleep]\nlimits = {{ timeout = \"{timeout}\" }}\n{manifest}"));
    place
}

/// When each attempt of these runs began and ended.
fn spans(history: &History, runs: &[Run]) -> Vec<(Timestamp, Timestamp)> {
    let attempts = runs.iter().flat_map(|run| history.attempts(run));
    attempts.filter_map(|attempt| Some((attempt.started_at, attempt.finished_at?))).collect()
}

/// The most that ran at one time.
fn most(spans: &[(Timestamp, Timestamp)]) -> usize {
    let at = |now: Timestamp| spans.iter().filter(|(start, end)| *start <= now && now < *end).count();
    spans.iter().map(|(start, _)| at(*start)).max().unwrap_or_default()
}

fn in_state(history: &History, job: &str, state: RunState) -> Vec<Run> {
    history.of(job).into_iter().filter(|run| run.state == state).collect()
}

#[test]
fn a_job_at_its_cap_skips_its_fires() {
    let place = place("2s", "[jobs.a]\nplugin = \"sleep\"\ntrigger = { interval = \"500ms\" }\n");
    let mut host = place.start();
    host.hear_of("a", "skipped");
    host.hear_of("a", "timed-out");
    host.hear_of("a", "started");
    host.stop();
    let history = place.history();
    let skipped = in_state(&history, "a", RunState::Skipped);
    assert!(skipped.iter().all(|run| run.reason.is_some() && run.attempt == 0), "{skipped:?}");
    assert_eq!(most(&spans(&history, &history.of("a"))), 1);
}

#[test]
fn a_job_at_its_cap_lets_one_fire_wait() {
    let manifest = "[jobs.a]\nplugin = \"sleep\"\ntrigger = { interval = \"300ms\" }\noverlap = \"wait\"\n";
    let place = place("1s", manifest);
    let mut host = place.start();
    host.hear_of("a", "waits for a place");
    let first_skipped = host.hear_of("a", "skipped");
    let waited = host.heard().iter().find(|line| line.is_of("a", "waits")).unwrap().run().to_owned();
    assert_ne!(first_skipped.run(), waited);
    host.hear("the one that waited starts", |line| line.is_of("a", "started") && line.run() == waited);
    host.stop();
    let history = place.history();
    assert_eq!(most(&spans(&history, &history.of("a"))), 1);
}

#[test]
fn a_job_at_its_cap_replaces_its_oldest_run() {
    let manifest = "[jobs.a]\nplugin = \"sleep\"\ntrigger = { interval = \"1s\" }\noverlap = \"replace\"\n";
    let place = place("1h", manifest);
    let mut host = place.start();
    let first = host.hear_of("a", "started");
    let cancelled = host.hear_of("a", "cancelled");
    assert_eq!(cancelled.run(), first.run());
    host.hear("its place is taken", |line| line.is_of("a", "started") && line.run() != first.run());
    host.stop();
    let history = place.history();
    let run = &history.of("a")[0];
    assert_eq!(run.outcome, Some(Outcome::Cancelled), "{run:?}");
    assert_eq!(most(&spans(&history, &history.of("a"))), 1);
}

#[test]
fn a_pool_is_never_over_its_cap() {
    let mut manifest = String::from("[pools.default]\nmax_instances = 2\n");
    for n in 0..7 {
        manifest += &format!("[jobs.job-{n}]\nplugin = \"sleep\"\n");
    }
    let place = place("300ms", &manifest);
    let mut host = place.start();
    for _ in 0..7 {
        host.hear("each run's end", |line| line.message().starts_with("timed-out"));
    }
    host.stop();
    let history = place.history();
    let runs = history.all();
    assert_eq!(runs.len(), 7);
    let spans = spans(&history, &runs);
    assert_eq!(spans.len(), 7);
    assert_eq!(most(&spans), 2, "{spans:?}");
}
