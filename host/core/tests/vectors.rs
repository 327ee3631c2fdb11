//! The trigger vectors: expected fire times under the rules R1 to R7 of `vectors/README.md`.

use chrono::{DateTime, Utc};
use clockbox_core::trigger::jsonl::answer;
use serde_json::Value;

fn lines(text: &'static str) -> impl Iterator<Item = (&'static str, Value)> {
    text.lines().map(|line| (line, serde_json::from_str(line).unwrap()))
}

fn now() -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

fn instants(fires: &Value) -> Vec<DateTime<Utc>> {
    fires.as_array().unwrap().iter().map(|fire| fire.as_str().unwrap().parse().unwrap()).collect()
}

/// Asks every line and compares the answers as instants; the printed offset must be the zone's, as in the vectors.
fn answers_exactly(text: &'static str, count: usize) {
    let mut wrong = Vec::new();
    let mut asked = 0;
    for (line, expected) in lines(text) {
        asked += 1;
        let got: Value = serde_json::from_str(&answer(line, now(), 10)).unwrap();
        assert_eq!(got["id"], expected["id"]);
        if got.get("fires").is_none_or(|fires| instants(fires) != instants(&expected["fires"])) {
            wrong.push(format!("{line}\n    got {got}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {asked} wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    assert_eq!(asked, count);
}

#[test]
fn every_line_away_from_clock_changes_is_answered_exactly() {
    answers_exactly(include_str!("vectors/plain.jsonl"), 2882);
}

#[test]
fn every_line_across_clock_changes_is_answered_exactly() {
    answers_exactly(include_str!("vectors/dst.jsonl"), 867);
}

#[test]
fn every_crontab_line_is_answered_exactly() {
    answers_exactly(include_str!("vectors/crontab.jsonl"), 500);
}

/// Lines that APScheduler refuses and the rules make legal.
const LEGAL: [(&str, &str); 4] = [
    ("e-crontab-0118", "R6: six fields, the second first"),
    ("e-crontab-0119", "the design names the nicknames, @daily among them"),
    ("e-crontab-0125", "R6: weekday 7 is Sunday"),
    ("e-crontab-0131", "R6: L is the last day of the month"),
];

fn error_of(line: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(&answer(line, now(), 10)).unwrap();
    answer["error"].as_str().map(str::to_owned)
}

#[test]
fn every_refused_line_is_refused_by_field_unless_the_rules_make_it_legal() {
    for (line, case) in lines(include_str!("vectors/errors.jsonl")) {
        let id = case["id"].as_str().unwrap();
        let error = error_of(line);
        if let Some((_, why)) = LEGAL.iter().find(|(legal, _)| *legal == id) {
            assert_eq!(error, None, "{id}: {why}");
            continue;
        }
        let error = error.unwrap_or_else(|| panic!("accepted: {line}"));
        // The one field that is given is the one at fault, and the message says what it takes.
        if case["kind"] == "cron"
            && case["timezone"] == "UTC"
            && case["start"].is_null()
            && case["end"].is_null()
        {
            let field = case["spec"].as_object().unwrap().keys().next().unwrap();
            assert!(error.contains(&format!("cron.{field}")), "{error}\n{line}");
            assert!(error.contains(" takes ") || error.contains("expected one of"), "{error}\n{line}");
        }
    }
}

#[test]
fn refusals_name_field_value_and_allowed_range() {
    let cases = [
        (r#"{"kind":"cron","spec":{"hour":24}}"#, "cron.hour: 24 is out of range: hour takes 0 to 23"),
        (
            r#"{"kind":"cron","spec":{"day_of_week":"monday"}}"#,
            "cron.day_of_week: \"monday\" is not understood: day_of_week takes 0 (Monday) to 6 (Sunday) or mon to sun",
        ),
        (
            r#"{"kind":"cron","spec":{"minute":"50/20"}}"#,
            "cron.minute: the step 20 of \"50/20\" is longer than its range 50 to 59, so it would never take effect: \
             minute takes 0 to 59",
        ),
        (
            r#"{"kind":"crontab","spec":{"expr":"0 0 * 13 *"}}"#,
            "cron: 13 is out of range: the month field takes 1 to 12 or jan to dec",
        ),
        (
            r#"{"kind":"calendarinterval","spec":{"days":1,"minute":60}}"#,
            "calendar.minute: 60 is out of range: minute takes 0 to 59",
        ),
        (
            r#"{"kind":"interval","spec":{"seconds":"10"}}"#,
            "interval.seconds: invalid type: string \"10\", expected a whole number (without quotes)",
        ),
        (
            r#"{"kind":"cron","spec":{"hour":1},"timezone":"berlin"}"#,
            "timezone: \"berlin\" is no time zone; did you mean \"Europe/Berlin\"?",
        ),
        (
            r#"{"kind":"cron","spec":{"month":2,"day":30}}"#,
            "cron: it can never fire: no year has a day that matches month = \"2\", day = \"30\"",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(error_of(line).as_deref(), Some(expected));
    }
}

/// What to make of the lines that APScheduler accepts wrongly: `None` for refused, else the first fire after `now()`.
const SUSPECT: [(&str, Option<&str>); 31] = [
    ("s-cron-0001", Some("2026-03-02T00:00:00Z")), // every second day of the range
    ("s-cron-0002", Some("2026-03-02T00:00:00Z")), // Monday to Saturday
    ("s-cron-0003", None),
    ("s-cron-0004", None),
    ("s-cron-0005", None),
    ("s-cron-0006", Some("2026-03-01T00:00:00Z")), // January, March, May
    ("s-cron-0007", Some("2026-03-01T00:00:00Z")), // every second month
    ("s-cron-0008", Some("2026-03-01T00:00:00Z")), // January to March
    ("s-cron-0009", None),
    ("s-cron-0010", None),
    ("s-cron-0011", None),
    ("s-cron-0012", None),
    ("s-cron-0013", None),
    ("s-cron-0014", None),
    ("s-cron-0015", None),
    ("s-cron-0016", None),
    ("s-cron-0017", None),
    ("s-cron-0018", None),
    ("s-cron-0019", Some("2026-03-01T00:00:00Z")), // R1: every second
    ("s-cron-0020", None),
    ("s-cron-0021", None),
    ("s-cron-0022", None),
    ("s-interval-0023", None),
    ("s-interval-0024", None),
    ("s-interval-0025", None),
    ("s-interval-0026", None),
    ("s-calendarinterval-0027", None),
    ("s-calendarinterval-0028", Some("7024-01-01T00:00:00Z")),
    ("s-crontab-0029", Some("2026-03-02T00:00:00Z")),
    ("s-cron-0030", None),
    ("s-interval-0031", None),
];

#[test]
fn suspect_lines_are_refused_or_given_their_obvious_meaning() {
    for ((line, case), (id, first)) in lines(include_str!("vectors/suspect.jsonl")).zip(SUSPECT) {
        assert_eq!(case["id"], id);
        let got: Value = serde_json::from_str(&answer(line, now(), 10)).unwrap();
        let fire = got["fires"].get(0).map(|fire| fire.as_str().unwrap().parse::<DateTime<Utc>>().unwrap());
        assert_eq!(fire, first.map(|first| first.parse().unwrap()), "{line}\n{got}");
    }
}

#[test]
fn a_bad_line_is_answered_with_an_error_under_its_id() {
    assert!(answer("not json", now(), 10).contains(r#"{"id":null,"error":"the line is not understood"#));
    assert!(answer(r#"{"id":1,"kind":"cron"}"#, now(), 10).contains("missing field `spec`"));
    assert!(answer(r#"{"id":"x"}"#, now(), 10).starts_with(r#"{"id":"x","error":"#));
    assert!(
        answer(r#"{"id":3,"kind":"lunar","spec":{}}"#, now(), 10)
            .contains("kind: \\\"lunar\\\" is no kind of trigger")
    );
}
