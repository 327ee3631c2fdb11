//! The key `trigger` of a job: shape and key names are checked here, meaning by the trigger itself.

use chrono_tz::Tz;
use clockbox_core::trigger::{Trigger, TriggerSpec, seed_of};
use serde::Deserialize as _;
use serde_json::{Map, Value as Json};

use super::{
    json,
    reader::{Field, TableReader},
    tree::{Node, Table, Value, join},
    zone,
};

const EXAMPLE: &str = "{ interval = \"2h\" }";

/// Reads the trigger of a job; none at all means once, now.
pub(super) fn read(job: &TableReader<'_>, id: &str, zone: Tz) -> Option<Trigger> {
    let Some(field) = job.field("trigger") else {
        return match Trigger::new(TriggerSpec::default(), zone) {
            Ok(trigger) => Some(trigger),
            Err(error) => {
                job.error(error.message, error.hint);
                None
            }
        };
    };
    let json = shape(&field)?;
    check(&field, json, zone, seed_of(id))
}

/// What a value of a trigger looks like.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Whole,
    /// A field of a cron table: `5`, `"*/15"`.
    FieldText,
    DateTime,
}

type Keys = &'static [(&'static str, Shape)];

const CRON: Keys = &[
    ("year", Shape::FieldText),
    ("month", Shape::FieldText),
    ("week", Shape::FieldText),
    ("day", Shape::FieldText),
    ("day_of_week", Shape::FieldText),
    ("hour", Shape::FieldText),
    ("minute", Shape::FieldText),
    ("second", Shape::FieldText),
];
const INTERVAL: Keys = &[
    ("weeks", Shape::Whole),
    ("days", Shape::Whole),
    ("hours", Shape::Whole),
    ("minutes", Shape::Whole),
    ("seconds", Shape::Whole),
];
const CALENDAR: Keys = &[
    ("years", Shape::Whole),
    ("months", Shape::Whole),
    ("weeks", Shape::Whole),
    ("days", Shape::Whole),
    ("hour", Shape::Whole),
    ("minute", Shape::Whole),
    ("second", Shape::Whole),
    ("start_date", Shape::DateTime),
    ("end_date", Shape::DateTime),
];
/// Better advice than the nearest name for keys that people try.
const HINTS: &[(&str, &str)] = &[
    ("every", "write interval = \"2h\""),
    ("at", "write date = \"2030-01-01 00:00:00\", or cron = { hour = 5, minute = 30 }"),
    ("hour", "it belongs into cron = { … }"),
    ("minute", "it belongs into cron = { … }"),
    ("day_of_week", "it belongs into cron = { … }"),
    ("seconds", "write interval = { seconds = 30 }, or interval = \"30s\""),
    ("minutes", "write interval = { minutes = 30 }, or interval = \"30m\""),
    ("hours", "write interval = { hours = 2 }, or interval = \"2h\""),
    ("tz", "the key is timezone"),
    ("until", "the key is end"),
];

