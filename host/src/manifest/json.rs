//! TOML values as JSON, for arguments and triggers.

use serde_json::{Map, Number, Value as Json};

use super::{
    reader::Field,
    tree::{Value, join},
};

/// The value as JSON; dates and times become strings. Notes every number that JSON cannot hold.
pub(super) fn read(field: &Field<'_>) -> Option<Json> {
    match &field.node.value {
        Value::Text(text) | Value::Datetime(text) => Some(Json::String(text.clone())),
        Value::Whole(number) => Some(Json::from(*number)),
        Value::Boolean(flag) => Some(Json::Bool(*flag)),
        Value::Float(number) => {
            let json = Number::from_f64(*number).map(Json::Number);
            if json.is_none() {
                field.error(format!("{number} cannot be written as JSON"), Some("use a string".to_owned()));
            }
            json
        }
        Value::Huge(number) => {
            let hint = Some("an integer has at most 64 bits; use a string".to_owned());
            field.error(format!("the integer {number} is too large"), hint);
            None
        }
        Value::Array(items) => {
            let items: Vec<_> = field.each(items).iter().map(read).collect();
            items.into_iter().collect::<Option<Vec<_>>>().map(Json::Array)
        }
        Value::Table(table) => {
            let entry = |(key, entry): (&String, &super::tree::Entry)| {
                let field = Field { node: &entry.node, key: join(&field.key, key), findings: field.findings };
                (key.clone(), read(&field))
            };
            let entries: Vec<_> = table.0.iter().map(entry).collect();
            let whole = |(key, value): (String, Option<Json>)| value.map(|value| (key, value));
            entries.into_iter().map(whole).collect::<Option<Map<_, _>>>().map(Json::Object)
        }
    }
}
