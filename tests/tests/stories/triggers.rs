//! Fire times, asked for at the terminal.

use std::fs;

use clockbox_tests::{TestHost, guest};

const MANIFEST: &str = r#"
[scheduler]
timezone = "Europe/Berlin"

[plugins.hello]
path = "hello.wat"

[jobs.often]
plugin = "hello"
trigger = { cron = "*/10 * * * *" }

[jobs.nightly]
plugin = "hello"
trigger = { cron = "30 2 * * *" }

[jobs.over]
plugin = "hello"
trigger = { cron = { year = 1999 } }
"#;

fn place() -> TestHost {
    let place = crate::place();
    fs::write(place.path("clockbox.toml"), MANIFEST).unwrap();
    fs::copy(guest("echo.wat"), place.path("hello.wat")).unwrap();
    place
}

#[test]
fn a_day_is_simulated_without_running_anything() {
    let place = place();
    // The day on which the clocks go back has 25 hours; 02:30 counts once.
    let window = ["--from", "2026-10-25", "--to", "2026-10-26"];
    let text = place.cli(&[&["simulate"], &window[..], &["-n", "3"]].concat()).exits(0);
    text.says(&[
        "2026-10-25 00:00:00 +02:00 to 2026-10-26 00:00:00 +01:00 (Europe/Berlin): 151 fires of 3 jobs",
        "2026-10-25 00:20:00 +02:00  Europe/Berlin  often",
        "… and 148 more",
        "nightly  1      2026-10-25 02:30:00 +02:00",
        "2026-10-25 02:00 +02:00        7",
        "2026-10-25 02:00 +01:00        6",
        "2026-10-25 02:30 +02:00        2  nightly, often",
    ]);
    let json = place.cli(&[&["simulate", "--json"], &window[..]].concat()).exits(0).json();
    assert_eq!(json["fires"].as_array().map(Vec::len), Some(151));
    assert_eq!(json["hours"].as_array().map(Vec::len), Some(25));
    assert_eq!(json["jobs"][2]["first"], serde_json::Value::Null);
    let ical = place.cli(&[&["simulate", "--ical"], &window[..]].concat()).exits(0);
    assert_eq!(ical.stdout.matches("BEGIN:VEVENT").count(), 151);
    let week = place.cli(&["simulate", "--from", "2026-10-22", "--for", "7d", "-n", "0"]).exits(0);
    week.says(&[
        "2026-10-25  ▇▇█▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇      151",
        "2026-10-26  ▇▇█▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇       145",
    ]);
    assert!(!place.path("clockbox.db").exists(), "a simulation leaves no trace");
}

#[test]
fn a_window_that_makes_no_sense_is_refused() {
    let place = place();
    place
        .cli(&["simulate", "--from", "2026-10-25", "--to", "2026-10-24"])
        .exits(2)
        .says(&["which is not after its begin"]);
    place
        .cli(&["simulate", "--from", "2026-10-25", "--to", "2526-10-25"])
        .exits(2)
        .says(&["is more than 10 years long: take a shorter one"]);
    place
        .cli(&["simulate", "--from", "yesterday"])
        .exits(2)
        .says(&["\"yesterday\" is not a date", "hint: write \"2030-11-06\""]);
    place
        .cli(&["simulate", "--job", "oftn"])
        .exits(1)
        .says(&["no job \"oftn\"", "hint: did you mean \"often\"?"]);
}

#[test]
fn a_trigger_is_evaluated_without_a_manifest_or_in_the_zone_of_one() {
    let place = place();
    let question = ["next", "--cron", "30 5 * * mon-fri", "--after", "2026-03-01", "-n", "1"];
    place.cli(&question).exits(0).says(&["at 05:30, Monday to Friday, UTC", "2026-03-02 05:30:00 +00:00"]);
    let shanghai = [&question[..], &["--timezone", "Asia/Shanghai"]].concat();
    place.cli(&shanghai).exits(0).says(&["2026-03-02 05:30:00 +08:00", "in 1 d 5 h"]);
    let manifest = [&question[..], &["-C", "."]].concat();
    place.cli(&manifest).exits(0).says(&["2026-03-02 05:30:00 +01:00"]);
    place
        .cli(&["next", "--cron", "@daily", "--timezone", "Shanghai"])
        .exits(2)
        .says(&["did you mean \"Asia/Shanghai\"?"]);
}

