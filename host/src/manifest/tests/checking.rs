//! What `check` says.

use std::sync::Arc;

use clockbox_core::model::{Job, JobRecord, Pause, Timestamp};

use super::*;
use crate::manifest::{Severity, Stored, passes, report, report_json};

fn now() -> Timestamp {
    "2026-03-02T00:00:00Z".parse().unwrap()
}

const TEXT: &str = r#"
[jobs.hello]
trigger = { cron = "30 5 * * *", timezone = "Asia/Tokyo" }
description = "greets"
[jobs.over]
plugin = "hello"
trigger = { date = "2030-01-01" , end = "2031-01-01" }
[jobs.off]
plugin = "hello"
enabled = false
"#;

#[test]
fn a_good_manifest_is_summed_up_with_each_trigger_and_its_next_fire() {
    let loaded = read(TEXT, &hello());
    assert!(passes(&loaded));
    let text = report(&loaded, &Stored::new(), now());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "clockbox.toml: 2 jobs, 1 plugin, 1 pool; time zone UTC (none is given)");
    assert!(lines[1].starts_with("  hello  "), "{text}");
    assert!(lines[1].ends_with("; next 2026-03-03 05:30:00 +09:00"), "{text}");
    assert_eq!(lines[2], "  off    disabled");
    assert!(lines[3].ends_with("; next 2030-01-01 00:00:00 +00:00"), "{text}");
    assert_eq!(lines[4], "ok");
    let late = report(
        &read(
            "[jobs.hello]\ntrigger = { interval = \"1h\", start = 2030-01-01, end = 2031-01-01 }",
            &hello(),
        ),
        &Stored::new(),
        "2040-01-01T00:00:00Z".parse().unwrap(),
    );
    assert!(late.contains("; fires no more\n"), "{late}");
}

#[test]
fn the_json_has_the_same_facts() {
    let json = report_json(&read(TEXT, &hello()), &Stored::new(), now());
    assert_eq!(json["ok"], true);
    assert_eq!(json["jobs"][0]["id"], "hello");
    assert_eq!(json["jobs"][0]["next_fire"], "2026-03-03T05:30:00+09:00");
    assert_eq!(json["jobs"][0]["description"], "greets");
    assert_eq!(json["jobs"][0]["declared_at"], "clockbox.toml:2:7");
    assert_eq!(json["disabled"], serde_json::json!(["off"]));
    assert_eq!(json["pools"][0]["max_instances"], 20);
    assert_eq!(json["problems"], serde_json::json!([]));
}

#[test]
fn a_refused_plugin_fails_the_check_and_names_the_jobs_that_are_left_out() {
    let files =
        vec![PluginFile::dropped("jobs/a.wasm").with_sidecar("x = 1\ntrigger = { interval = \"2h\" }")];
    let loaded = read("[jobs.b]\nplugin = \"a\"", &Surroundings::with_files(files));
    assert!(!passes(&loaded));
    let text = report(&loaded, &Stored::new(), now());
    assert!(text.starts_with("jobs/a.toml:1:1: x: unknown key\n  1 | x = 1\n    | ^\n"), "{text}");
    assert!(text.ends_with("refused: jobs/a.wasm; jobs left out: b\n1 error\n"), "{text}");
    let json = report_json(&loaded, &Stored::new(), now());
    assert_eq!((&json["ok"], &json["problems"][0]["line"]), (&false.into(), &1.into()));
}

#[test]
fn a_bad_manifest_has_nothing_but_problems() {
    let loaded = read("a = 1\nb = 2", &hello());
    let text = report(&loaded, &Stored::new(), now());
    assert!(text.ends_with("\n2 errors\n"), "{text}");
    let json = report_json(&loaded, &Stored::new(), now());
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(2));
    assert!(json.get("jobs").is_none());
}

fn record(job: &Job, last_fire: Option<Timestamp>) -> Stored {
    let job = Arc::new(job.clone());
    let next_fire = job.trigger.next_after(last_fire, now());
    let record = JobRecord { job, next_fire, last_fire, last_success: None, paused: None, declared: None };
    Stored::from([(record.job.id.clone(), record)])
}

