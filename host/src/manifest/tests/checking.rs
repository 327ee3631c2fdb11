//! What `check` says.

use clockbox_core::model::Timestamp;

use super::*;
use crate::manifest::{passes, report, report_json};

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
    let text = report(&loaded, now());
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
        "2040-01-01T00:00:00Z".parse().unwrap(),
    );
    assert!(late.contains("; fires no more\n"), "{late}");
}

#[test]
fn the_json_has_the_same_facts() {
    let json = report_json(&read(TEXT, &hello()), now());
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
    let text = report(&loaded, now());
    assert!(text.starts_with("jobs/a.toml:1:1: x: unknown key\n  1 | x = 1\n    | ^\n"), "{text}");
    assert!(text.ends_with("refused: jobs/a.wasm; jobs left out: b\n1 error\n"), "{text}");
    let json = report_json(&loaded, now());
    assert_eq!((&json["ok"], &json["problems"][0]["line"]), (&false.into(), &1.into()));
}

#[test]
fn a_bad_manifest_has_nothing_but_problems() {
    let loaded = read("a = 1\nb = 2", &hello());
    let text = report(&loaded, now());
    assert!(text.ends_with("\n2 errors\n"), "{text}");
    let json = report_json(&loaded, now());
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(2));
    assert!(json.get("jobs").is_none());
}
