//! Guests that misbehave: each is told what it got, and none takes anything from the others.

use std::collections::BTreeSet;

use clockbox_core::model::{Outcome, Run};
use clockbox_tests::{Running, TestHost, guest};

/// A place with these guests, each with small limits and a job of its name that runs once.
fn place(guests: &[&str], more: &str) -> TestHost {
    let place = crate::place();
    let mut manifest = String::from("[pools.default]\nmax_instances = 20\n");
    for name in guests {
        place.drop_plugin(&guest(name), name);
        let timeout = if ["spin", "start-spin", "sleep"].contains(name) { "500ms" } else { "30s" };
        manifest += &format!(
            "[plugins.{name}]\nlimits = {{ timeout = \"{timeout}\", memory = \"16MiB\", log = \"8KiB\" }}\n"
        );
        manifest += &format!("[jobs.{name}]\nplugin = \"{name}\"\n");
    }
    place.manifest(&(manifest + more));
    place
}

/// Waits until each of these jobs has ended once.
#[track_caller]
fn ended(host: &mut Running, jobs: &[&str]) {
    let mut missing: BTreeSet<&str> = jobs.iter().copied().collect();
    while !missing.is_empty() {
        let line = host.hear(&format!("the end of {missing:?}"), |line| {
            Outcome::ALL.iter().any(|outcome| line.is_of(line.job(), outcome.as_str()))
        });
        missing.remove(line.job());
    }
}

fn only(runs: Vec<Run>) -> Run {
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.into_iter().next().unwrap()
}

#[test]
fn every_guest_of_the_gallery_ends_as_it_deserves() {
    let guests = ["spin", "start-spin", "sleep", "oom", "trap", "stack-overflow", "exit-3", "flood", "echo"];
    let place = place(&guests, "args = { greeting = \"to whom it may concern\" }\n");
    let mut host = place.start();
    ended(&mut host, &guests);
    host.stop();

    let history = place.history();
    for (job, outcome, reason) in [
        ("spin", Outcome::TimedOut, "500ms"),
        ("start-spin", Outcome::TimedOut, "500ms"),
        ("sleep", Outcome::TimedOut, "500ms"),
        ("oom", Outcome::OutOfMemory, "16"),
        ("trap", Outcome::Trapped, "unreachable"),
        ("stack-overflow", Outcome::Trapped, "stack"),
        ("exit-3", Outcome::Failed, "exit code 3"),
        ("flood", Outcome::Succeeded, ""),
        ("echo", Outcome::Succeeded, ""),
    ] {
        let run = only(history.of(job));
        assert_eq!(run.outcome, Some(outcome), "{run:?}");
        assert!(run.reason.as_deref().unwrap_or_default().contains(reason), "{run:?}");
        let attempts = history.attempts(&run);
        assert_eq!(attempts.len(), 1, "{attempts:?}");
        assert_eq!(attempts[0].outcome, Some(outcome));
        let peak = attempts[0].peak_memory.unwrap_or_default();
        assert!(peak <= 16 << 20, "{job} held {peak} bytes");
    }
    let log = |job: &str| history.log(&only(history.of(job)));
    assert_eq!(log("exit-3"), ["disk is full"]);
    assert_eq!(log("echo"), ["{\"greeting\":\"to whom it may concern\"}"]);
}

#[test]
fn guests_that_spin_keep_nobody_from_running() {
    let place = crate::place();
    place.drop_plugin(&guest("spin"), "spin");
    place.drop_plugin(&guest("echo"), "echo");
    let mut manifest =
        String::from("[scheduler]\nshutdown_grace = \"0s\"\n[plugins.spin]\nlimits = { timeout = \"1h\" }\n");
    let spinners = ["spin-1", "spin-2", "spin-3", "spin-4"];
    for job in spinners {
        manifest += &format!("[jobs.{job}]\nplugin = \"spin\"\n");
    }
    place.manifest(&(manifest + "[jobs.tick]\nplugin = \"echo\"\ntrigger = { interval = \"100ms\" }\n"));
    let mut host = place.start();
    for _ in spinners {
        host.hear("a spinner starts", |line| line.job().starts_with("spin") && line.message() == "started");
    }
    for _ in 0..5 {
        host.hear_of("tick", "succeeded");
    }
    host.stop();
    let history = place.history();
    for job in spinners {
        assert_eq!(only(history.of(job)).outcome, Some(Outcome::Cancelled));
    }
}

