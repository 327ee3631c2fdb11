//! A host that is killed: what it recorded stays, what it was doing is known, and the schedule goes on.

use std::collections::{BTreeMap, BTreeSet};

use clockbox_core::model::{Outcome, Run, RunState};
use clockbox_tests::{Line, TestHost, WebServer, guest, prebuilt};

/// A job that ticks, and one that sleeps for an hour when the host starts first.
fn place(delivery: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.drop_plugin(&guest("sleep"), "sleep");
    place.manifest(&format!(
        r#"
[scheduler]
shutdown_grace = "0s"
[plugins.sleep]
limits = {{ timeout = "1h" }}
[jobs.tick]
plugin = "echo"
trigger = {{ interval = "200ms" }}
[jobs.nap]
plugin = "sleep"
delivery = "{delivery}"
"#
    ));
    place
}

#[test]
fn a_run_that_a_kill_interrupted_stays_interrupted_and_the_schedule_goes_on() {
    let place = place("at-most-once");
    let mut host = place.start();
    let nap = host.hear_of("nap", "started").run().to_owned();
    let tick = host.hear_of("tick", "succeeded").run().to_owned();
    host.kill();
    let before = place.history().all();

    let mut host = place.start();
    let line = host.hear_of("nap", "interrupted");
    assert_eq!(line.run(), nap);
    let later = host.hear_of("tick", "succeeded").run().to_owned();
    assert_ne!(later, tick);
    host.stop();

    let history = place.history();
    let naps = history.of("nap");
    assert_eq!(naps.len(), 1, "{naps:?}");
    assert_eq!(
        (naps[0].state, naps[0].outcome, naps[0].attempt),
        (RunState::Finished, Some(Outcome::Interrupted), 1)
    );
    assert!(
        naps[0].reason.as_deref().unwrap_or_default().contains("before the run's end was recorded"),
        "{naps:?}"
    );
    // What had ended before the kill is as it was.
    let after = history.all();
    for run in before.iter().filter(|run| run.state.is_final()) {
        assert!(after.contains(run), "{run:?} is gone or changed");
    }
    let shown = place.cli(&["runs", "show", &nap]).exits(0);
    shown.says(&["outcome    interrupted", "the host ended before the run's end was recorded"]);
}

#[test]
fn an_at_least_once_run_goes_on_after_a_kill_as_its_second_attempt_under_the_same_id() {
    let place = place("at-least-once");
    let mut host = place.start();
    let nap = host.hear_of("nap", "started").run().to_owned();
    host.kill();

    let mut host = place.start();
    host.hear_of("nap", "attempt 1 interrupted");
    assert_eq!(host.hear_of("nap", "started").run(), nap);
    host.stop();

    let history = place.history();
    let naps = history.of("nap");
    assert_eq!(naps.len(), 1, "{naps:?}");
    assert_eq!((naps[0].id.to_string(), naps[0].attempt), (nap, 2));
    let outcomes: Vec<_> = history.attempts(&naps[0]).iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Some(Outcome::Interrupted), Some(Outcome::Cancelled)]);
}

#[test]
fn kills_again_and_again_lose_no_fire_and_double_none() {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    let jobs = ["fast", "faster"];
    let mut manifest =
        String::from("[defaults]\ncoalesce = false\nmisfire_grace = \"forever\"\nmax_instances = 4\n");
    for (job, interval) in jobs.iter().zip(["90ms", "40ms"]) {
        manifest += &format!("[jobs.{job}]\nplugin = \"echo\"\ntrigger = {{ interval = \"{interval}\" }}\n");
    }
    place.manifest(&manifest);

    let mut told = BTreeSet::new();
    let mut listen = |lines: Vec<Line>| {
        let ends = lines.into_iter().filter(|line| line.is_of(line.job(), "succeeded"));
        told.extend(ends.map(|line| line.run().to_owned()));
    };
    for round in 1..=4 {
        let mut host = place.start();
        for _ in 0..5 * round {
            host.hear_of("faster", "succeeded");
        }
        listen(host.kill());
    }
    let mut host = place.start();
    host.hear_of("fast", "succeeded");
    listen(host.stop());

    let history = place.history();
    let runs: BTreeMap<String, Run> =
        history.all().into_iter().map(|run| (run.id.to_string(), run)).collect();
    for id in &told {
        let run = runs.get(id).unwrap_or_else(|| panic!("run {id} was told of and is not on record"));
        assert_eq!(run.outcome, Some(Outcome::Succeeded), "{run:?}");
    }
    assert!(told.len() >= 50, "{}", told.len());
    for (job, step) in jobs.iter().zip([90, 40]) {
        let runs = history.of(job);
        assert!(runs.iter().all(|run| run.state.is_final()), "{job}: {runs:?}");
        let gaps: Vec<_> = runs
            .windows(2)
            .map(|two| (two[1].scheduled_at - two[0].scheduled_at).num_milliseconds())
            .filter(|gap| *gap != step)
            .collect();
        assert!(gaps.is_empty(), "{gaps:?} ms between fires of {job}, not {step}");
    }
    let interrupted = runs.values().filter(|run| run.outcome == Some(Outcome::Interrupted)).count();
    assert!(interrupted <= 4 * 2 * 4, "{interrupted} runs interrupted by four kills");
}

/// A job that waits for an answer that does not come, the first time.
fn asking(web: &WebServer, delivery: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&prebuilt("webhook"), "webhook");
    let origin = web.origin();
    place.manifest(&format!(
        "[plugins.webhook]\nallow = {{ http = [\"{origin}\"] }}\n\
         [jobs.hook]\nplugin = \"webhook\"\nargs = {{ url = \"{origin}/hang\" }}\ndelivery = \"{delivery}\"\n"
    ));
    place
}

#[test]
fn a_request_that_a_kill_cut_off_is_made_again_under_the_same_key_where_the_job_says_so() {
    let web = WebServer::start();
    let place = asking(&web, "at-least-once");
    let mut host = place.start();
    let run = host.hear_of("hook", "started").run().to_owned();
    let first = web.request();
    host.kill();
    web.hung_up();

    let mut host = place.start();
    assert_eq!(host.hear_of("hook", "succeeded").run(), run);
    host.stop();
    let second = web.request();
    let key = |request: &clockbox_tests::Request| request.header("idempotency-key").map(str::to_owned);
    assert_eq!((key(&first), key(&second)), (Some(run.clone()), Some(run)));
    assert!(web.waiting().is_empty());
    let history = place.history();
    let runs = history.of("hook");
    assert_eq!(runs.len(), 1, "{runs:?}");
    let outcomes: Vec<_> = history.attempts(&runs[0]).iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Some(Outcome::Interrupted), Some(Outcome::Succeeded)]);
}

#[test]
fn a_request_that_a_kill_cut_off_is_not_made_again_where_the_job_does_not_say_so() {
    let web = WebServer::start();
    let place = asking(&web, "at-most-once");
    let host = place.start();
    let request = web.request();
    host.kill();
    web.hung_up();

    let mut host = place.start();
    let line = host.hear_of("hook", "interrupted");
    assert_eq!(Some(line.run()), request.header("idempotency-key"));
    host.stop();
    assert!(web.waiting().is_empty());
    let runs = place.history().of("hook");
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!((runs[0].outcome, runs[0].attempt), (Some(Outcome::Interrupted), 1));
}
