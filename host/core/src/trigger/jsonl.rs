//! Fire times in batches: one question as a line of JSON in, one answer as a line of JSON out.
//!
//! A question is `{"id", "kind", "spec", "timezone", "start", "end", "after"}`. The kinds and their specs:
//!
//! | kind | spec |
//! | --- | --- |
//! | `cron` | the fields `year month day week day_of_week hour minute second` |
//! | `crontab` | `expr` |
//! | `interval` | `weeks days hours minutes seconds` |
//! | `date` | `run_date`; without one, `after` itself |
//! | `calendarinterval` | `years months weeks days hour minute second start_date end_date timezone` |
//!
//! The answer is `{"id", "fires"}` with the first fires not before `after`, or `{"id", "error"}`. Other keys are
//! passed over, so that a line may carry its expected answer along.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    error::TriggerError,
    moment::{Moment, local_time},
    spec::TriggerSpec,
    trigger::Trigger,
};
use crate::model::Timestamp;

#[derive(Deserialize)]
struct Question {
    kind: String,
    spec: Map<String, Value>,
    #[serde(default)]
    timezone: Option<Value>,
    #[serde(default)]
    start: Option<Value>,
    #[serde(default)]
    end: Option<Value>,
    #[serde(default)]
    after: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    id: Value,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Fires(Vec<String>),
    Error(String),
}

/// Answers one line with at most `most` fires; a line that cannot be answered yields an `error`, never a failure.
///
/// With `after`, a trigger that has nothing left answers an empty list. Without it the question is asked for `now`,
/// and a trigger that fires no more is an error that says why.
///
/// ```
/// use clockbox_core::trigger::jsonl::answer;
/// let line = r#"{"id": 7, "kind": "crontab", "spec": {"expr": "30 2 31 3 *"}, "timezone": "Europe/Berlin",
///                "end": "2025-01-01", "after": "2024-01-01T00:00:00Z"}"#;
/// let now = "2026-03-01T00:00:00Z".parse().unwrap();
/// assert_eq!(answer(line, now, 10), r#"{"id":7,"fires":["2024-03-31T03:00:00+02:00"]}"#);
/// assert!(answer("{", now, 10).starts_with(r#"{"id":null,"error":"#));
/// ```
#[must_use]
pub fn answer(line: &str, now: Timestamp, most: usize) -> String {
    let value = serde_json::from_str::<Value>(line);
    let id = value.as_ref().ok().and_then(|value| value.get("id")).cloned().unwrap_or_default();
    let outcome = match value.and_then(serde_json::from_value::<Question>) {
        Err(error) => Outcome::Error(format!("the line is not understood: {error}")),
        Ok(question) => match question.fires(now, most) {
            Ok(fires) => Outcome::Fires(fires),
            Err(error) => Outcome::Error(error.to_string()),
        },
    };
    let answer = Answer { id, outcome };
    serde_json::to_string(&answer).unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string())
}

impl Question {
    fn fires(self, now: Timestamp, most: usize) -> Result<Vec<String>, TriggerError> {
        let after = self.after.clone();
        let trigger = Trigger::unchecked(self.into_spec()?, Tz::UTC, 0)?;
        let zone = trigger.zone();
        let after = match after {
            Some(after) => Moment::parse("after", &after)?.resolve(zone),
            None => {
                trigger.check()?;
                trigger.check_at(now)?;
                now
            }
        };
        let mut fires = Vec::new();
        let mut previous = None;
        while fires.len() < most
            && let Some(fire) = trigger.next_after(previous, after)
        {
            fires.push(print(fire, zone));
            previous = Some(fire);
        }
        Ok(fires)
    }

    /// The same trigger as the manifest would write it.
    fn into_spec(self) -> Result<TriggerSpec, TriggerError> {
        let Self { kind, mut spec, mut timezone, start, end, .. } = self;
        let text = |spec: &Map<String, Value>, key: &str| spec.get(key).cloned().unwrap_or_default();
        let (key, body) = match kind.as_str() {
            "cron" => ("cron", Value::Object(spec)),
            "crontab" if spec.len() == 1 && text(&spec, "expr").is_string() => ("cron", text(&spec, "expr")),
            "crontab" => return Err(TriggerError::new("spec", "a crontab is { \"expr\": \"0 5 * * *\" }")),
            "interval" => ("interval", Value::Object(spec)),
            "date" if spec.is_empty() => ("date", Value::Null),
            "date" if spec.len() == 1 && spec.contains_key("run_date") => ("date", text(&spec, "run_date")),
            "date" => {
                return Err(TriggerError::new("spec", "a date is { \"run_date\": \"2030-11-06 16:30:05\" }"));
            }
            "calendarinterval" => {
                timezone = spec.remove("timezone").or(timezone);
                ("calendar", Value::Object(spec))
            }
            other => {
                return Err(TriggerError::new("kind", format!("{other:?} is no kind of trigger"))
                    .with_hint("write cron, crontab, interval, date or calendarinterval"));
            }
        };
        let given = [(key, body)].into_iter().filter(|(_, body)| !body.is_null());
        let options = [("timezone", timezone), ("start", start), ("end", end)];
        let options = options.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let written = given.chain(options).map(|(key, value)| (key.to_owned(), value)).collect();
        let read = serde_path_to_error::deserialize(Value::Object(written));
        read.map_err(|error| {
            let path = error.path().to_string();
            TriggerError::new(path.trim_start_matches('.'), error.inner().to_string())
        })
    }
}

/// An instant with the zone's own offset; in UTC where that has seconds, which the format cannot express.
fn print(at: Timestamp, tz: Tz) -> String {
    let local = local_time(at, tz);
    if local.offset().local_minus_utc() % 60 == 0 { local.to_rfc3339() } else { at.to_rfc3339() }
}
