//! The key `allow` of a job: what its runs may reach, out of what the plugin may.

use clockbox_core::model::{Allow, Rights};

use super::{network, reader::Field, rights::read_texts};

/// Reads `allow` of a job. What it does not list is denied.
pub(super) fn read(field: &Field<'_>) -> Option<Allow> {
    let table = field.table("{ http = [\"https://api.example.com\"], read = [\"/data\"] }")?;
    let texts =
        |key, example: &str| table.field(key).map(|field| read_texts(&field, example)).unwrap_or_default();
    let flag = |key| table.field(key).and_then(|field| field.boolean()).unwrap_or_default();
    let allow = Allow {
        http: table.field("http").map(|field| network::read_http(&field)).unwrap_or_default(),
        tcp: table.field("tcp").map(|field| network::read_tcp(&field)).unwrap_or_default(),
        dns: flag("dns"),
        read: texts("read", "[\"/data\"]"),
        write: texts("write", "[\"/data\"]"),
        env: texts("env", "[\"LANG\"]"),
        secrets: texts("secrets", "[\"TOKEN\"]"),
        state: flag("state"),
        jobs: flag("jobs"),
    };
    table.finish(&[("args", "the arguments of a job are its args")]);
    Some(allow)
}

/// What a job lists although its plugin has no right to it, in words such as `http https://api.example.com`.
pub(super) fn beyond(allow: &Allow, rights: &Rights) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    let http = allow.http.iter().filter(|grant| {
        !rights.http.iter().any(|given| given.covers(grant) && (given.private || !grant.private))
    });
    missing.extend(http.map(|grant| format!("http {}", grant.origin)));
    let tcp = allow.tcp.iter().filter(|endpoint| {
        let fits = |given: &clockbox_core::model::Endpoint| given.is_private() || !endpoint.is_private();
        !rights.tcp.iter().any(|given| given.covers(endpoint) && fits(given))
    });
    missing.extend(tcp.map(|endpoint| format!("tcp {endpoint}")));
    let mut note = |right: &str, names: &[String], is_granted: &dyn Fn(&String) -> bool| {
        missing.extend(names.iter().filter(|name| !is_granted(name)).map(|name| format!("{right} {name}")));
    };
    note("read", &allow.read, &|path| rights.read.contains_key(path) || rights.write.contains_key(path));
    note("write", &allow.write, &|path| rights.write.contains_key(path));
    note("env", &allow.env, &|name| rights.env.contains_key(name));
    note("secrets", &allow.secrets, &|name| rights.secrets.contains_key(name));
    for (flag, asked, granted) in [
        ("dns", allow.dns, rights.dns),
        ("state", allow.state, rights.state),
        ("jobs", allow.jobs, rights.jobs.is_some()),
    ] {
        if asked && !granted {
            missing.push(flag.to_owned());
        }
    }
    missing
}
