//! What to do, in the flags of `exec`: what a host would have written in a manifest is said on the command line here.

use clockbox_core::model::{PluginSpec, Rights};
use clockbox_sandbox::{Inspection, PluginError};

use crate::{
    cli::exit::Failure,
    granted::{self, RIGHTS},
    manifest::{self, Place, Problem, Wanted},
};

/// A value that goes further than the default, for each limit.
const LIMITS: [(&str, &str); 11] = [
    ("timeout", "10m"),
    ("cancel_grace", "1m"),
    ("memory", "1GiB"),
    ("fuel", "1000000000000"),
    ("stack", "4MiB"),
    ("log", "8MiB"),
    ("output", "8MiB"),
    ("state", "64MiB"),
    ("response", "512MiB"),
    ("handles", "10000"),
    ("host_call", "1GiB"),
];

/// What the host says of a run that lacks a folder.
const FOLDERS: [&str; 2] = ["allow.read or allow.write to grant it", "allow.read and allow.write grant more"];

/// A problem with a flag, told as one with the flag; any other as a manifest has it.
pub(super) fn problem(problem: &Problem) -> Problem {
    let mut told = problem.clone();
    let parts = ["allow", "limits", "config"].into_iter();
    let found =
        parts.filter_map(|part| Some((part, told.key.split_once(&format!(".{part}."))?.1.to_owned()))).next();
    if !matches!(told.place, Place::Word { .. }) {
        return told;
    }
    // The flag says where.
    told.key = String::new();
    let Some((part, rest)) = found else { return told };
    let is_unknown = told.message == "unknown key";
    match (part, rest.contains('.')) {
        _ if !is_unknown => {}
        ("allow", false) => told.message = format!("there is no right {rest:?}"),
        ("limits", false) => told.message = format!("there is no limit {rest:?}"),
        _ => told.key = rest,
    }
    let word = if part == "limits" { "limits" } else { "rights" };
    told.hint = told.hint.map(|hint| hint.replace("the keys here are", &format!("the {word} are")));
    told
}

/// Whether it is the warning that the plugin's description asks for more than it gets.
pub(super) fn is_of_wants(problem: &Problem, spec: &PluginSpec) -> bool {
    problem.message.starts_with(&manifest::asks_for_more(&spec.name, ""))
}

/// The flags that grant what a description asks for beyond these rights.
pub(super) fn wanted(description: &str, rights: &Rights) -> Vec<String> {
    let flag = |missing: String| match missing.split_once(' ') {
        None => format!("--allow {missing}"),
        Some((right @ ("read" | "write"), guest)) => format!("--allow {right}={guest}=FOLDER"),
        Some((right, value)) => format!("--allow {right}={value}"),
    };
    Wanted::of(description).beyond(rights).into_iter().map(flag).collect()
}

/// Why the plugin is refused for the lack of a right, with the flags that grant all that it lacks.
pub(super) fn refusal(outline: &Inspection, rights: &Rights) -> Option<Failure> {
    let error =
        outline.check(rights).err().filter(|error| matches!(error, PluginError::NotGranted { .. }))?;
    let mut flags = wanted(outline.job.as_deref().unwrap_or_default(), rights);
    let lacks = |right: &&'static str| {
        outline.requires(right) && granted::granted(rights, right, std::path::Path::new("")).is_none()
    };
    for right in RIGHTS.into_iter().filter(lacks) {
        let known = |flag: &String| flag.strip_prefix("--allow ").is_some_and(|rest| rest.starts_with(right));
        if !flags.iter().any(known) {
            flags.push(match right {
                "http" => "--allow http=https://api.example.com".to_owned(),
                right => format!("--allow {right}"),
            });
        }
    }
    Some(Failure::new(error).hint(format!("grant it: {}", flags.join(" "))))
}

