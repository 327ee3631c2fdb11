//! A run as JSON: the record, with its output as JSON instead of text.

use clockbox_core::model::{Attempt, LogLine, Run};
use serde_json::{Map, Value, json};

/// The run as a JSON object.
pub(crate) fn run(run: &Run) -> Value {
    let mut value = serde_json::to_value(run).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        open_json(object, "output");
        open_json(object, "args");
    }
    value
}

/// The run with its attempts and its log.
pub(crate) fn detail(record: &Run, attempts: &[Attempt], logs: &[(u32, LogLine)]) -> Value {
    let mut value = run(record);
    if let Some(object) = value.as_object_mut() {
        object.insert("attempts".to_owned(), json!(attempts));
        let line = |(attempt, line): &(u32, LogLine)| {
            let mut value = json!(line);
            value["attempt"] = json!(attempt);
            value
        };
        object.insert("logs".to_owned(), logs.iter().map(line).collect());
    }
    value
}

/// Text that is JSON becomes what it says; other text stays text.
fn open_json(object: &mut Map<String, Value>, key: &str) {
    let opened =
        object.get(key).and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(opened) = opened {
        object.insert(key.to_owned(), opened);
    }
}
