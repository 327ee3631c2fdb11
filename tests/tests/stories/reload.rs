//! Files that change while the host runs: taken up at once, or refused and nothing changes.

use std::{fs, os::unix::fs::symlink};

use clockbox_core::model::Outcome;
use clockbox_tests::{Running, TestHost, guest, prebuilt};
use rustix::process::Signal;

/// A job that nobody waits for.
const QUIET: &str = "[jobs.quiet]\nplugin = \"echo\"\ntrigger = { date = \"2100-01-01 00:00:00\" }\n";

fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest(QUIET);
    place
}

fn start(place: &TestHost) -> Running {
    let mut host = place.start();
    host.ready();
    host
}

fn every(job: &str, plugin: &str, interval: &str) -> String {
    format!("[jobs.{job}]\nplugin = \"{plugin}\"\ntrigger = {{ interval = \"{interval}\" }}\n")
}

#[test]
fn jobs_are_added_changed_and_removed_while_the_host_runs() {
    let place = place();
    let mut host = start(&place);
    let once = "[jobs.once]\nplugin = \"echo\"\n";

    place.manifest(&format!("{QUIET}{once}{}", every("poll", "echo", "1h")));
    host.hear_text("reloaded: jobs +2 ~0 -0");
    let run = host.hear_of("once", "succeeded").run().to_owned();

    place.manifest(&format!("{QUIET}{once}{}", every("poll", "echo", "200ms")));
    host.hear_text("reloaded: jobs +0 ~1 -0");
    host.hear_of("poll", "succeeded");

    place.manifest(QUIET);
    host.hear_text("reloaded: jobs +0 ~0 -2");
    let history = place.history();
    assert!(history.job("once").is_none() && history.job("poll").is_none());
    assert!(history.job("quiet").is_some());
    // What it did is still known, and it did not run again when others changed.
    let runs: Vec<String> = history.of("once").iter().map(|run| run.id.to_string()).collect();
    assert_eq!(runs, [run]);
    assert!(!history.finished("poll").is_empty());
    host.stop();
}

#[test]
fn a_database_beside_the_manifest_that_is_written_to_all_the_time_hides_no_change() {
    let place = place();
    let busy = every("busy", "echo", "20ms");
    place.manifest(&busy);
    let mut host = start(&place);
    host.hear_of("busy", "succeeded");
    place.manifest(&format!("{busy}{QUIET}"));
    host.hear_text("reloaded: jobs +1 ~0 -0");
    host.hear_of("busy", "succeeded");
    host.stop();
}

#[test]
fn a_dropped_plugin_with_a_sidecar_becomes_a_job_and_is_gone_with_its_files() {
    let place = place();
    let mut host = start(&place);
    place.put("jobs/fresh.toml", b"trigger = { interval = \"200ms\" }\nargs = { who = \"me\" }\n");
    place.drop_plugin(&guest("echo"), "fresh");
    host.hear_text("reloaded: jobs +1 ~0 -0");
    host.hear_of("fresh", "succeeded");

    place.put("jobs/fresh.toml", b"trigger = { interval = \"300ms\" }\nargs = { who = \"you\" }\n");
    host.hear_text("reloaded: jobs +0 ~1 -0");
    let run = host.hear_of("fresh", "started").run().to_owned();
    host.hear("that run's end", |line| line.run() == run && line.message().starts_with("succeeded"));

    place.remove("jobs/fresh.toml");
    place.remove("jobs/fresh.wat");
    host.hear_text("reloaded: jobs +0 ~0 -1");
    host.stop();
    let history = place.history();
    assert!(history.job("fresh").is_none());
    let runs = history.finished("fresh");
    let log = |id: &str| history.log(runs.iter().find(|run| run.id.to_string() == *id).unwrap());
    assert_eq!(log(&runs[0].id.to_string()), ["{\"who\":\"me\"}"]);
    assert_eq!(log(&run), ["{\"who\":\"you\"}"]);
}