/// The flags that grant or raise what a text of the host names as `allow.RIGHT` or `limits.LIMIT`.
pub(super) fn flags<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut flags = Vec::new();
    let mut add = |flag: String| {
        if !flags.contains(&flag) {
            flags.push(flag);
        }
    };
    for text in texts {
        for (before, name) in named(text, "limits.") {
            // One that is bounded by the other needs more of its own.
            let is_aside = before.ends_with("never more than ");
            let value = LIMITS.iter().find(|(limit, _)| *limit == name).filter(|_| !is_aside);
            value.into_iter().for_each(|(limit, value)| add(format!("--limit {limit}={value}")));
        }
        for (before, name) in named(text, "allow.") {
            let quoted =
                before.strip_suffix("\" to the plugin's ").and_then(|start| start.rsplit('"').next());
            match (name, quoted) {
                ("http" | "tcp", Some(value)) => add(format!("--allow {name}={value}")),
                ("tcp", None) => add("--allow tcp=HOST:PORT".to_owned()),
                ("dns" | "state", _) => add(format!("--allow {name}")),
                ("jobs", _) if text.contains("allow.jobs.max_jobs") => {
                    add("--allow 'jobs={ max_jobs = 1000 }'".to_owned());
                }
                ("jobs", _) if text.contains("allow.jobs.per_minute") => {
                    add("--allow 'jobs={ per_minute = 1000 }'".to_owned());
                }
                ("jobs", _) if text.contains("allow.jobs.plugins") => {
                    add("--allow 'jobs={ plugins = [\"OTHER\"] }'".to_owned());
                }
                // Of a folder that could not be opened the text says otherwise.
                ("read" | "write", _) if text.contains(FOLDERS[0]) || text.contains(FOLDERS[1]) => {
                    add(format!("--allow {name}=FOLDER"));
                }
                ("jobs", _) => add("--allow jobs".to_owned()),
                _ => {}
            }
        }
        if text.contains("add state = true to the plugin's allow") {
            add("--allow state".to_owned());
        }
    }
    flags
}

/// The names that follow `section` in a text, each with what stands before it.
fn named<'a>(text: &'a str, section: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.match_indices(section).map(move |(at, _)| {
        let rest = &text[at + section.len()..];
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
        (&text[..at], &rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_says_of_a_manifest_becomes_flags() {
        for (text, flags) in [
            (
                "needed 1.0 GiB of memory and the limit is 128.0 MiB (raise limits.memory)",
                "--limit memory=1GiB",
            ),
            (
                "it handed more over (raise limits.host_call, which is never more than limits.memory)",
                "--limit host_call=1GiB",
            ),
            (
                "HTTP request to https://a.example refused: not granted; add \"https://a.example\" to the plugin's allow.http to grant it",
                "--allow http=https://a.example",
            ),
            (
                "TCP connection to db:5432 refused: not granted; add \"db:5432\" to the plugin's allow.tcp to grant it",
                "--allow tcp=db:5432",
            ),
            (
                "lookup of \"a\" refused: the right allow.dns is not granted; set allow = { dns = true } to grant it",
                "--allow dns",
            ),
            ("use refused: not granted; add state = true to the plugin's allow to grant it", "--allow state"),
            ("100 changes (allow.jobs.per_minute)", "--allow 'jobs={ per_minute = 1000 }'"),
            (
                "exit code 1; it has no folder: add one to the plugin's allow.read or allow.write to grant it",
                "--allow read=FOLDER --allow write=FOLDER",
            ),
            ("the folder /x of the right allow.read (\"/in\") cannot be opened", ""),
            ("it said limits.nonsense and allow.nonsense and limits.", ""),
        ] {
            assert_eq!(super::flags([text, text]).join(" "), flags, "{text}");
        }
    }

    #[test]
    fn what_a_description_asks_for_becomes_flags() {
        let text =
            "allow = { http = ['https://a.example'], read = ['/in'], secrets = ['TOKEN'], state = true }";
        let rights = Rights { state: true, ..Rights::default() };
        assert_eq!(
            wanted(text, &rights),
            ["--allow http=https://a.example", "--allow read=/in=FOLDER", "--allow secrets=TOKEN"]
        );
    }
}
