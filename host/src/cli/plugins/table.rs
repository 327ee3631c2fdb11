//! A listing as a table for people.

use std::{path::Path, time::Duration};

use clockbox_core::model::{Timestamp, format_size};

use super::{
    granted::within,
    listing::{Listed, Listing, Source, Trouble},
};
use crate::{cli::text, manifest::Severity};

/// The table, and below it what is wrong.
pub(super) fn table(listing: &Listing, now: Timestamp) -> String {
    let mut table = text::table(["PLUGIN", "FILE", "KIND", "DIGEST", "SIZE", "RIGHTS", "JOBS", "COMPILED"]);
    for listed in &listing.plugins {
        table.add_row([
            listed.name.clone(),
            file(listed, &listing.folder),
            listed.kind.unwrap_or("-").to_owned(),
            digest(listed),
            listed.size.map_or_else(|| "-".to_owned(), format_size),
            some(&listed.rights, if listed.source == Source::Nowhere { "-" } else { "none" }),
            jobs(listed),
            compiled(listed, now),
        ]);
    }
    let mut out = text::lines(&table);
    for listed in &listing.plugins {
        for trouble in &listed.problems {
            out.push_str(&told(&listed.name, trouble));
        }
    }
    out
}

/// The file as the manifest would name it.
fn file(listed: &Listed, folder: &Path) -> String {
    let path = listed.path.as_ref().map(|path| within(folder, Path::new(path)).display().to_string());
    path.unwrap_or_else(|| "-".to_owned())
}

fn some(items: &[String], none: &str) -> String {
    if items.is_empty() { none.to_owned() } else { items.join(", ") }
}

fn digest(listed: &Listed) -> String {
    let Some(digest) = &listed.sha256 else { return "-".to_owned() };
    let short = text::short_digest(digest);
    match listed.pin_matches {
        Some(true) => format!("{short} pinned"),
        Some(false) => format!("{short} NOT the pinned one"),
        None => short.to_owned(),
    }
}

fn jobs(listed: &Listed) -> String {
    let job = |job: &String| match listed.disabled_jobs.contains(job) {
        true => format!("{job} (disabled)"),
        false => job.clone(),
    };
    some(&listed.jobs.iter().map(job).collect::<Vec<_>>(), "none")
}

fn compiled(listed: &Listed, now: Timestamp) -> String {
    if listed.cached != Some(true) && listed.compiled_at.is_none() {
        return if listed.cached.is_some() { "not yet" } else { "-" }.to_owned();
    }
    let at = listed.compiled_at.as_ref().and_then(|at| at.parse::<Timestamp>().ok());
    let took = listed.compile_ms.map(|ms| format!(" in {}", text::span(Duration::from_millis(ms))));
    let at = at.map_or_else(|| "yes".to_owned(), |at| text::distance(at, now));
    format!("{at}{}", took.unwrap_or_default())
}

fn told(name: &str, trouble: &Trouble) -> String {
    let severity = if trouble.severity == Severity::Error { "error" } else { "warning" };
    let hint =
        trouble.hint.as_ref().map(|hint| format!("  hint: {}\n", text::plain(hint))).unwrap_or_default();
    format!("{severity}: {name}: {}\n{hint}", trouble.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Listed {
        Listed {
            name: "report".to_owned(),
            path: Some("etc/jobs/report.wasm".to_owned()),
            source: Source::Manifest,
            kind: Some("job component"),
            size: Some(2048),
            sha256: Some("0123456789abcdef".repeat(4)),
            pinned: false,
            pin_matches: None,
            rights: Vec::new(),
            jobs: vec!["a".to_owned(), "b".to_owned()],
            disabled_jobs: vec!["b".to_owned()],
            cached: Some(true),
            compiled_at: Some("2030-01-01T12:00:00+00:00".to_owned()),
            compile_ms: Some(1_500),
            used_at: None,
            loaded_at: None,
            problems: Vec::new(),
        }
    }

    #[test]
    fn a_row_says_it_all_in_short() {
        let trouble = Trouble {
            severity: Severity::Error,
            message: "bad".to_owned(),
            hint: Some("mend it".to_owned()),
        };
        let plugins = vec![Listed { problems: vec![trouble], ..listed() }];
        let now = "2030-01-01T14:00:00Z".parse().unwrap();
        let text = table(&Listing { plugins, folder: "etc".into(), others: Vec::new() }, now);
        for words in [
            "report  jobs/report.wasm",
            "0123456789ab  ",
            "2.0 KiB",
            "none",
            "a, b (disabled)",
            "2 h ago in 1.5 s",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(text.ends_with("\nerror: report: bad\n  hint: mend it\n"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let now = "2030-01-01T14:00:00Z".parse().unwrap();
        let of = |cached| compiled(&Listed { cached, compiled_at: None, compile_ms: None, ..listed() }, now);
        assert_eq!([of(Some(true)), of(Some(false)), of(None)], ["yes", "not yet", "-"]);
        let pinned = |pin_matches| digest(&Listed { pin_matches, ..listed() });
        assert_eq!(pinned(Some(true)), "0123456789ab pinned");
        assert_eq!(pinned(Some(false)), "0123456789ab NOT the pinned one");
    }
}
