//! What a plugin is granted, in short.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clockbox_core::model::{ClockRight, Endpoint, HttpGrant, RandomRight, Rights, Secret, SecretAs};

/// The rights in the order in which they are told, as written under `allow`.
pub(crate) const RIGHTS: [&str; 12] =
    ["http", "tcp", "dns", "read", "write", "env", "args", "secrets", "state", "jobs", "clock", "random"];

/// Whether a right is granted, and what of it: nothing more where the right is but a yes or no.
/// Folders of the host are told as the manifest in the folder `base` writes them.
pub(crate) fn granted(rights: &Rights, right: &str, base: &Path) -> Option<Vec<String>> {
    let some = |items: Vec<String>| (!items.is_empty()).then_some(items);
    let flag = |given: bool| given.then(Vec::new);
    let folder = |(guest, host): (&String, &PathBuf)| format!("{guest} = {}", within(base, host).display());
    let folders = |folders: &BTreeMap<String, PathBuf>| some(folders.iter().map(folder).collect());
    match right {
        "http" => some(rights.http.iter().map(origin).collect()),
        "tcp" => some(rights.tcp.iter().map(endpoint).collect()),
        "dns" => flag(rights.dns),
        "read" => folders(&rights.read),
        "write" => folders(&rights.write),
        // A value may come from the host's environment, and is nobody's business here.
        "env" => some(rights.env.keys().cloned().collect()),
        "args" => some(rights.args.clone()),
        "secrets" => some(rights.secrets.iter().map(secret).collect()),
        "state" => flag(rights.state),
        "jobs" => rights.jobs.as_ref().map(|jobs| {
            let mut words: Vec<String> =
                jobs.plugins.iter().map(|plugin| format!("also those of plugin {plugin}")).collect();
            words.push(format!("{} at most", jobs.max_jobs));
            words.push(format!("{} changes a minute", jobs.per_minute));
            words
        }),
        "clock" => (rights.clock == ClockRight::Frozen).then(|| vec!["frozen".to_owned()]),
        "random" => (rights.random == RandomRight::Seeded).then(|| vec!["seeded".to_owned()]),
        _ => None,
    }
}

/// All rights that are granted, each in a few words: `http https://api.example.com +2`, `state`.
pub(crate) fn in_short(rights: &Rights, base: &Path) -> Vec<String> {
    let words = |right: &&str| {
        let items = granted(rights, right, base)?;
        let more = items.len().saturating_sub(1);
        Some(match (items.first(), more) {
            // How far it goes is told by `inspect`.
            _ if *right == "jobs" => (*right).to_owned(),
            (None, _) => (*right).to_owned(),
            (Some(first), 0) => format!("{right} {first}"),
            (Some(first), more) => format!("{right} {first} +{more}"),
        })
    };
    RIGHTS.iter().filter_map(words).collect()
}

/// The path as a manifest in the folder `base` writes it.
pub(crate) fn within<'a>(base: &Path, path: &'a Path) -> &'a Path {
    match path.strip_prefix(base) {
        Ok(rest) if rest == Path::new("") => Path::new("."),
        Ok(rest) => rest,
        Err(_) => path,
    }
}

fn origin(grant: &HttpGrant) -> String {
    let mut text = grant.origin.to_string();
    if !grant.methods.is_empty() {
        text.push_str(&format!(" ({})", grant.methods.join(", ")));
    }
    if grant.private {
        text.push_str(" (private addresses too)");
    }
    text
}

fn endpoint(endpoint: &Endpoint) -> String {
    let private = if endpoint.is_private() { " (private addresses too)" } else { "" };
    format!("{endpoint}{private}")
}

fn secret((name, secret): (&String, &Secret)) -> String {
    match secret.handed_as() {
        SecretAs::Config => name.clone(),
        SecretAs::Env => format!("{name} (as a variable)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_told_in_short_and_no_value_is_repeated() {
        let base = Path::new("");
        let http = |text: &str| HttpGrant::to(text.parse().unwrap());
        let rights = Rights {
            http: vec![
                HttpGrant { methods: vec!["GET".to_owned()], ..http("https://a.example") },
                HttpGrant { private: true, ..http("https://b.example") },
            ],
            dns: true,
            write: [("/out".to_owned(), "etc/data/out".into())].into(),
            env: [("PASSWORD".to_owned(), "hunter2".to_owned())].into(),
            secrets: [("TOKEN".to_owned(), Secret::new("hunter3", SecretAs::Env))].into(),
            jobs: Some(Default::default()),
            clock: ClockRight::Frozen,
            ..Rights::default()
        };
        assert_eq!(
            in_short(&rights, "etc".as_ref()),
            [
                "http https://a.example (GET) +1",
                "dns",
                "write /out = data/out",
                "env PASSWORD",
                "secrets TOKEN (as a variable)",
                "jobs",
                "clock frozen",
            ]
        );
        assert_eq!(granted(&rights, "http", base).unwrap()[1], "https://b.example (private addresses too)");
        assert_eq!(granted(&rights, "jobs", base).unwrap(), ["100 at most", "60 changes a minute"]);
        assert_eq!(granted(&Rights::default(), "read", base), None);
        assert!(in_short(&Rights::default(), base).is_empty());
    }
}
