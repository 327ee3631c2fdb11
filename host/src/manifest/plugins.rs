//! Plugins: the sections `[plugins.*]`, and the same keys in a sidecar.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clockbox_core::model::{HttpOptions, Limits, OutputFrom, PluginName, PluginSpec, Rights};

use super::{
    grants::GrantSpots,
    limits, network,
    reader::{Field, TableReader},
    rights,
    surroundings::Surroundings,
    tree::{Value, shortened},
};

/// The keys of a plugin that are laid over one another key by key.
pub(super) const DEEP: &[&str] = &["limits", "http", "config"];

/// What a plugin's keys say, its name and path apart.
#[derive(Debug, Clone, Default)]
pub(super) struct PluginKeys {
    sha256: Option<String>,
    rights: Rights,
    limits: Limits,
    output: OutputFrom,
    http: HttpOptions,
    config: BTreeMap<String, String>,
    /// Where its rights are granted.
    pub(super) spots: GrantSpots,
}

impl PluginKeys {
    pub(super) fn into_spec(self, name: PluginName, path: PathBuf) -> PluginSpec {
        let Self { sha256, rights, limits, output, http, config, .. } = self;
        PluginSpec { name, path, sha256, rights, limits, output, http, config }
    }
}

/// Reads a plugin's keys, except its path.
pub(super) fn read_keys(
    table: &TableReader<'_>,
    base: &Limits,
    folder: &Path,
    around: &Surroundings<'_>,
) -> PluginKeys {
    let mut spots = GrantSpots::default();
    let sha256 = table.field("sha256").and_then(|field| read_sha256(&field));
    let rights = table.field("allow").map(|field| rights::read(&field, folder, around, &mut spots));
    PluginKeys {
        sha256,
        rights: rights.unwrap_or_default(),
        limits: table.field("limits").map_or_else(|| base.clone(), |field| limits::read(&field, base)),
        output: table.field("output").and_then(|field| read_output(&field)).unwrap_or_default(),
        http: table
            .field("http")
            .map(|field| network::read_options(&field, folder, around))
            .unwrap_or_default(),
        config: table.field("config").map(|field| read_config(&field)).unwrap_or_default(),
        spots,
    }
}

fn read_output(field: &Field<'_>) -> Option<OutputFrom> {
    field.choice(&OutputFrom::ALL.map(|output| (output.as_str(), output)))
}

fn read_sha256(field: &Field<'_>) -> Option<String> {
    let text = field.text("9f86d0…")?;
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(digits.to_ascii_lowercase());
    }
    let message = format!("{} is not a SHA-256 digest", shortened(text));
    field.error(message, Some("it has 64 hexadecimal digits, as sha256sum prints them".to_owned()));
    None
}

fn read_config(field: &Field<'_>) -> BTreeMap<String, String> {
    let mut config = BTreeMap::new();
    let Some(table) = field.table("{ key = \"value\" }") else { return config };
    for (key, _, value) in table.entries() {
        let text = match &value.node.value {
            Value::Text(text) | Value::Datetime(text) | Value::Huge(text) => Some(text.clone()),
            Value::Whole(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            Value::Boolean(flag) => Some(flag.to_string()),
            Value::Array(_) | Value::Table(_) => {
                let hint = "config holds single values; a job's args may be of any shape";
                value.mismatch("a string, number or boolean", Some(hint.to_owned()))
            }
        };
        if let Some(text) = text {
            config.insert(key.to_owned(), text);
        }
    }
    config
}
