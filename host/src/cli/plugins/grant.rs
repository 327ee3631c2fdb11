//! The lines of TOML that would grant a right.

use std::path::Path;

use clockbox_core::model::{Endpoint, HttpGrant, Origin, Rights};
use serde::Serialize;

use crate::manifest::{AllowForm, Grants};

/// What to write, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Grant {
    /// The line.
    pub(super) toml: String,
    /// Where it belongs.
    pub(super) r#where: String,
    /// Whether it takes the place of the line that grants something of this right already.
    pub(super) replaces: bool,
    /// Whether its values are mere examples, as nothing says which ones the plugin wants.
    pub(super) example: bool,
}

/// The plugin that is to be granted something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grantee<'a> {
    /// Its name.
    pub(super) plugin: &'a str,
    /// The manifest, where there is one.
    pub(super) manifest: Option<&'a Path>,
    /// What it is granted now.
    pub(super) rights: &'a Rights,
    /// Where.
    pub(super) grants: &'a Grants,
}

impl Grantee<'_> {
    /// How this right would be granted, for these items: origins, folders, names. Nothing, where none of them could be.
    pub(super) fn grant(&self, right: &str, missing: &[&str]) -> Option<Grant> {
        let (value, entry) = value(right, missing, self)?;
        let example = missing.is_empty() && !matches!(right, "dns" | "state" | "jobs");
        let (toml, r#where, replaces) = match (&self.grants.allow, entry) {
            (Some(allow), Some(entry)) if self.is_open(right) => {
                (entry, format!("in `allow.{right}` at {}", allow.place), false)
            }
            (Some(allow), _) => {
                let replaces = self.is_open(right);
                let line = format!("{right} = {value}");
                match allow.form {
                    AllowForm::Inline => (line, format!("in `allow` at {}", allow.place), replaces),
                    AllowForm::Section => (
                        line,
                        format!("under [plugins.{}.allow] at {}", key(self.plugin), allow.place),
                        replaces,
                    ),
                    AllowForm::Dotted => {
                        (format!("allow.{line}"), format!("beside `allow` at {}", allow.place), replaces)
                    }
                }
            }
            (None, _) => {
                let manifest =
                    self.manifest.map_or("a manifest".to_owned(), |path| path.display().to_string());
                let place = format!("under [plugins.{}] in {manifest}", key(self.plugin));
                (format!("allow.{right} = {value}"), place, false)
            }
        };
        Some(Grant { toml, r#where, replaces, example })
    }

    fn is_open(&self, right: &str) -> bool {
        super::granted::granted(self.rights, right, Path::new("")).is_some()
    }
}

/// The whole value of the right, and what to add to a table that there is.
fn value(right: &str, missing: &[&str], to: &Grantee<'_>) -> Option<(String, Option<String>)> {
    let wanted = |example: &'static str| if missing.is_empty() { vec![example] } else { missing.to_vec() };
    let table = |entries: Vec<String>| {
        let whole = (!entries.is_empty()).then(|| format!("{{ {} }}", entries.join(", ")))?;
        Some((whole, Some(entries.join(", "))))
    };
    match right {
        "dns" | "state" | "jobs" => Some(("true".to_owned(), None)),
        "http" => {
            let wanted = wanted("https://api.example.com");
            let new: Vec<String> = wanted
                .iter()
                .filter(|text| text.parse::<Origin>().is_ok())
                .map(|text| quoted(text))
                .collect();
            list(to.rights.http.iter().map(origin).collect(), new)
        }
        "tcp" => {
            let wanted = wanted("db.example.com:5432");
            let new: Vec<String> = wanted
                .iter()
                .filter(|text| text.parse::<Endpoint>().is_ok())
                .map(|text| quoted(text))
                .collect();
            list(to.rights.tcp.iter().map(endpoint).collect(), new)
        }
        "read" | "write" => {
            let folder = |guest: &&str| {
                let safe = guest.starts_with('/') && !guest.split('/').any(|part| part == "..");
                let name = guest.trim_matches('/');
                let host = if name.is_empty() { "./data".to_owned() } else { format!("./{name}") };
                safe.then(|| format!("{} = {}", key(guest), quoted(&host)))
            };
            table(wanted("/data").iter().filter_map(folder).collect())
        }
        "env" => {
            let names: Vec<&str> = wanted("LANG").into_iter().filter(|name| is_variable(name)).collect();
            let entry = |name: &&str| match to.grants.env_is_list {
                true => quoted(name),
                false => format!("{} = {{ env = {} }}", key(name), quoted(name)),
            };
            let whole = list(Vec::new(), names.iter().map(|name| quoted(name)).collect())?.0;
            Some((whole, Some(names.iter().map(entry).collect::<Vec<_>>().join(", "))))
        }
        "secrets" => {
            let secret = |name: &&str| {
                is_variable(name).then(|| format!("{} = {{ env = {} }}", key(name), quoted(name)))
            };
            table(wanted("TOKEN").iter().filter_map(secret).collect())
        }
        _ => None,
    }
}

fn list(old: Vec<String>, new: Vec<String>) -> Option<(String, Option<String>)> {
    (!new.is_empty()).then(|| (format!("[{}]", [old, new].concat().join(", ")), None))
}

fn origin(grant: &HttpGrant) -> String {
    let origin = quoted(&grant.origin.to_string());
    if grant.methods.is_empty() && !grant.private {
        return origin;
    }
    let mut table = format!("{{ origin = {origin}");
    if !grant.methods.is_empty() {
        let methods: Vec<String> = grant.methods.iter().map(|method| quoted(method)).collect();
        table.push_str(&format!(", methods = [{}]", methods.join(", ")));
    }
    if grant.private {
        table.push_str(", private = true");
    }
    table + " }"
}

fn endpoint(endpoint: &Endpoint) -> String {
    let to = quoted(&endpoint.to_string());
    if endpoint.is_private() { format!("{{ to = {to}, private = true }}") } else { to }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A key of TOML: bare where it can be.
fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::manifest::{Loaded, Manifest, Overrides, PluginFile, Surroundings, Wanted, parse};

    const WANTED: &str = r#"allow = { http = ["https://b.example"], tcp = ["db.example:5432"], dns = true, read = ["/in put"],
        write = ["/out"], env = ["LANG"], secrets = ["TOKEN"], state = true, jobs = true }"#;

    fn read(text: &str) -> Manifest {
        let around = Surroundings {
            env: &|_| Some("value".to_owned()),
            ..Surroundings::with_files(vec![PluginFile::dropped("jobs/x.wasm").with_embedded(WANTED)])
        };
        let loaded = parse(text, "clockbox.toml".as_ref(), &Overrides::default(), &around);
        loaded.map(Loaded::whole).unwrap_or_else(|problems| panic!("{problems}\n{text}")).unwrap()
    }

    fn all_grants(manifest: &Manifest) -> Vec<(String, Grant)> {
        let (rights, grants) = (&manifest.plugins["x"].rights, &manifest.grants["x"]);
        let grantee = Grantee { plugin: "x", manifest: Some(&manifest.path), rights, grants };
        let beyond = Wanted::of(WANTED).beyond(rights);
        let names: BTreeSet<&str> =
            beyond.iter().map(|words| words.split(' ').next().unwrap_or_default()).collect();
        let of = |right: &&str| {
            let lead = format!("{right} ");
            let missing: Vec<&str> = beyond.iter().filter_map(|words| words.strip_prefix(&lead)).collect();
            Some(((*right).to_owned(), grantee.grant(right, &missing)?))
        };
        names.iter().filter_map(of).collect()
    }

    /// What is still missing once the lines that were suggested are written where they belong.
    fn left(text: &str, put: impl Fn(&str, &[(String, Grant)]) -> String) -> Vec<String> {
        let grants = all_grants(&read(text));
        assert!(grants.iter().all(|(_, grant)| !grant.example), "{grants:?}");
        let manifest = read(&put(text, &grants));
        Wanted::of(WANTED).beyond(&manifest.plugins["x"].rights)
    }

    #[test]
    fn where_nothing_is_granted_the_lines_stand_under_the_plugin() {
        let lines = |text: &str, grants: &[(String, Grant)]| {
            assert!(grants.iter().all(|(_, grant)| grant.r#where == "under [plugins.x] in clockbox.toml"));
            let lines: Vec<&str> = grants.iter().map(|(_, grant)| grant.toml.as_str()).collect();
            assert!(lines.contains(&"allow.read = { \"/in put\" = \"./in put\" }"), "{lines:?}");
            format!("{text}{}\n", lines.join("\n"))
        };
        assert_eq!(left("[plugins.x]\n", lines), [""; 0]);
    }

    #[test]
    fn an_inline_table_is_added_to() {
        let text = "[plugins.x]\nallow = { clock = \"frozen\" }\n";
        let add = |text: &str, grants: &[(String, Grant)]| {
            assert!(
                grants.iter().all(|(_, grant)| grant.r#where == "in `allow` at clockbox.toml:2:9"),
                "{grants:?}"
            );
            let lines: Vec<&str> = grants.iter().map(|(_, grant)| grant.toml.as_str()).collect();
            text.replace(" }", &format!(", {} }}", lines.join(", ")))
        };
        assert_eq!(left(text, add), [""; 0]);
    }

    #[test]
    fn a_section_and_dotted_keys_are_added_to() {
        for (text, place) in [
            ("[plugins.x.allow]\nclock = \"frozen\"\n", "under [plugins.x.allow] at clockbox.toml:1:1"),
            ("[plugins.x]\nallow.clock = \"frozen\"\n", "beside `allow` at clockbox.toml:2:1"),
        ] {
            let add = |text: &str, grants: &[(String, Grant)]| {
                assert!(grants.iter().all(|(_, grant)| grant.r#where == place), "{grants:?}");
                let lines: Vec<&str> = grants.iter().map(|(_, grant)| grant.toml.as_str()).collect();
                format!("{text}{}\n", lines.join("\n"))
            };
            assert_eq!(left(text, add), [""; 0]);
        }
    }

    #[test]
    fn what_is_granted_already_stays() {
        let text = "[plugins.x]\nallow.http = [{ origin = \"https://a.example\", methods = [\"GET\"], private = true }]\n\
                    allow.read = { \"/a\" = \"a\" }\nallow.env = [\"HOME\"]\nallow.secrets = { KEY = { env = \"KEY\" } }\n";
        let grants = all_grants(&read(text));
        let of = |right: &str| grants.iter().find(|(name, _)| name == right).map(|(_, grant)| grant).unwrap();
        assert_eq!(
            of("http").toml,
            "allow.http = [{ origin = \"https://a.example\", methods = [\"GET\"], private = true }, \"https://b.example\"]"
        );
        assert!(of("http").replaces);
        assert_eq!((of("read").toml.as_str(), of("read").replaces), ("\"/in put\" = \"./in put\"", false));
        assert!(of("read").r#where.starts_with("in `allow.read` at "), "{:?}", of("read"));
        assert_eq!(of("env").toml, "\"LANG\"");
        assert_eq!(of("secrets").toml, "TOKEN = { env = \"TOKEN\" }");
    }

    #[test]
    fn what_could_not_be_granted_is_not_suggested() {
        let (rights, grants) = (Rights::default(), Grants::default());
        let grantee = Grantee { plugin: "x", manifest: None, rights: &rights, grants: &grants };
        for (right, item) in
            [("http", "*"), ("tcp", "nowhere"), ("read", "data"), ("write", "/a/../b"), ("env", "A=B")]
        {
            assert_eq!(grantee.grant(right, &[item]), None, "{right} {item}");
        }
        let grant = grantee.grant("http", &[]).unwrap();
        assert_eq!(grant.toml, "allow.http = [\"https://api.example.com\"]");
        assert!(grant.example && grant.r#where == "under [plugins.x] in a manifest");
        assert_eq!(grantee.grant("clock", &[]), None);
    }
}
