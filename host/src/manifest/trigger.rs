//! The key `trigger` of a job: shape and key names are checked here, meaning by the trigger itself.

use chrono_tz::Tz;
use clockbox_core::trigger::{Trigger, TriggerSpec};
use serde_json::{Map, Value as Json};

use super::{
    json,
    reader::{Field, TableReader},
    tree::{Node, Table, Value, join},
};

const EXAMPLE: &str = "{ interval = \"2h\" }";

/// Reads a trigger; none at all means once, now.
pub(super) fn read(job: &TableReader<'_>, field: Option<&Field<'_>>, zone: Tz) -> Option<Trigger> {
    let Some(field) = field else {
        return match Trigger::new(TriggerSpec::default(), zone) {
            Ok(trigger) => Some(trigger),
            Err(error) => {
                job.error(error.message, error.hint);
                None
            }
        };
    };
    let json = shape(field)?;
    check(field, json, zone)
}

const KINDS: [&str; 6] = ["date", "interval", "cron", "calendar", "all", "any"];
const MODIFIERS: [&str; 4] = ["start", "end", "timezone", "jitter"];
const CRON: &[&str] = &["year", "month", "week", "day", "day_of_week", "hour", "minute", "second"];
const INTERVAL: &[&str] = &["weeks", "days", "hours", "minutes", "seconds"];
const CALENDAR: &[&str] = &["years", "months", "weeks", "days", "hour", "minute", "second"];

/// The trigger as JSON, without the keys that nobody knows, which are noted. `None` when what is left would only give
/// rise to complaints about what is missing.
fn shape(field: &Field<'_>) -> Option<Json> {
    if let Value::Text(text) = &field.node.value {
        return field.mismatch(&format!("a table such as {EXAMPLE}"), Some(advice(text)));
    }
    let table = field.table(EXAMPLE)?;
    let mut json = Map::new();
    let mut whole = true;
    let keys = table.table;
    for key in KINDS.into_iter().chain(MODIFIERS) {
        let Some(field) = table.field(key) else { continue };
        let value = match key {
            "interval" => fields(&field, INTERVAL),
            "cron" => fields(&field, CRON),
            "calendar" => fields(&field, CALENDAR),
            "all" | "any" => parts(&field),
            _ => json::read(&field),
        };
        match value {
            Some(value) => _ = json.insert(key.to_owned(), value),
            None => whole = false,
        }
    }
    table.finish(&[
        ("every", "write interval = \"2h\""),
        ("at", "write date = \"2030-01-01 00:00:00\", or cron = { hour = 5, minute = 30 }"),
        ("hour", "it belongs into cron = { … }"),
        ("minute", "it belongs into cron = { … }"),
        ("seconds", "write interval = { seconds = 30 }, or interval = \"30s\""),
        ("minutes", "write interval = { minutes = 30 }, or interval = \"30m\""),
        ("hours", "write interval = { hours = 2 }, or interval = \"2h\""),
        ("tz", "the key is timezone"),
        ("until", "the key is end"),
    ]);
    let kind_known = KINDS.iter().any(|kind| json.contains_key(*kind));
    (whole && (kind_known || keys.0.len() == json.len())).then_some(Json::Object(json))
}

/// The triggers that `all` or `any` combines.
fn parts(field: &Field<'_>) -> Option<Json> {
    let parts: Vec<_> = field.items("[{ cron = \"0 5 * * *\" }, …]")?.iter().map(shape).collect();
    parts.into_iter().collect::<Option<Vec<_>>>().map(Json::Array)
}

/// A value, or a table of known keys.
fn fields(field: &Field<'_>, known: &'static [&'static str]) -> Option<Json> {
    let Value::Table(_) = &field.node.value else { return json::read(field) };
    let table = field.table("{ … }")?;
    let given = table.table.0.len();
    let mut json = Map::new();
    let mut whole = true;
    for key in known {
        let Some(field) = table.field(key) else { continue };
        match json::read(&field) {
            Some(value) => _ = json.insert((*key).to_owned(), value),
            None => whole = false,
        }
    }
    table.finish(&[("dow", "the key is day_of_week"), ("weekday", "the key is day_of_week")]);
    (whole && (given == 0 || !json.is_empty())).then_some(Json::Object(json))
}

/// Asks the trigger itself, again after each problem with a single value, so that the next one is found as well.
fn check(field: &Field<'_>, mut json: Json, zone: Tz) -> Option<Trigger> {
    let mut clean = true;
    // Each turn mends one value, and there are no more values than this.
    for _ in 0..64 {
        let spec: TriggerSpec = match serde_json::from_value(json.clone()) {
            Ok(spec) => spec,
            Err(error) => {
                if clean {
                    field.error(error.to_string(), Some(format!("write for instance {EXAMPLE}")));
                }
                return None;
            }
        };
        match Trigger::new(spec, zone) {
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
                let mended = *value != Json::from("*");
                *value = Json::from("*");
                mended
            }
            None => false,
        },
        Some(Json::Object(table)) if matches!(last, "start" | "end" | "timezone" | "jitter") => {
            table.remove(last).is_some()
        }
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