#[test]
fn a_plugin_replaced_by_a_rename_is_taken_up() {
    let place = place();
    place.drop_plugin(&guest("echo"), "changing");
    place.manifest(&every("poll", "changing", "200ms"));
    let mut host = start(&place);
    host.hear_of("poll", "succeeded");
    place.drop_plugin(&guest("exit-3"), "changing");
    host.hear_text("plugin \"changing\" was loaded anew");
    assert!(host.hear_of("poll", "failed").message().contains("exit code 3"));
    host.stop();
}

#[test]
fn a_plugin_replaced_by_pointing_its_link_elsewhere_is_taken_up() {
    let place = place();
    for release in ["echo", "exit-3"] {
        fs::create_dir_all(place.path(&format!("releases/{release}"))).unwrap();
        fs::copy(guest(release), place.path(&format!("releases/{release}/plugin.wat"))).unwrap();
    }
    // As deployments do it: one link names the release, and is swapped in one step.
    symlink("echo", place.path("releases/current")).unwrap();
    symlink("../releases/current/plugin.wat", place.path("jobs/changing.wat")).unwrap();
    place.manifest(&every("poll", "changing", "200ms"));
    let mut host = start(&place);
    host.hear_of("poll", "succeeded");
    symlink("exit-3", place.path("releases/next")).unwrap();
    fs::rename(place.path("releases/next"), place.path("releases/current")).unwrap();
    host.hear_of("poll", "failed");
    host.stop();
}

#[test]
fn a_half_copied_plugin_is_refused_until_the_rest_has_come() {
    let place = place();
    place.drop_plugin(&prebuilt("hello"), "greet");
    place.manifest(&every("poll", "greet", "200ms"));
    let mut host = start(&place);
    host.hear_of("poll", "succeeded");

    let whole = fs::read(prebuilt("prune")).unwrap();
    let (first, rest) = whole.split_at(whole.len() / 2);
    let path = place.path("jobs/greet.wasm");
    fs::write(&path, first).unwrap();
    let line = host.hear_text("the file ends in the middle");
    assert!(line.message().contains("the version loaded before stays in force"), "{line}");
    host.hear_text("not taken over");
    host.hear_of("poll", "succeeded");

    use std::io::Write as _;
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(rest).unwrap();
    // Prune is not content with the greeting's arguments.
    assert!(host.hear_of("poll", "failed").message().contains("invalid-args"), "{host}");
    host.stop();
}

#[test]
fn a_broken_manifest_is_refused_and_the_last_good_one_stays() {
    let place = place();
    let good = every("poll", "echo", "200ms");
    place.manifest(&good);
    let mut host = start(&place);
    host.hear_of("poll", "succeeded");

    place.manifest(&format!("{good}[jobs.more]\nplugin = \"ecko\"\n"));
    host.hear_text("clockbox.toml:5:");
    host.hear_text("not taken over; what was loaded before stays in force");
    host.hear_of("poll", "succeeded");
    assert!(place.history().job("more").is_none());

    place.manifest(&format!("{good}[jobs.more]\nplugin = \"echo\"\n"));
    host.hear_text("reloaded: jobs +1 ~0 -0");
    host.hear_of("more", "succeeded");
    host.stop();
}

#[test]
fn a_manifest_that_is_emptied_is_taken_for_one_that_is_being_written() {
    let place = place();
    place.manifest(&every("poll", "echo", "200ms"));
    let mut host = start(&place);
    host.hear_of("poll", "succeeded");
    place.manifest("");
    host.hear_text("the file is empty, as one is that is being written");
    host.hear_of("poll", "succeeded");
    // Somebody who means it says so.
    place.manifest("# no jobs\n");
    host.hear_text("reloaded: jobs +0 ~0 -1");
    host.stop();
}

#[test]
fn what_a_reload_refuses_is_told_each_time_that_one_is_asked_for() {
    let place = place();
    place.manifest(&every("poll", "echo", "200ms"));
    // Nothing but what is asked for: what a look at the files tells is no answer to it.
    let mut host = place.start_with(&["--no-watch"]);
    host.hear_text("asked and changed at");
    place.put("jobs/junk.wasm", b"no plugin");
    for _ in 0..2 {
        place.cli(&["reload"]).exits(1).says(&[
            "reloaded: jobs +0 ~0 -0",
            "junk.wasm",
            "all else is in force",
        ]);
    }
    place.remove("jobs/junk.wasm");
    place.cli(&["reload"]).exits(0).says(&["reloaded: jobs +0 ~0 -0"]);
    host.stop();
}

