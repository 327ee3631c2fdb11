//! Triggers: what they mean, and how that is said, is the core's; here it is said at the right place.

use super::*;

/// Checks where the problems of one trigger are found, whose table starts at column 11 of line 2.
#[track_caller]
fn trigger(text: &str, wanted: &[&str]) {
    let found = bad(&format!("[jobs.hello]\ntrigger = {text}\n"));
    let places = found.iter().map(|problem| {
        assert!(!problem.message.is_empty());
        let (line, column) = problem.place.position().unwrap();
        format!("{line}:{column} {}", problem.key.trim_start_matches("jobs.hello.trigger"))
    });
    assert_eq!(places.collect::<Vec<_>>(), wanted, "in {text}");
}

#[test]
fn every_bad_field_of_a_table_is_placed_at_its_value() {
    trigger(
        "{ cron = { month = 13, hour = 25, minute = \"*/0\", day_of_week = \"mo\" }, start = \"soon\" }",
        &[
            "2:30 .cron.month",
            "2:41 .cron.hour",
            "2:54 .cron.minute",
            "2:75 .cron.day_of_week",
            "2:91 .start",
        ],
    );
}

#[test]
fn a_bad_crontab_string_is_placed_at_the_string() {
    trigger("{ cron = \"61 * * * *\" }", &["2:20 .cron"]);
}

#[test]
fn an_end_before_the_start_is_placed_at_the_end() {
    trigger("{ interval = \"2h\", start = 2030-01-02, end = \"2030-01-01\" }", &["2:56 .end"]);
}

#[test]
fn a_trigger_that_can_never_fire_is_refused() {
    trigger("{ cron = { month = 2, day = 30 } }", &["2:20 .cron"]);
}

#[test]
fn the_parts_of_a_combination_are_placed_one_by_one() {
    trigger(
        "{ any = [{ cron = { hour = 24 } }, { date = \"never\" }] }",
        &["2:38 .any.0.cron.hour", "2:55 .any.1.date"],
    );
}

#[test]
fn values_that_name_no_time_are_placed() {
    trigger("{ date = \"2030-02-30\" }", &["2:20 .date"]);
    trigger("{ interval = {} }", &["2:24 .interval"]);
    trigger("{ calendar = { days = 0 } }", &["2:24 .calendar"]);
    trigger("{ calendar = { months = 1, start_date = 2030-01-31, hour = 24 } }", &["2:70 .calendar.hour"]);
}

#[test]
fn crontab_dates_and_zones_reach_the_trigger() {
    let manifest = good(
        r#"
        [scheduler]
        timezone = "Asia/Tokyo"
        [jobs.hello]
        trigger = { cron = "30 5 * * mon-fri", end = "2030-05-30" }
        [jobs.own-zone]
        plugin = "hello"
        trigger = { cron = { hour = 5 }, timezone = "Europe/Berlin", start = 2030-01-01 }
        [jobs.once]
        plugin = "hello"
        "#,
    );
    let now = "2026-03-02T00:00:00Z".parse().unwrap();
    let next = |job: &str| manifest.jobs[job].trigger.next_after(None, now).unwrap().to_rfc3339();
    assert_eq!(next("hello"), "2026-03-02T20:30:00+00:00");
    assert_eq!(next("own-zone"), "2030-01-01T04:00:00+00:00");
    assert_eq!(next("once"), "2026-03-02T00:00:00+00:00");
}

#[test]
fn a_hashed_crontab_field_depends_on_the_name_of_the_job() {
    let now = "2026-03-02T00:00:00Z".parse().unwrap();
    let next = |job: &str| {
        let manifest =
            good(&format!("[jobs.{job}]\nplugin = \"hello\"\ntrigger = {{ cron = \"H H * * *\" }}"));
        manifest.jobs[job].trigger.next_after(None, now)
    };
    assert_eq!(next("report"), next("report"));
    assert_ne!(next("report"), next("backup"));
}

/// The page for users says of each trigger in its first table what the trigger says of itself.
#[test]
fn the_triggers_page_says_what_triggers_say() {
    let page = include_str!("../../../TRIGGERS.md");
    let rows: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `{")?.strip_suffix(" |")?.split_once("}` | "))
        .collect();
    assert!(rows.len() > 12, "the table is not found");
    for (trigger, meaning) in rows {
        let trigger = crate::manifest::read_trigger(&format!("{{{trigger}}}"), chrono_tz::UTC).unwrap();
        assert_eq!(trigger.describe(), meaning);
    }
}