/// The trigger as JSON, without the keys that nobody knows, which are noted. `None` when what is left would only give
/// rise to complaints about what is missing.
fn shape(field: &Field<'_>) -> Option<Json> {
    if let Value::Text(text) = &field.node.value {
        return field.mismatch(&format!("a table such as {EXAMPLE}"), Some(advice(text)));
    }
    let table = field.table(EXAMPLE)?;
    let given = table.table.0.len();
    let mut kinds = Map::new();
    let mut whole = true;
    for (key, read) in [
        ("date", date_time as fn(&Field<'_>) -> Option<Json>),
        ("interval", interval),
        ("cron", cron),
        ("calendar", |field| fields(field, CALENDAR)),
        ("all", parts),
        ("any", parts),
    ] {
        let Some(field) = table.field(key) else { continue };
        match read(&field) {
            Some(value) => _ = kinds.insert(key.to_owned(), value),
            None => whole = false,
        }
    }
    let names: Vec<&str> = kinds.keys().map(String::as_str).collect();
    if let [one, other, ..] = names.as_slice() {
        let hint = format!("keep one, or combine them: {{ any = [{{ {one} = … }}, {{ {other} = … }}] }}");
        table.error(format!("has both {one} and {other}, but a trigger is of one kind"), Some(hint));
        whole = false;
    }
    let kind_known = !kinds.is_empty();
    let mut json = kinds;
    for key in ["start", "end"] {
        let value = table.field(key).and_then(|field| date_time(&field));
        json.extend(value.map(|value| (key.to_owned(), value)));
    }
    // A bad time zone or jitter is noted here; without it, the rest can still be checked.
    let zone = table.field("timezone").and_then(|field| zone::read(&field));
    json.extend(zone.map(|zone| ("timezone".to_owned(), Json::from(zone.name()))));
    let jitter =
        table.field("jitter").and_then(|field| Some((field.duration_or_zero("30s")?, field.text("30s")?)));
    json.extend(jitter.map(|(_, text)| ("jitter".to_owned(), Json::from(text))));
    table.finish(HINTS);
    (whole && (kind_known || given == json.len())).then_some(Json::Object(json))
}

fn interval(field: &Field<'_>) -> Option<Json> {
    match &field.node.value {
        Value::Table(_) => fields(field, INTERVAL),
        _ => field.duration("2h").and_then(|_| json::read(field)),
    }
}

fn cron(field: &Field<'_>) -> Option<Json> {
    match &field.node.value {
        Value::Table(_) => fields(field, CRON),
        _ => field.text("0 5 * * *").map(Json::from),
    }
}

/// The triggers that `all` or `any` combines.
fn parts(field: &Field<'_>) -> Option<Json> {
    let parts: Vec<_> = field.items("[{ cron = \"0 5 * * *\" }, …]")?.iter().map(shape).collect();
    parts.into_iter().collect::<Option<Vec<_>>>().map(Json::Array)
}

fn date_time(field: &Field<'_>) -> Option<Json> {
    match &field.node.value {
        Value::Datetime(text) | Value::Text(text) => Some(Json::from(text.as_str())),
        _ => field.mismatch("a date-time such as \"2030-11-06 16:30:05\"", None),
    }
}

/// A table of known keys.
fn fields(field: &Field<'_>, known: Keys) -> Option<Json> {
    let table = field.table("{ … }")?;
    let given = table.table.0.len();
    let mut json = Map::new();
    let mut whole = true;
    for (key, shape) in known {
        let Some(field) = table.field(key) else { continue };
        let value = match (shape, &field.node.value) {
            (Shape::DateTime, _) => date_time(&field),
            (_, Value::Whole(number)) => Some(Json::from(*number)),
            (Shape::FieldText, Value::Text(text)) => Some(Json::from(text.as_str())),
            (Shape::FieldText, _) => field.mismatch("an integer or a string such as \"*/15\"", None),
            (Shape::Whole, _) => field.whole(i64::MIN..=i64::MAX).map(Json::from),
        };
        match value {
            Some(value) => _ = json.insert((*key).to_owned(), value),
            None => whole = false,
        }
    }
    table.finish(&[("dow", "the key is day_of_week"), ("weekday", "the key is day_of_week")]);
    (whole && (given == 0 || !json.is_empty())).then_some(Json::Object(json))
}

/// Asks the trigger itself, again after each problem with a single value, so that the next one is found as well.
fn check(field: &Field<'_>, mut json: Json, zone: Tz, seed: u64) -> Option<Trigger> {
    let mut clean = true;
    // Each turn mends one value, and there are no more values than this.
    for _ in 0..64 {
        let spec = match TriggerSpec::deserialize(&json) {
            Ok(spec) => spec,
            Err(error) => {
                if clean {
                    field.error(error.to_string(), Some(format!("write for instance {EXAMPLE}")));
                }
                return None;
            }
        };
        match Trigger::new_seeded(spec, zone, seed) {
            Ok(trigger) => return clean.then_some(trigger),
            Err(error) => {
                let (node, exact) = find(field.node, &error.field);
                if !clean && !exact {
                    return None;
                }
                let key = error.field.split('.').filter(|part| !part.is_empty());
                let key = key.fold(field.key.clone(), |path, part| join(&path, part));
                field.findings.error(&node.spot, &key, error.message, error.hint);
                clean = false;
                if !(exact && mend(&mut json, &error.field)) {
                    return None;
                }
            }
        }
    }
    None
}

/// The value at a dotted path, or the nearest one around it; and whether it is the very one.
fn find<'a>(node: &'a Node, path: &str) -> (&'a Node, bool) {
    let mut node = node;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let inner = match &node.value {
            Value::Table(table) => Table::get(table, part),
            Value::Array(items) => part.parse::<usize>().ok().and_then(|n| items.get(n)),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => return (node, false),
        }
    }
    (node, true)
}

/// Puts something harmless in the place of a bad value; false where nothing is sure to be harmless.
fn mend(json: &mut Json, path: &str) -> bool {
    let pointer: String = path.split('.').map(|part| format!("/{part}")).collect();
    let Some((parent, last)) = pointer.rsplit_once('/') else { return false };
    match json.pointer_mut(parent) {
        Some(Json::Object(table)) if parent.ends_with("/cron") => match table.get_mut(last) {
            Some(value) => {
                let mended = value.as_str() != Some("*");
                *value = Json::from("*");
                mended
            }
            None => false,
        },
        Some(Json::Object(table)) if matches!(last, "start" | "end") => table.remove(last).is_some(),
        _ => false,
    }
}

/// What to write in place of a bare string.
fn advice(text: &str) -> String {
    if text.starts_with('@') || matches!(text.split_whitespace().count(), 5..=7) {
        format!("write {{ cron = {text:?} }}")
    } else if clockbox_core::model::parse_duration(text).is_ok() {
        format!("write {{ interval = {text:?} }}")
    } else {
        format!("write {EXAMPLE}, {{ cron = \"0 5 * * *\" }} or {{ date = \"2030-01-01 00:00:00\" }}")
    }
}
