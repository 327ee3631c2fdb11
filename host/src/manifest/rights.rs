//! The key `allow` of a plugin: what it may reach.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clockbox_core::model::{Origin, Rights};

use super::{
    reader::{Field, TableReader},
    scheduler::read_path,
    surroundings::{PathKind, Surroundings},
    tree::{Table, Value, shortened},
};

const EXAMPLE: &str = "{ http = [\"https://api.example.com\"] }";

/// Reads `allow`; host paths are relative to `folder`.
pub(super) fn read(field: &Field<'_>, folder: &Path, around: &Surroundings<'_>) -> Rights {
    let mut rights = Rights::default();
    let Some(table) = field.table(EXAMPLE) else { return rights };
    if let Some(items) = table.field("http").and_then(|field| field.items("[\"https://api.example.com\"]")) {
        rights.http = items.iter().filter_map(read_origin).collect();
    }
    let read = table.field("read");
    let write = table.field("write");
    rights.read = read.as_ref().map(|field| read_folders(field, folder, around)).unwrap_or_default();
    rights.write = write.as_ref().map(|field| read_folders(field, folder, around)).unwrap_or_default();
    if let Some(write) = write {
        for guest in rights.write.keys().filter(|guest| rights.read.contains_key(*guest)) {
            let hint = "a folder under `write` can be read too: leave it out of `read`";
            write.error(format!("{guest:?} is granted twice"), Some(hint.to_owned()));
        }
    }
    if let Some(field) = table.field("env") {
        rights.env = read_env(&field, around);
    }
    if let Some(secrets) = table.field("secrets") {
        let hint =
            "pass the value with env = { NAME = { env = \"HOST_NAME\" } }, which does not hide it in logs";
        secrets.error("secrets are not supported yet", Some(hint.to_owned()));
    }
    table.finish(&[
        ("net", "write http = [\"https://api.example.com\"]"),
        ("network", "write http = [\"https://api.example.com\"]"),
        ("tcp", "only http is supported so far"),
        ("fs", "write read = { \"/data\" = \"./data\" }, or write = { … }"),
        ("files", "write read = { \"/data\" = \"./data\" }, or write = { … }"),
    ]);
    rights
}

fn read_origin(field: &Field<'_>) -> Option<Origin> {
    let text = field.text("https://api.example.com")?;
    if text == "*" {
        let hint = "name each origin, or the subdomains of one as in \"https://*.example.com\"";
        field.error("there is no right to reach every host", Some(hint.to_owned()));
        return None;
    }
    text.parse::<Origin>().map_err(|error| field.model_error(&error, text)).ok()
}

fn read_folders(field: &Field<'_>, folder: &Path, around: &Surroundings<'_>) -> BTreeMap<String, PathBuf> {
    let mut folders = BTreeMap::new();
    let Some(table) = field.table("{ \"/data\" = \"./data\" }") else { return folders };
    for (guest, spot, value) in table.entries() {
        if !guest.starts_with('/') || guest.split('/').any(|part| part == "..") || guest.contains('\0') {
            let hint =
                "the plugin sees the folder under this path: write for instance \"/data\" = \"./data\"";
            let message = format!("{} is not an absolute path", shortened(guest));
            field.findings.error(spot, &value.key, message, Some(hint.to_owned()));
        }
        let Some(path) = read_path(&value, "./data", folder) else { continue };
        match (around.path_kind)(&path) {
            PathKind::Absent => {
                let hint = "create it before the job runs; paths are relative to the manifest";
                value.warn(format!("there is no folder {}", path.display()), Some(hint.to_owned()));
            }
            PathKind::File => {
                let hint = "grant the folder that it is in";
                value.error(format!("{} is a file, not a folder", path.display()), Some(hint.to_owned()));
            }
            PathKind::Folder | PathKind::Unknown => {}
        }
        folders.insert(guest.to_owned(), path);
    }
    folders
}

fn read_env(field: &Field<'_>, around: &Surroundings<'_>) -> BTreeMap<String, String> {
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

fn is_variable(name: &str, field: &Field<'_>) -> bool {
    let fits = !name.is_empty() && !name.contains(['=', '\0']);
    if !fits {
        field.error(format!("{name:?} is not the name of an environment variable"), None);
    }
    fits
}

/// Names of rights that a plugin's own description asks for; nothing is granted by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Origins, as written.
    pub http: Vec<String>,
    /// Guest paths of folders to read.
    pub read: Vec<String>,
    /// Guest paths of folders to change.
    pub write: Vec<String>,
    /// Names of environment variables.
    pub env: Vec<String>,
}

impl Wanted {
    /// Reads the `allow` of an embedded description. There, `read`, `write` and `env` may be arrays of names as well.
    pub(super) fn read(allow: &Table) -> Self {
        let names = |key| match allow.get(key).map(|node| &node.value) {
            Some(Value::Array(items)) => {
                let text = |item: &super::tree::Node| match &item.value {
                    Value::Text(text) => Some(text.clone()),
                    _ => None,
                };
                items.iter().filter_map(text).collect()
            }
            Some(Value::Table(table)) => table.0.keys().cloned().collect(),
            _ => Vec::new(),
        };
        Self { http: names("http"), read: names("read"), write: names("write"), env: names("env") }
    }

    /// What of it is not among `rights`, in words such as `http https://api.example.com`.
    #[must_use]
    pub fn beyond(&self, rights: &Rights) -> Vec<String> {
        let granted = |origin: &String| origin.parse::<Origin>().is_ok_and(|o| rights.http.contains(&o));
        let mut missing: Vec<String> = Vec::new();
        missing.extend(self.http.iter().filter(|o| !granted(o)).map(|o| format!("http {o}")));
        let readable = |path: &String| rights.read.contains_key(path) || rights.write.contains_key(path);
        missing.extend(self.read.iter().filter(|p| !readable(p)).map(|p| format!("read {p}")));
        let writable = |path: &String| rights.write.contains_key(path);
        missing.extend(self.write.iter().filter(|p| !writable(p)).map(|p| format!("write {p}")));
        missing.extend(self.env.iter().filter(|n| !rights.env.contains_key(*n)).map(|n| format!("env {n}")));
        missing
    }
}

/// Checks that a description's `allow` is a table, and takes it.
pub(super) fn read_wanted(reader: &TableReader<'_>) -> Wanted {
    let table = reader.field("allow").and_then(|field| field.table(EXAMPLE));
    table.map(|table| Wanted::read(table.table)).unwrap_or_default()
}
