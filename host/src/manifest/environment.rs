//! The right `env`: the variables that a guest finds.

use std::collections::BTreeMap;

use super::{
    reader::Field,
    surroundings::Surroundings,
    tree::{Value, shortened},
};

/// Reads an array of names to pass on, or a table of names and values.
pub(super) fn read(field: &Field<'_>, around: &Surroundings<'_>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    if let Value::Array(items) = &field.node.value {
        for item in field.each(items) {
            let Some(name) = item.text("LANG").filter(|name| is_variable(name, &item)) else { continue };
            match (around.env)(name) {
                Some(value) => _ = env.insert(name.to_owned(), value),
                None => item.warn(format!("{name} is not set in the host's environment"), None),
            }
        }
        return env;
    }
    let Some(table) = field.table("{ LANG = \"C\" }") else { return env };
    for (name, _, value) in table.entries() {
        if !is_variable(name, &value) {
            continue;
        }
        if let Some(text) = read_variable(&value, around) {
            env.insert(name.to_owned(), text);
        }
    }
    env
}

/// The value of one variable: a string, or `{ env = "HOST_NAME", default = "…" }`.
fn read_variable(field: &Field<'_>, around: &Surroundings<'_>) -> Option<String> {
    if let Value::Text(text) = &field.node.value {
        if text.contains('\0') {
            field.error("a variable cannot hold a NUL character", None);
            return None;
        }
        return Some(text.clone());
    }
    let Value::Table(_) = &field.node.value else {
        return field.mismatch("a string, or a table such as { env = \"HOST_NAME\" }", None);
    };
    let table = field.table("{ env = \"HOST_NAME\" }")?;
    let default = table.field("default").and_then(|field| field.text("none"));
    let source = table.field("env");
    let value = match &source {
        None => {
            table.error("the key `env` is missing", Some("write { env = \"HOST_NAME\" }".to_owned()));
            None
        }
        Some(source) => source.text("HOST_NAME").and_then(|name| {
            let value = (around.env)(name).or_else(|| default.map(ToOwned::to_owned));
            if value.is_none() {
                let hint = "set it where the host runs, or add a default: { env = \"…\", default = \"…\" }";
                let message = format!("{} is not set in the host's environment", shortened(name));
                source.error(message, Some(hint.to_owned()));
            }
            value
        }),
    };
    table.finish(&[]);
    value
}

/// Whether a text can be the name of a variable; else that is noted.
pub(super) fn is_variable(name: &str, field: &Field<'_>) -> bool {
    let fits = !name.is_empty() && !name.contains(['=', '\0']);
    if !fits {
        field.error(format!("{name:?} is not the name of an environment variable"), None);
    }
    fits
}
