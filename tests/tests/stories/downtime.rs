//! Fires that came due while no host ran: run, counted or recorded, by policy, and never lost without a word.

use std::time::Duration;

use clockbox_core::model::{Run, RunState};
use clockbox_tests::{History, TestHost, guest};

/// The interval of each job, in milliseconds: so short that a restart misses many fires.
const STEP: i64 = 20;
/// Long enough for more than ten fires.
const DOWNTIME: Duration = Duration::from_millis(300);

/// A place whose job `a` has this policy and ran for a while, was stopped, and runs again.
fn restarted(policy: &str) -> (TestHost, History) {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest(&format!(
        "[jobs.a]\nplugin = \"echo\"\ntrigger = {{ interval = \"{STEP}ms\" }}\nmax_instances = 100\n{policy}"
    ));
    let mut host = place.start();
    host.hear_of("a", "succeeded");
    host.stop();
    // The downtime is what is tested, not something that is waited for.
    std::thread::sleep(DOWNTIME);
    let mut host = place.start();
    for _ in 0..3 {
        host.hear_of("a", "succeeded");
    }
    host.stop();
    let history = place.history();
    (place, history)
}

/// Checks that each fire is a record or is counted on the next one; returns the records.
#[track_caller]
fn complete(history: &History) -> Vec<Run> {
    let runs = history.of("a");
    for two in runs.windows(2) {
        let fires = (two[1].scheduled_at - two[0].scheduled_at).num_milliseconds() / STEP;
        assert_eq!(fires, 1 + i64::from(two[1].coalesced), "a fire was lost between {two:?}");
    }
    runs
}

#[test]
fn fires_of_a_downtime_become_one_run_that_counts_them() {
    let (_place, history) = restarted("");
    let runs = complete(&history);
    assert!(runs.iter().any(|run| run.coalesced >= 10 && run.state == RunState::Finished), "{runs:?}");
}

#[test]
fn without_coalescing_each_fire_of_a_downtime_runs() {
    let (_place, history) = restarted("coalesce = false\n");
    let runs = complete(&history);
    assert!(runs.iter().all(|run| run.coalesced == 0), "{runs:?}");
    let late = |run: &&Run| (run.recorded_at - run.scheduled_at).num_milliseconds() > 3 * STEP;
    assert!(runs.iter().filter(late).count() >= 10, "{runs:?}");
}

#[test]
fn fires_beyond_their_grace_are_recorded_as_missed() {
    let (_place, history) = restarted("coalesce = false\nmisfire_grace = \"40ms\"\n");
    let runs = complete(&history);
    let missed: Vec<&Run> = runs.iter().filter(|run| run.state == RunState::Missed).collect();
    assert!(missed.len() >= 10, "{runs:?}");
    for run in missed {
        assert!(run.attempt == 0 && run.reason.is_some(), "{run:?}");
        assert!((run.recorded_at - run.scheduled_at).num_milliseconds() >= 40, "{run:?}");
    }
}
