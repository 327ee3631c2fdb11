//! The key `allow` of a plugin: what it may reach.

use std::path::Path;

use clockbox_core::model::{ClockRight, JobsRight, PluginName, RandomRight, Rights};

use super::{
    environment, folders, grants::GrantSpots, network, reader::Field, secrets, surroundings::Surroundings,
    tree::Value,
};

pub(super) const EXAMPLE: &str = "{ http = [\"https://api.example.com\"] }";

/// Reads `allow`, and notes where what stands; host paths are relative to `folder`.
pub(super) fn read(
    field: &Field<'_>,
    folder: &Path,
    around: &Surroundings<'_>,
    spots: &mut GrantSpots,
) -> Rights {
    let mut rights = Rights::default();
    spots.allow = Some(field.node.spot.clone());
    let Some(table) = field.table(EXAMPLE) else { return rights };
    if let Some(field) = table.field("http") {
        rights.http = network::read_http(&field);
    }
    if let Some(field) = table.field("tcp") {
        rights.tcp = network::read_tcp(&field);
    }
    let tcp = table.field("tcp");
    rights.dns = table.field("dns").and_then(|field| field.boolean()).unwrap_or_default();
    if let Some((field, (name, _))) = tcp.zip(rights.tcp.iter().find_map(|endpoint| endpoint.name()))
        && !rights.dns
    {
        let hint = "add dns = true, or name its address";
        field.warn(format!("the plugin cannot look {name} up without the right dns"), Some(hint.to_owned()));
    }
    (rights.read, rights.write) = folders::read(&table, folder, around, spots);
    if let Some(field) = table.field("env") {
        rights.env = environment::read(&field, around);
        spots.env_is_list = matches!(field.node.value, Value::Array(_));
    }
    if let Some(field) = table.field("args") {
        rights.args = read_texts(&field, "[\"--verbose\"]");
    }
    if let Some(field) = table.field("secrets") {
        let files = &mut spots.secret_files;
        rights.secrets = secrets::read(&field, &rights.env, folder, around, files);
    }
    rights.state = table.field("state").and_then(|field| field.boolean()).unwrap_or_default();
    rights.jobs = table.field("jobs").and_then(|field| read_jobs(&field));
    let clocks = [("real", ClockRight::Real), ("frozen", ClockRight::Frozen)];
    rights.clock = table.field("clock").and_then(|field| field.choice(&clocks)).unwrap_or_default();
    let sources = [("real", RandomRight::Real), ("seeded", RandomRight::Seeded)];
    rights.random = table.field("random").and_then(|field| field.choice(&sources)).unwrap_or_default();
    table.finish(&[
        ("net", "write http = [\"https://api.example.com\"], or tcp = [\"db.example.com:5432\"]"),
        ("network", "write http = [\"https://api.example.com\"], or tcp = [\"db.example.com:5432\"]"),
        ("udp", "UDP cannot be granted"),
        ("fs", "write read = { \"/data\" = \"./data\" }, or write = { … }"),
        ("files", "write read = { \"/data\" = \"./data\" }, or write = { … }"),
        ("secret", "write secrets = { TOKEN = { env = \"HOST_NAME\" } }"),
        ("time", "the clock is given; clock = \"frozen\" stops it"),
    ]);
    rights
}

/// An array of strings.
pub(super) fn read_texts(field: &Field<'_>, example: &str) -> Vec<String> {
    let items = field.items(example).unwrap_or_default();
    let text = |item: &Field<'_>| {
        let text = item.text("--verbose")?;
        if text.contains('\0') {
            item.error("it cannot hold a NUL character", None);
            return None;
        }
        Some(text.to_owned())
    };
    items.iter().filter_map(text).collect()
}

/// `true`, `false`, or a table of how far it goes.
fn read_jobs(field: &Field<'_>) -> Option<JobsRight> {
    let mut right = JobsRight::default();
    match &field.node.value {
        Value::Boolean(given) => return given.then_some(right),
        Value::Table(_) => {}
        _ => return field.mismatch("true, false, or a table such as { max_jobs = 100 }", None),
    }
    let table = field.table("{ max_jobs = 100 }")?;
    if let Some(items) = table.field("plugins").and_then(|field| field.items("[\"report\"]")) {
        right.plugins = items.iter().filter_map(|item| item.parsed::<PluginName>("report")).collect();
    }
    if let Some(most) = table.field("max_jobs").and_then(|field| field.count(1)) {
        right.max_jobs = most;
    }
    if let Some(most) = table.field("per_minute").and_then(|field| field.count(1)) {
        right.per_minute = most;
    }
    table.finish(&[("max", "the key is max_jobs"), ("rate", "the key is per_minute")]);
    Some(right)
}
