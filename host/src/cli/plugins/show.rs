//! An inspection as text for people.

use clockbox_core::model::{OutputFrom, format_size};

use super::{
    inspection::{Inspection, JobRow},
    rights::{RightRow, Want},
};
use crate::cli::text::plain;

/// The width of the first column.
const KEY: usize = 12;

/// The inspection as text, each line ended.
pub(super) fn show(inspection: &Inspection) -> String {
    let mut out = Lines::default();
    head(inspection, &mut out);
    rights(inspection, &mut out);
    jobs(&inspection.jobs, &mut out);
    out.list("imports", &inspection.imports);
    out.list("exports", &inspection.exports);
    out.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, key: &str, value: &str) {
        let line = format!("{key:<KEY$} {value}");
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    /// One below the other, the key before the first.
    fn list(&mut self, key: &str, values: &[String]) {
        for (n, value) in values.iter().enumerate() {
            self.put(if n == 0 { key } else { "" }, value);
        }
        if values.is_empty() {
            self.put(key, "nothing");
        }
    }
}

fn head(inspection: &Inspection, out: &mut Lines) {
    let Inspection { path, plugin, manifest, kind, world, size, sha256, .. } = inspection;
    out.put("file", path);
    match plugin.as_ref().zip(manifest.as_ref()) {
        Some((plugin, manifest)) => out.put("plugin", &format!("{plugin} of {manifest}")),
        None => out.put(
            "plugin",
            "in no manifest that was given: the rights below are what it wants, granted by nobody",
        ),
    }
    let none = "none that clockbox can run: it needs clockbox:job/runner, wasi:cli/run or a _start function";
    out.put("kind", kind.unwrap_or(none));
    if let Some(world) = world {
        out.put("world", world);
    }
    out.put("size", &format!("{} ({size} bytes)", format_size(*size)));
    out.put("sha256", sha256);
    match (&inspection.pinned_sha256, inspection.pin_matches) {
        (Some(_), Some(true)) => out.put("", "as the manifest pins it"),
        (Some(pin), _) => out.put("", &format!("NOT what the manifest pins, which is {pin}")),
        (None, _) if plugin.is_some() => out.put("", "not pinned (its entry would have it as `sha256`)"),
        (None, _) => {}
    }

    for (key, value) in [
        ("name", &inspection.name),
        ("version", &inspection.version),
        ("about", &inspection.description),
        ("licenses", &inspection.licenses),
    ] {
        if let Some(value) = value {
            out.put(key, value);
        }
    }
    let made = |p: &super::inspection::Producer| {
        format!("{}: {} {}", p.field, p.name, p.version).trim_end().to_owned()
    };
    let made: Vec<String> = inspection.producers.iter().map(made).collect();
    if !made.is_empty() {
        out.list("made by", &made);
    }
    if let Some(described) = &inspection.described {
        if let Some(trigger) = &described.trigger {
            out.put("trigger", &format!("{trigger}, unless the manifest says otherwise"));
        }
        let args = described.args();
        if !args.is_empty() {
            out.list("arguments", &args);
        }
    }
    if inspection.output == OutputFrom::LastLine {
        out.put("output", "the last line on stdout, if it is JSON");
    }
}

fn rights(inspection: &Inspection, out: &mut Lines) {
    if inspection.rights.is_empty() {
        return out.put("rights", "it wants none and has none");
    }
    out.put("rights", "");
    for row in &inspection.rights {
        let want = match row.wanted {
            Want::Required => "needed",
            Want::Described => "asked for",
            Want::Possible => "may use",
            Want::None if matches!(row.right, "args" | "clock" | "random") => "set",
            Want::None => "not asked for",
        };
        out.put(&format!("  {}", row.right), &format!("{want:<13} {}", verdict(row)));
        if let Some(grant) = &row.grant {
            // Of what is merely possible one line is enough.
            if row.wanted == Want::Possible {
                continue;
            }
            let verb = if grant.replaces { "write in its place" } else { "write" };
            let example = if grant.example { ", for instance" } else { "" };
            out.put("", &format!("{:<13} to grant it, {verb} {}{example}:", "", grant.r#where));
            out.put("", &format!("{:<13}     {}", "", grant.toml));
        }
    }
}

fn verdict(row: &RightRow) -> String {
    let asked =
        |items: &[String]| if items.is_empty() { String::new() } else { format!(": {}", items.join(", ")) };
    match row.granted {
        None => asked(&row.described).trim_start_matches(": ").to_owned(),
        Some(true) => {
            let missing = if row.missing.is_empty() {
                String::new()
            } else {
                format!("; NOT granted{}", asked(&row.missing))
            };
            format!("granted{}{missing}", asked(&row.grants))
        }
        Some(false) => match (row.wanted, &row.grant) {
            (Want::Possible, Some(grant)) => format!("not granted ({}: {})", grant.r#where, grant.toml),
            (Want::Required, _) => {
                format!("NOT granted{}; the host refuses the plugin without it", asked(&row.missing))
            }
            _ => format!("NOT granted{}", asked(&row.missing)),
        },
    }
}

fn jobs(jobs: &[JobRow], out: &mut Lines) {
    let line = |row: &JobRow| {
        let disabled = if row.enabled { "" } else { " (disabled)" };
        let rights = match row.rights.is_empty() {
            true => "nothing".to_owned(),
            false => row.rights.iter().map(|words| plain(words)).collect::<Vec<_>>().join("; "),
        };
        let narrowed = if row.narrowed { format!(": narrowed to {rights}") } else { String::new() };
        let missing = match row.missing.is_empty() {
            true => String::new(),
            false => format!("; without {}, which the plugin wants", row.missing.join(", ")),
        };
        format!("{}{disabled}{narrowed}{missing}", row.job)
    };
    if !jobs.is_empty() {
        out.list("jobs", &jobs.iter().map(line).collect::<Vec<_>>());
    }
}