#[test]
fn a_trap_is_shown_with_the_names_of_its_functions() {
    let place = place(&["trap"], "");
    let mut host = place.start();
    let run = host.hear_of("trap", "trapped").run().to_owned();
    host.stop();
    let shown = place.cli(&["runs", "show", &run]).exits(0);
    shown.says(&["outcome    trapped", "unreachable", "inner", "middle", "outer"]);
    let detail = place.cli(&["runs", "show", &run, "--json"]).exits(0).json();
    let trace = detail["attempts"][0]["backtrace"].as_str().unwrap();
    let at = |name: &str| trace.find(name).unwrap_or_else(|| panic!("{name}: {trace}"));
    assert!(at("inner") < at("middle") && at("middle") < at("outer"), "{trace}");
}

#[test]
fn a_flood_of_lines_is_cut_at_the_limit_with_a_marker() {
    let place = place(&["flood"], "");
    let mut host = place.start();
    host.hear_of("flood", "succeeded");
    host.stop();
    let history = place.history();
    let log = history.log(&only(history.of("flood")));
    let marker = log
        .iter()
        .position(|line| line.contains("log limit of 8.0 KiB reached"))
        .unwrap_or_else(|| panic!("no marker: {:?}", log.last()));
    let kept: usize = log[..marker].iter().map(String::len).sum();
    assert!(log[0].starts_with("line 0000 "), "{}", log[0]);
    assert!((6 << 10..=8 << 10).contains(&kept), "{kept} bytes in {marker} lines");
    assert!(log.len() < 200, "{} lines", log.len());
}

#[test]
fn a_failing_job_is_tried_again_and_each_attempt_is_on_record() {
    let place = place(&["exit-3"], "retry = { attempts = 3, backoff = \"10ms\" }\n");
    let mut host = place.start();
    for attempt in ["attempt 1 failed", "attempt 2 failed"] {
        host.hear_of("exit-3", attempt);
    }
    let last = host.hear_of("exit-3", "failed");
    assert!(last.message().contains("at attempt 3"), "{last}");
    host.stop();
    let history = place.history();
    let run = only(history.of("exit-3"));
    assert_eq!((run.attempt, run.outcome), (3, Some(Outcome::Failed)), "{run:?}");
    let attempts = history.attempts(&run);
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2, 3]);
    for attempt in &attempts {
        assert_eq!(attempt.outcome, Some(Outcome::Failed), "{attempt:?}");
        assert!(attempt.reason.as_deref().unwrap_or_default().contains("exit code 3"), "{attempt:?}");
        assert!(attempt.finished_at.unwrap() >= attempt.started_at, "{attempt:?}");
    }
    assert!(attempts.windows(2).all(|two| two[1].started_at >= two[0].finished_at.unwrap()), "{attempts:?}");
    assert_eq!(history.log(&run), ["disk is full"; 3]);
}

#[test]
fn a_host_that_is_asked_for_core_dumps_says_where_the_one_of_a_trap_is() {
    let place = place(&["trap", "exit-3"], "");
    let cores = place.path("cores");
    let mut host = place.start_with(&["--coredump", cores.to_str().unwrap()]);
    ended(&mut host, &["trap", "exit-3"]);
    host.stop();
    let run = only(place.history().of("trap"));
    let core = cores.canonicalize().unwrap().join(format!("{}-1.core", run.id));
    let reason = run.reason.unwrap();
    assert!(reason.contains(&format!("core dump: {}", core.display())), "{reason}");
    assert!(std::fs::read(&core).unwrap().starts_with(b"\0asm"));
    assert_eq!(std::fs::read_dir(&cores).unwrap().count(), 1, "an exit code leaves none");
}
