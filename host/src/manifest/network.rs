//! The rights `http` and `tcp`, and how HTTP requests are made.

use std::path::Path;

use clockbox_core::model::{Endpoint, HttpGrant, HttpOptions, Origin};

use super::{
    reader::Field,
    scheduler::read_path,
    surroundings::{PathKind, Surroundings},
    tree::Value,
};

const ORIGIN: &str = "https://api.example.com";
const ENDPOINT: &str = "db.example.com:5432";
const METHODS: &str = "[\"GET\", \"HEAD\"]";

/// Reads `http`: origins, or tables such as `{ origin = "https://…", methods = ["GET"], private = true }`.
pub(super) fn read_http(field: &Field<'_>) -> Vec<HttpGrant> {
    let items = field.items("[\"https://api.example.com\"]").unwrap_or_default();
    items.iter().filter_map(read_grant).collect()
}

fn read_grant(field: &Field<'_>) -> Option<HttpGrant> {
    let Value::Table(_) = &field.node.value else { return read_origin(field).map(HttpGrant::to) };
    let table = field.table("{ origin = \"https://api.example.com\" }")?;
    let origin = match table.field("origin") {
        Some(origin) => read_origin(&origin),
        None => {
            table.error("the key `origin` is missing", Some(format!("write {{ origin = \"{ORIGIN}\" }}")));
            None
        }
    };
    let methods = table.field("methods").map(|field| read_methods(&field));
    let private = table.field("private").and_then(|field| field.boolean()).unwrap_or_default();
    table.finish(&[("url", "the key is origin"), ("method", "the key is methods, an array")]);
    Some(HttpGrant { origin: origin?, methods: methods.unwrap_or_default(), private })
}

fn read_origin(field: &Field<'_>) -> Option<Origin> {
    let text = field.text(ORIGIN)?;
    if text == "*" {
        let hint = "name each origin, or the subdomains of one as in \"https://*.example.com\"";
        field.error("there is no right to reach every host", Some(hint.to_owned()));
        return None;
    }
    text.parse::<Origin>().map_err(|error| field.model_error(&error, text)).ok()
}

fn read_methods(field: &Field<'_>) -> Vec<String> {
    let items = field.items(METHODS).unwrap_or_default();
    if items.is_empty() {
        field.error("no method is granted", Some(format!("leave it out for all, or write {METHODS}")));
    }
    let method = |item: &Field<'_>| {
        let text = item.text("GET")?;
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            item.error(format!("{text:?} is not an HTTP method"), Some(format!("write {METHODS}")));
            return None;
        }
        Some(text.to_ascii_uppercase())
    };
    items.iter().filter_map(method).collect()
}

/// Reads `tcp`: endpoints, or tables such as `{ to = "db.internal:5432", private = true }`.
pub(super) fn read_tcp(field: &Field<'_>) -> Vec<Endpoint> {
    let items = field.items("[\"db.example.com:5432\"]").unwrap_or_default();
    items.iter().filter_map(read_endpoint).collect()
}

fn read_endpoint(field: &Field<'_>) -> Option<Endpoint> {
    let parse = |field: &Field<'_>| {
        let text = field.text(ENDPOINT)?;
        text.parse::<Endpoint>().map_err(|error| field.model_error(&error, text)).ok()
    };
    let Value::Table(_) = &field.node.value else { return parse(field) };
    let table = field.table("{ to = \"db.example.com:5432\" }")?;
    let endpoint = match table.field("to") {
        Some(to) => parse(&to),
        None => {
            table.error("the key `to` is missing", Some(format!("write {{ to = \"{ENDPOINT}\" }}")));
            None
        }
    };
    let private = table.field("private").and_then(|field| field.boolean()).unwrap_or_default();
    table.finish(&[
        ("host", "the key is to, with the port"),
        ("origin", "the key is to, as in \"host:port\""),
    ]);
    Some(endpoint?.with_private(private))
}

/// Reads a plugin's `http`: how its requests are made.
pub(super) fn read_options(field: &Field<'_>, folder: &Path, around: &Surroundings<'_>) -> HttpOptions {
    let mut options = HttpOptions::default();
    let Some(table) = field.table("{ total_timeout = \"30s\" }") else { return options };
    for (key, time) in [
        ("connect_timeout", &mut options.connect_timeout),
        ("first_byte_timeout", &mut options.first_byte_timeout),
        ("total_timeout", &mut options.total_timeout),
    ] {
        if let Some(given) = table.field(key).and_then(|field| field.duration("30s")) {
            *time = given;
        }
    }
    if let Some(field) = table.field("ca_file")
        && let Some(path) = read_path(&field, "ca.pem", folder)
    {
        if (around.path_kind)(&path) == PathKind::Absent {
            field.error(format!("there is no file {}", path.display()), None);
        }
        options.ca_file = Some(path);
    }
    table.finish(&[
        ("timeout", "the keys are connect_timeout, first_byte_timeout and total_timeout"),
        ("origins", "origins are granted by allow = { http = [\"https://api.example.com\"] }"),
        ("max_response", "the size of a response is limits = { response = \"64MiB\" }"),
    ]);
    options
}