#[test]
fn a_pool_that_was_resized_stays_so_until_the_manifest_says_something_new_about_it() {
    let place = place();
    let jobs = every("poll", "echo", "200ms");
    let pool = |size: u32| format!("[pools.default]\nmax_instances = {size}\n{jobs}");
    place.manifest(&pool(4));
    let mut host = start(&place);
    host.hear_text("asked and changed at");
    let size = || place.cli(&["pools", "--json"]).exits(0).json()[0]["max_instances"].clone();
    let _ = place.cli(&["pools", "resize", "default", "--max-instances", "7"]).exits(0);
    let _ = place.cli(&["reload"]).exits(0);
    assert_eq!(size(), 7);
    place.manifest(&pool(5));
    host.hear_text("reloaded: ");
    let _ = place.cli(&["reload"]).exits(0);
    assert_eq!(size(), 5);
    host.stop();
}

#[test]
fn a_broken_sidecar_is_refused_and_the_job_it_declared_stays() {
    let place = place();
    place.drop_plugin(&guest("echo"), "beside");
    place.put("jobs/beside.toml", b"trigger = { interval = \"200ms\" }\n");
    let mut host = start(&place);
    host.hear_of("beside", "succeeded");
    place.put("jobs/beside.toml", b"trigger = { interval = \"soon\" }\n");
    host.hear_text("beside.toml:1:");
    host.hear_text("not taken over");
    host.hear_of("beside", "succeeded");
    host.stop();
    assert!(place.history().job("beside").is_some());
}

#[test]
fn without_watching_a_change_waits_for_the_signal() {
    let place = place();
    let mut host = place.start_with(&["--no-watch"]);
    host.ready();
    place.manifest(&format!("{QUIET}{}", every("poll", "echo", "200ms")));
    host.signal(Signal::HUP);
    host.hear_text("reloaded: jobs +1 ~0 -0");
    host.hear_of("poll", "succeeded");
    // Nothing else reloads: the next change shows only in the answer to the next signal.
    place.manifest(QUIET);
    host.hear_of("poll", "succeeded");
    assert!(place.history().job("poll").is_some());
    host.signal(Signal::HUP);
    host.hear_text("reloaded: jobs +0 ~0 -1");
    host.stop();
}

#[test]
fn rights_that_are_taken_away_are_gone_even_when_the_plugin_cannot_do_without() {
    let place = place();
    place.drop_plugin(&prebuilt("webhook"), "hook");
    let job = format!("{}args = {{ url = \"http://127.0.0.1:1/\" }}\n", every("poll", "hook", "200ms"));
    place.manifest(&format!("[plugins.hook]\nallow = {{ http = [\"http://127.0.0.1:1\"] }}\n{job}"));
    let mut host = start(&place);
    assert!(host.hear_of("poll", "failed").message().contains("connect"), "{host}");
    place.manifest(&job);
    host.hear_text("needs the right `allow.http`, and that is not granted");
    assert!(host.hear_of("poll", "host-error").message().contains("could not be loaded"), "{host}");
    host.stop();
}

#[test]
fn a_run_in_flight_keeps_the_plugin_it_began_with() {
    let place = place();
    place.drop_plugin(&guest("sleep"), "changing");
    let manifest = "[plugins.changing]\nlimits = { timeout = \"3s\" }\n[jobs.nap]\nplugin = \"changing\"\n";
    place.manifest(manifest);
    let mut host = place.start();
    let nap = host.hear_of("nap", "started").run().to_owned();
    place.drop_plugin(&guest("exit-3"), "changing");
    place.manifest(&format!("{manifest}[jobs.after]\nplugin = \"changing\"\n"));
    host.hear_of("after", "failed");
    let end = host.hear_of("nap", "timed-out");
    assert_eq!(end.run(), nap);
    host.stop();
    let history = place.history();
    assert_eq!(history.of("nap").len(), 1);
    assert_eq!(history.of("nap")[0].outcome, Some(Outcome::TimedOut));
}