#[test]
fn each_fire_of_a_manifest_is_shown_with_what_its_trigger_means() {
    let place = place();
    let question = ["next", "--after", "2026-10-25 02:05:00", "-n", "3"];
    let table = place.cli(&question).exits(0);
    table.says(&[
        "FIRE",
        "JOB",
        "TRIGGER",
        "every 10 minutes, Europe/Berlin",
        "at 02:30, every day, Europe/Berlin",
    ]);
    let json = place.cli(&[&question[..], &["--json"]].concat()).exits(0).json();
    assert_eq!(json[0]["fire"], "2026-10-25T02:10:00+02:00");
    assert_eq!(json[0]["trigger"], "every 10 minutes, Europe/Berlin");
}

#[test]
fn a_bad_trigger_is_told_all_its_faults_once() {
    let place = place();
    let answer =
        place.cli(&["next", "--trigger", "{ cron = { hour = 24, minute = \"x\" }, evry = 1 }"]).exits(2);
    let expected = "error: trigger.cron.hour: 24 is out of range: hour takes 0 to 23\n\
                    error: trigger.cron.minute: \"x\" is not understood: minute takes 0 to 59\n\
                    error: trigger.evry: unknown key\n\
                    hint: the keys here are date, interval, cron, calendar, all, any, start, end, timezone, jitter\n";
    assert_eq!(answer.stderr, expected);
    let broken = place.cli(&["next", "--trigger", "{ cron = "]).exits(2);
    assert!(broken.stderr.starts_with("error: TOML syntax error: "), "{broken}");
    assert!(!broken.stderr.contains("unknown key"), "{broken}");
    let never = place.cli(&["next", "--cron", "0 0 30 2 *"]).exits(2);
    assert_eq!(
        never.stderr,
        "error: cron: it can never fire: no year has a day that matches \"0 0 30 2 *\"\n"
    );
}

#[test]
fn a_job_that_fires_no_more_fails_the_check_and_not_the_host() {
    let place = place();
    place.cli(&["check"]).exits(1).says(&[
        "jobs.over.trigger.cron: it fires no more: its last year, 1999",
        "often    every 10 minutes",
        "; fires no more",
    ]);
    let mut host = place.start();
    host.hear("a warning", |line| line.message().contains("it fires no more: its last year, 1999"));
    host.stop();
}

#[test]
fn the_version_names_the_time_zone_data_and_newer_data_of_the_system_is_used() {
    let place = place();
    place.cli(&["--version"]).exits(0).says(&["clockbox 0.", "\ntime zone data 20", " (bundled)"]);
    // A release to come, in which Shanghai has moved: it is nine hours ahead of UTC all year.
    let zones = place.path("zoneinfo");
    fs::create_dir_all(zones.join("Asia")).unwrap();
    fs::write(zones.join("tzdata.zi"), "# version 9999a\n").unwrap();
    fs::write(zones.join("Asia/Shanghai"), fixed_zone(9 * 3600)).unwrap();
    let zones = zones.to_str().unwrap();
    let newer = |args: &[&str]| place.cli_with(args, &[("TZDIR", zones)]).exits(0);
    newer(&["--version"]).says(&["time zone data 9999a", zones]);
    let question =
        |zone| ["next", "--cron", "@daily", "--after", "2026-03-01T00:00:00Z", "-n", "1", "--timezone", zone];
    newer(&question("Asia/Shanghai")).says(&["2026-03-02 00:00:00 +09:00"]);
    newer(&question("Asia/Tokyo")).says(&["2026-03-02 00:00:00 +09:00"]);
    newer(&question("Europe/Berlin")).says(&["2026-03-02 00:00:00 +01:00"]);
}

/// A zone's file (RFC 9636) with one offset for all time.
fn fixed_zone(offset: i32) -> Vec<u8> {
    let header = |types: u32, chars: u32| {
        let counts = [0, 0, 0, 0, types, chars].map(u32::to_be_bytes).concat();
        [b"TZif2".as_slice(), &[0; 15], &counts].concat()
    };
    let body = |name: &[u8]| [&offset.to_be_bytes(), [0, 0].as_slice(), name, &[0]].concat();
    [header(1, 4), body(b"ABC"), header(1, 4), body(b"ABC"), b"\nABC-9\n".to_vec()].concat()
}
