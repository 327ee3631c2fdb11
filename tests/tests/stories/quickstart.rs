//! What the README promises first: the quickstart runs, and its history can be read.

use std::{fs, path::Path};

use clockbox_core::model::{Outcome, RunState};
use clockbox_tests::{Running, TestHost, guest, repository};
use rustix::process::Signal;

/// The example as somebody has it who just cloned the repository.
fn quickstart() -> TestHost {
    let place = crate::place();
    copy(&repository().join("examples/quickstart"), place.folder());
    place
}

/// Copies what git would: no database of whoever tried the example here.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            fs::create_dir_all(to.join(&name)).unwrap();
            copy(&path, &to.join(&name));
        } else if !name.to_string_lossy().contains(".db") {
            fs::copy(&path, to.join(&name)).unwrap();
        }
    }
}

#[test]
fn every_job_of_the_quickstart_runs_and_leaves_its_log() {
    let place = quickstart();
    let mut host = place.start();
    let ready = host.ready();
    assert!(ready.message().contains("3 plugins, 4 jobs and 1 pool"), "{ready}");
    let mut missing = vec!["hello", "on-the-tens", "ping", "tidy"];
    while !missing.is_empty() {
        let line = host.hear("all four jobs succeeded", |line| line.message().starts_with("succeeded"));
        missing.retain(|job| *job != line.job());
    }

    // While it runs, the history can be read.
    let history = place.history();
    let first =
        |job: &str| history.finished(job).into_iter().next().unwrap_or_else(|| panic!("no run of {job}"));
    for (job, says) in [
        ("hello", "hello world"),
        ("on-the-tens", "hello cron"),
        ("ping", "ping from a file of WebAssembly text"),
        ("tidy", "would delete"),
    ] {
        let run = first(job);
        assert_eq!(run.outcome, Some(Outcome::Succeeded), "{run:?}");
        let log = history.log(&run);
        assert!(log.iter().any(|line| line.contains(says)), "{job}: {log:?}");
    }
    host.stop();
    assert!(place.path("scratch/backup.log").exists(), "a dry run deletes nothing");
}

#[test]
fn the_history_is_answered_for_people_and_for_programs() {
    let place = quickstart();
    let mut host = place.start();
    let line = host.hear_of("hello", "succeeded");
    let id = line.run().to_owned();

    let table = place.cli(&["runs"]).exits(0);
    table.says(&["RUN", "SCHEDULED", &id, "hello", "succeeded"]);
    let runs = place.cli(&["runs", "--job", "hello", "--outcome", "succeeded", "--json"]).exits(0).json();
    let run = runs.as_array().unwrap().iter().find(|run| run["id"] == *id).unwrap();
    assert_eq!(run["job"], "hello");
    assert_eq!(run["plugin"], "hello");
    assert_eq!(run["cause"], "trigger");
    assert_eq!(run["state"], "finished");
    assert_eq!(run["outcome"], "succeeded");
    assert_eq!(run["attempt"], 1);
    for key in ["scheduled_at", "started_at", "finished_at"] {
        let time = run[key].as_str().unwrap();
        assert!(time.parse::<clockbox_core::model::Timestamp>().is_ok(), "{key}: {time}");
    }
    assert_eq!(place.cli(&["runs", "--outcome", "trapped", "--json"]).exits(0).json(), serde_json::json!([]));

    let shown = place.cli(&["runs", "show", &id]).exits(0);
    shown.says(&["outcome    succeeded", "hello world", "attempt    1 succeeded after"]);
    let detail = place.cli(&["runs", "show", &id, "--json"]).exits(0).json();
    assert_eq!(detail["id"], *id);
    assert_eq!(detail["attempts"][0]["outcome"], "succeeded");
    assert!(detail["logs"][0]["message"].as_str().unwrap().contains("hello world"), "{detail}");

    assert_eq!(place.cli(&["runs", "show", &id[..id.len() - 2], "--json"]).exits(0).json()["id"], *id);
    place.cli(&["runs", "show", "zzz"]).exits(2).says(&["is not the beginning of a run id"]);
    place.cli(&["runs", "show", "0000000000000"]).exits(1).says(&["no run"]);
    host.stop();
}

#[test]
fn the_command_of_the_readme_speaks_to_people_from_whatever_folder_it_is_typed_in() {
    let place = quickstart();
    let elsewhere = crate::place();
    let mut command = place.command();
    command.current_dir(elsewhere.folder()).env_remove("CLOCKBOX_LOG").arg("run").arg(place.folder());
    let mut host = TestHost::start_as(command);
    host.ready();
    host.hear_text("hello        next ");
    host.hear_text("hello        | hello world");
    let line = host.hear_text("hello        succeeded in ");
    assert_eq!(line.message().as_bytes()[2], b':', "the time comes first: {line}");
    host.stop();
    assert!(place.path("clockbox.db").exists(), "the store lies beside the manifest");
    assert!(!elsewhere.path("clockbox.db").exists());
    // Another command finds it from there, by `-C` as well.
    let mut command = elsewhere.command();
    command.args(["runs", "--json", "-C"]).arg(place.folder());
    let output = command.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"hello\""));
}