#[test]
fn a_job_that_can_fire_no_more_is_a_problem_unless_it_has_fired() {
    let text = "[jobs.hello]\ntrigger = { cron = { year = 1999 } }";
    let manifest = read(text, &hello()).unwrap().manifest;
    let found = manifest.exhausted(&Stored::new(), now());
    let [(job, problem)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((job.as_str(), problem.severity), ("hello", Severity::Error));
    let text = problem.to_string();
    assert!(text.starts_with("clockbox.toml:1:7: jobs.hello.trigger.cron: it fires no more"), "{text}");
    assert!(text.contains("its last year, 1999"), "{text}");
    let last = "1999-01-01T00:00:00Z".parse().ok();
    let job = &manifest.jobs["hello"];
    assert_eq!(manifest.exhausted(&record(job, last), now()), []);
    assert_eq!(manifest.exhausted(&record(job, None), now()).len(), 1, "known, but it never fired");
}

#[test]
fn a_date_that_has_gone_by_is_doubtful_when_it_is_too_late_to_run() {
    let read = |date: &str, grace: &str| {
        let job = format!("[jobs.hello]\ntrigger = {{ date = \"{date}\" }}\nmisfire_grace = \"{grace}\"");
        read(&job, &hello()).unwrap().manifest
    };
    let old = read("2026-02-01", "1h");
    let found = old.exhausted(&Stored::new(), now());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1.severity, Severity::Warning);
    assert!(found[0].1.message.contains("recorded as missed"), "{}", found[0].1);
    assert_eq!(old.exhausted(&record(&old.jobs["hello"], Some(now())), now()), []);
    for (date, grace) in [("2026-02-01", "forever"), ("2026-03-01 23:30:00", "1h"), ("2026-04-01", "1h")] {
        assert_eq!(read(date, grace).exhausted(&Stored::new(), now()), [], "{date}");
    }
}

#[test]
fn the_next_fire_is_the_one_that_the_store_knows() {
    let loaded = read("[jobs.hello]\ntrigger = { interval = \"10h\" }", &hello());
    let job = loaded.as_ref().unwrap().manifest.jobs["hello"].clone();
    let mut stored = record(&job, "2026-03-01T19:00:00Z".parse().ok());
    let text = |stored: &Stored| report(&loaded, stored, now());
    assert!(text(&stored).contains("; next 2026-03-02 05:00:00 +00:00\n"), "{}", text(&stored));
    stored.get_mut(&job.id).unwrap().next_fire = "2026-03-01T23:00:00Z".parse().ok();
    assert!(text(&stored).contains("; due since 2026-03-01 23:00:00 +00:00\n"), "{}", text(&stored));
    stored.get_mut(&job.id).unwrap().paused = Some(Box::new(Pause { at: now(), by: None, note: None }));
    assert!(text(&stored).contains("; paused\n"), "{}", text(&stored));
    assert_eq!(report_json(&loaded, &stored, now())["jobs"][0]["paused"], true);
}

#[test]
fn a_trigger_that_was_changed_by_hand_is_the_one_that_is_shown() {
    let loaded = read("[jobs.hello]\ntrigger = { cron = \"@daily\" }", &hello());
    let declared = loaded.as_ref().unwrap().manifest.jobs["hello"].clone();
    let by_hand = read("[jobs.hello]\ntrigger = { cron = \"@hourly\" }", &hello()).unwrap().manifest;
    let mut stored = record(&by_hand.jobs["hello"], now().into());
    stored.get_mut("hello").unwrap().declared = Some(declared);
    let text = report(&loaded, &stored, now());
    assert!(text.contains("every hour, UTC (rescheduled by hand); next 2026-03-02 01:00:00"), "{text}");
    let json = report_json(&loaded, &stored, now());
    assert_eq!(json["jobs"][0]["next_fire"], "2026-03-02T01:00:00+00:00");
}