#[test]
fn a_file_that_breaks_does_not_cost_its_own_job_its_place_in_the_schedule() {
    let place = place();
    // Its own description says when it runs; nothing else does.
    place.drop_plugin(&prebuilt("hello"), "hello");
    let mut host = start(&place);
    // Told once it is in the store.
    host.hear_of("hello", "added");
    let due = |host: &Running, when: &str| {
        let job = place.history().job("hello");
        job.unwrap_or_else(|| panic!("{when} its job is not in the store; {host}")).next_fire
    };
    let before = due(&host, "once added");
    assert!(before.is_some());

    let whole = fs::read(prebuilt("hello")).unwrap();
    fs::write(place.path("jobs/hello.wasm"), &whole[..whole.len() / 2]).unwrap();
    host.hear_text("the file ends in the middle");
    assert_eq!(due(&host, "while the host runs"), before, "while the host runs; {host}");
    host.stop();

    let mut host = start(&place);
    assert_eq!(due(&host, "after a start"), before, "after a start; {host}");
    place.drop_plugin(&prebuilt("hello"), "hello");
    host.hear_text("the problems are gone");
    let when = "after the file is whole again";
    assert_eq!(due(&host, when), before, "{when}; {host}");
    host.stop();
}

#[test]
fn a_job_kept_by_a_start_with_a_broken_sidecar_is_gone_with_its_files() {
    let place = place();
    place.drop_plugin(&guest("echo"), "drop");
    place.put("jobs/drop.toml", b"trigger = { interval = \"200ms\" }\n");
    let mut host = start(&place);
    host.hear_of("drop", "succeeded");
    host.stop();

    place.put("jobs/drop.toml", b"trigger = { interval = \"soon\" }\n");
    let mut host = start(&place);
    let end = host.hear_of("drop", "host-error");
    assert!(end.message().contains("drop.toml:1:"), "{end}");
    place.remove("jobs/drop.toml");
    place.remove("jobs/drop.wat");
    // A reload may come between the two, so either may be told first.
    let mut missing = vec!["reloaded: jobs +0 ~0 -1", "the problems are gone"];
    while !missing.is_empty() {
        let line = host.hear("the end of job and problems", |line| {
            missing.iter().any(|text| line.message().contains(text))
        });
        missing.retain(|text| !line.message().contains(text));
    }
    host.stop();
    assert!(place.history().job("drop").is_none());
}

#[test]
fn what_changed_of_a_job_while_the_host_was_down_is_taken_when_its_plugin_is_whole_again() {
    let place = place();
    place.drop_plugin(&prebuilt("hello"), "greet");
    place.manifest(&every("poll", "greet", "1h"));
    let host = start(&place);
    host.stop();

    let whole = fs::read(prebuilt("hello")).unwrap();
    place.put("jobs/greet.wasm", &whole[..whole.len() / 2]);
    place.manifest(&every("poll", "greet", "200ms"));
    let mut host = start(&place);
    place.drop_plugin(&prebuilt("hello"), "greet");
    host.hear_text("reloaded: jobs +0 ~1 -0");
    host.hear_of("poll", "succeeded");
    host.stop();
}

#[test]
fn a_job_can_be_moved_off_a_broken_plugin() {
    let place = place();
    let whole = fs::read(prebuilt("hello")).unwrap();
    place.drop_plugin(&prebuilt("hello"), "greet");
    place.manifest(&every("poll", "greet", "1h"));
    let mut host = start(&place);
    place.put("jobs/greet.wasm", &whole[..whole.len() / 2]);
    host.hear_text("the file ends in the middle");
    place.manifest(&every("poll", "echo", "200ms"));
    host.hear_text("reloaded: jobs +0 ~1 -0");
    host.hear_of("poll", "succeeded");
    host.stop();

    // Moved back while the plugin is broken, and off again while the host is down.
    place.manifest(&every("poll", "greet", "1h"));
    let host = start(&place);
    host.stop();
    place.manifest(&every("poll", "echo", "200ms"));
    let mut host = start(&place);
    host.hear_of("poll", "succeeded");
    host.stop();
}