#[test]
fn what_fires_next_is_answered_without_a_host() {
    let place = quickstart();
    let after = ["--after", "2030-01-01T00:00:00Z"];
    let next =
        place.cli(&[&["next", "--job", "on-the-tens", "-n", "3", "--json"], &after[..]].concat()).exits(0);
    let next = next.json();
    let fires: Vec<&str> =
        next.as_array().unwrap().iter().map(|fire| fire["fire"].as_str().unwrap()).collect();
    assert_eq!(
        fires,
        ["2030-01-01T00:00:00+00:00", "2030-01-01T00:00:10+00:00", "2030-01-01T00:00:20+00:00"]
    );
    let table = place.cli(&[&["next"], &after[..]].concat()).exits(0);
    table.says(&["2030-01-01 00:00:00 +00:00", "on-the-tens", "hello", "ping", "tidy"]);
    assert!(!place.path("clockbox.db").exists(), "looking creates no database");
}

#[test]
fn the_quickstart_is_checked_and_found_good() {
    let place = quickstart();
    let answer = place.cli(&["check"]).exits(0);
    answer.says(&["4 jobs"]);
    let report = place.cli(&["check", "--json"]).exits(0).json();
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["problems"], serde_json::json!([]), "{report}");
    assert!(!place.path("clockbox.db").exists(), "checking creates no database");
}

/// A host with a job that sleeps for an hour, asleep.
fn sleeper(place: &TestHost, grace: &str) -> Running {
    place.drop_plugin(&guest("sleep"), "sleep");
    place.manifest(&format!("[scheduler]\nshutdown_grace = \"{grace}\"\n[jobs.nap]\nplugin = \"sleep\"\n"));
    let mut host = place.start();
    host.hear_of("nap", "started");
    host
}

#[test]
fn either_signal_drains_and_ends_with_exit_code_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = crate::place();
        let mut host = sleeper(&place, "100ms");
        host.signal(signal);
        host.hear_text("stopping: runs have 100 ms to end");
        assert_eq!(host.end().code(), Some(0), "{host}");
        let run = &place.history().of("nap")[0];
        assert_eq!((run.state, run.outcome), (RunState::Finished, Some(Outcome::Cancelled)), "{run:?}");
        assert!(run.reason.as_deref().unwrap_or_default().contains("stopped"), "{run:?}");
    }
}

#[test]
fn a_drain_lets_what_runs_end_and_starts_nothing_more() {
    let place = crate::place();
    place.drop_plugin(&guest("sleep"), "sleep");
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest(
        "[plugins.sleep]\nlimits = { timeout = \"2s\" }\n[jobs.nap]\nplugin = \"sleep\"\n\
         [jobs.tick]\nplugin = \"echo\"\ntrigger = { interval = \"100ms\" }\n",
    );
    let mut host = place.start();
    host.hear_of("nap", "started");
    host.hear_of("tick", "succeeded");
    host.signal(Signal::TERM);
    host.hear_text("stopping: runs have 30 s to end");
    let told = host.heard().len();
    host.hear_of("nap", "timed-out");
    assert_eq!(host.end().code(), Some(0), "{host}");
    // What was on its way at the signal may start still; after that a job of every 100 ms is silent for its nap.
    let started = host.heard()[told..].iter().filter(|line| line.is_of("tick", "started")).count();
    assert!(started <= 1, "{started} more runs started; {host}");
    let history = place.history();
    assert!(history.all().iter().all(|run| run.state.is_final()), "{host}");
    assert_eq!(history.of("nap")[0].outcome, Some(Outcome::TimedOut));
}

#[test]
fn a_second_signal_stops_at_once_and_the_run_is_found_interrupted() {
    let place = crate::place();
    let mut host = sleeper(&place, "1h");
    host.signal(Signal::INT);
    host.hear_text("a second signal stops at once");
    host.signal(Signal::INT);
    assert_eq!(host.end().code(), Some(130), "{host}");
    assert_eq!(place.history().of("nap")[0].state, RunState::Running);

    place.manifest("[jobs.other]\nplugin = \"sleep\"\ntrigger = { date = \"2100-01-01 00:00:00\" }\n");
    let mut host = place.start();
    host.ready();
    host.stop();
    let run = &place.history().of("nap")[0];
    assert_eq!((run.state, run.outcome), (RunState::Finished, Some(Outcome::Interrupted)), "{run:?}");
}
