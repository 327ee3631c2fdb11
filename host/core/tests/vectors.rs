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
        let got: Value = serde_json::from_str(&answer(line, now())).unwrap();
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
