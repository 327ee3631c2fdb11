//! The right `secrets`: values from the host's environment or from files, shown nowhere.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clockbox_core::model::{Secret, SecretAs};

use super::{
    environment::is_variable,
    reader::{Field, TableReader},
    scheduler::read_path,
    surroundings::Surroundings,
    tree::{Value, shortened},
};

const EXAMPLE: &str = "{ env = \"HOST_NAME\" }";
/// A shorter value would blank out ordinary words wherever it is hidden.
const SHORTEST: usize = 4;

/// Reads a table of names, each with `{ env = "HOST_NAME" }` or `{ file = "token" }`, and `as = "env"` where the guest
/// is to find it in its environment. The `files` that hold them are noted.
pub(super) fn read(
    field: &Field<'_>,
    env: &BTreeMap<String, String>,
    folder: &Path,
    around: &Surroundings<'_>,
    files: &mut Vec<PathBuf>,
) -> BTreeMap<String, Secret> {
    let mut secrets = BTreeMap::new();
    let Some(table) = field.table("{ TOKEN = { env = \"HOST_NAME\" } }") else { return secrets };
    for (name, _, value) in table.entries() {
        if !is_variable(name, &value) {
            continue;
        }
        let Some(secret) = read_secret(&value, folder, around, files) else { continue };
        if secret.handed_as() == SecretAs::Env && env.contains_key(name) {
            value.error(format!("{name} is under `env` too"), Some("leave it out there".to_owned()));
        }
        secrets.insert(name.to_owned(), secret);
    }
    secrets
}

pub(super) fn read_secret(
    field: &Field<'_>,
    folder: &Path,
    around: &Surroundings<'_>,
    files: &mut Vec<PathBuf>,
) -> Option<Secret> {
    let Value::Table(_) = &field.node.value else {
        // The value itself is not repeated: it may be the secret.
        let hint = "a secret does not stand in the manifest: name the variable or file that holds it";
        field.error(format!("expected a table such as {EXAMPLE}"), Some(hint.to_owned()));
        return None;
    };
    let table = field.table(EXAMPLE)?;
    let ways = [("config", SecretAs::Config), ("env", SecretAs::Env)];
    let handed = table.field("as").and_then(|field| field.choice(&ways)).unwrap_or_default();
    let value = read_value(&table, folder, around, files);
    table.finish(&[
        ("value", "a secret does not stand in the manifest: name the variable or file that holds it"),
        ("path", "the key is file"),
        ("default", "a secret has no default"),
    ]);
    let value = value?;
    if value.chars().count() < SHORTEST {
        let hint = format!("a secret has at least {SHORTEST} characters, so that it can be hidden in logs");
        field.error("the secret is too short", Some(hint));
        return None;
    }
    if value.contains('\0') {
        field.error("the secret has a NUL character in it", None);
        return None;
    }
    Some(Secret::new(value, handed))
}

fn read_value(
    table: &TableReader<'_>,
    folder: &Path,
    around: &Surroundings<'_>,
    files: &mut Vec<PathBuf>,
) -> Option<String> {
    match (table.field("env"), table.field("file")) {
        (Some(source), None) => {
            let name = source.text("HOST_NAME")?;
            let value = (around.env)(name);
            if value.is_none() {
                let message = format!("{} is not set in the host's environment", shortened(name));
                source.error(message, Some("set it where the host runs".to_owned()));
            }
            value
        }
        (None, Some(source)) => {
            let path = read_path(&source, "token.secret", folder)?;
            files.push(path.clone());
            match (around.secret_file)(&path) {
                Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err((message, hint)) => {
                    source.error(message, hint);
                    None
                }
            }
        }
        (Some(_), Some(second)) => {
            second.error("a secret comes from one place", Some("keep one of env and file".to_owned()));
            None
        }
        (None, None) => {
            let hint = format!("write {EXAMPLE}, or {{ file = \"token.secret\" }}");
            table.error("it is not said where the secret comes from", Some(hint));
            None
        }
    }
}
