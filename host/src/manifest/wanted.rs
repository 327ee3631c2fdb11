//! The rights that a plugin's own description asks for. Nothing is granted by it.

use clockbox_core::model::{Endpoint, Origin, Rights};

use super::{
    reader::{Findings, TableReader},
    rights::EXAMPLE,
    syntax,
    tree::{Node, Table, Value},
};

/// Names of rights that a plugin's own description asks for; nothing is granted by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Origins, as written.
    pub http: Vec<String>,
    /// Endpoints, as written.
    pub tcp: Vec<String>,
    /// Guest paths of folders to read.
    pub read: Vec<String>,
    /// Guest paths of folders to change.
    pub write: Vec<String>,
    /// Names of environment variables.
    pub env: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// The rights of one word that it asks for: `dns`, `state`, `jobs`.
    pub flags: Vec<&'static str>,
}

impl Wanted {
    /// What a description or sidecar of this text asks for under `allow`; nothing, where the text is not TOML.
    ///
    /// ```
    /// use clockbox::manifest::Wanted;
    /// let wanted = Wanted::of("allow = { http = ['https://a.example'], state = true }");
    /// assert_eq!((wanted.http, wanted.flags), (vec!["https://a.example".to_owned()], vec!["state"]));
    /// ```
    #[must_use]
    pub fn of(text: &str) -> Self {
        let (findings, source) = (Findings::default(), 0);
        let parsed = syntax::parse(text, source, &findings);
        parsed.table.table("allow").map(Self::read).unwrap_or_default()
    }

    /// Reads the `allow` of an embedded description. There, tables of names may be arrays of names as well.
    pub(super) fn read(allow: &Table) -> Self {
        let names = |key| match allow.get(key).map(|node| &node.value) {
            Some(Value::Array(items)) => items.iter().filter_map(name).collect(),
            Some(Value::Table(table)) => table.0.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let asked = |key: &&str| {
            let value = allow.get(key).map(|node| &node.value);
            matches!(value, Some(Value::Boolean(true) | Value::Table(_)))
        };
        Self {
            http: names("http"),
            tcp: names("tcp"),
            read: names("read"),
            write: names("write"),
            env: names("env"),
            secrets: names("secrets"),
            flags: ["dns", "state", "jobs"].into_iter().filter(asked).collect(),
        }
    }

    /// What of it is not among `rights`, in words such as `http https://api.example.com`.
    #[must_use]
    pub fn beyond(&self, rights: &Rights) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        let mut note = |right: &str, names: &[String], is_granted: &dyn Fn(&String) -> bool| {
            let denied = names.iter().filter(|name| !is_granted(name));
            missing.extend(denied.map(|name| format!("{right} {name}")));
        };
        note("http", &self.http, &|text| {
            text.parse::<Origin>().is_ok_and(|o| rights.http.iter().any(|grant| grant.origin.includes(&o)))
        });
        note("tcp", &self.tcp, &|text| {
            text.parse::<Endpoint>().is_ok_and(|e| rights.tcp.iter().any(|given| given.covers(&e)))
        });
        note("read", &self.read, &|path| rights.read.contains_key(path) || rights.write.contains_key(path));
        note("write", &self.write, &|path| rights.write.contains_key(path));
        note("env", &self.env, &|name| rights.env.contains_key(name));
        note("secrets", &self.secrets, &|name| rights.secrets.contains_key(name));
        let flags = self.flags.iter().filter(|flag| !match **flag {
            "dns" => rights.dns,
            "state" => rights.state,
            _ => rights.jobs.is_some(),
        });
        missing.extend(flags.map(|flag| (*flag).to_owned()));
        missing
    }
}

/// A name, or what a table names as its origin or endpoint.
fn name(item: &Node) -> Option<String> {
    match &item.value {
        Value::Text(text) => Some(text.clone()),
        Value::Table(table) => ["origin", "to"].iter().find_map(|key| name(table.get(key)?)),
        _ => None,
    }
}

/// Checks that a description's `allow` is a table, and takes it.
pub(super) fn read_wanted(reader: &TableReader<'_>) -> Wanted {
    let table = reader.field("allow").and_then(|field| field.table(EXAMPLE));
    table.map(|table| Wanted::read(table.table)).unwrap_or_default()
}
