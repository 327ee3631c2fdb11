//! TOML text into a tree, with every syntax error placed.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::{
    lines,
    problem::Severity,
    reader::{Finding, Findings},
    sections::Section,
    source::{MANIFEST, Origin, Spot},
    tree::{Entry, Table, Value},
};

/// Syntax errors beyond this number are counted: most are a consequence of the others, or it is no manifest at all.
const MOST: usize = 100;

/// A parsed text: its tree and the spot of the whole.
#[derive(Debug, Clone)]
pub(super) struct Parsed {
    pub(super) table: Table,
    pub(super) spot: Spot,
    /// Whether the tree is what was written, so that it is worth reading for further problems.
    pub(super) readable: bool,
}

/// Parses a text, noting its syntax errors and the keys that are declared twice.
pub(super) fn parse(text: &str, source: usize, findings: &Findings) -> Parsed {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut readable = true;
    let mut duplicate_headers = Vec::new();
    let mut broken_lines = BTreeSet::new();
    let mut noted = 0;
    for (n, error) in errors.iter().enumerate() {
        let span = error.span().unwrap_or(text.len()..text.len());
        let spot = Spot::new(source, span);
        let is_duplicate = |error: &toml::de::Error| error.message().starts_with("duplicate key");
        if noted == MOST {
            let more = errors.get(n..).unwrap_or_default();
            readable &= more.iter().all(is_duplicate);
            let message = format!("TOML syntax error: {} more are not shown", more.len());
            findings.error(&spot, "", message, Some("correct those above, and look again".to_owned()));
            break;
        }
        if is_duplicate(error) {
            let header = header_before(text, spot.start);
            if header.is_some_and(|at| duplicate_headers.contains(&at)) {
                // Keys below a second header of the same name: the header is the mistake.
                continue;
            }
            if is_header(lines::line_at(text, spot.start)) {
                duplicate_headers.push(lines::line_start(text, spot.start));
            }
            noted += 1;
            findings.note(duplicate(text, spot));
        } else if broken_lines.insert(lines::line_start(text, spot.start)) {
            // What follows on the same line is mostly a consequence of the first.
            readable = false;
            noted += 1;
            findings.note(syntax_error(text, spot, error.message()));
        }
    }
    Parsed { table: Table::new(root.get_ref(), source.into()), spot: Spot::new(source, 0..0), readable }
}

/// Parses a section of the manifest by itself: the job that it declares, provided that it declares this one, wholly and
/// nothing else.
pub(super) fn parse_section(text: &str, section: &Section<'_>) -> Option<Entry> {
    let origin = Origin { source: MANIFEST, start: section.range.start };
    let root = DeTable::parse(text.get(section.range.clone())?).ok()?;
    let only = |table: Table, name: &str| {
        let mut entries = table.0;
        entries.remove(name).filter(|_| entries.is_empty())
    };
    match only(Table::new(root.get_ref(), origin), "jobs")?.node.value {
        Value::Table(jobs) => only(jobs, section.name()).filter(|entry| entry.key.start == section.key),
        _ => None,
    }
}

fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// Where the nearest header line above `offset` starts.
fn header_before(text: &str, offset: usize) -> Option<usize> {
    let mut end = lines::line_start(text, offset);
    while end > 0 {
        let start = lines::line_start(text, end - 1);
        if is_header(&text[start..end]) {
            return Some(start);
        }
        end = start;
    }
    None
}

/// The name within the header that a line holds: `jobs.a` of `[jobs.a]  # comment`.
fn header_name(line: &str) -> &str {
    let inner = line.trim_start().trim_start_matches('[');
    inner.split(']').next().unwrap_or_default().trim()
}

fn duplicate(text: &str, spot: Spot) -> Finding {
    let line = lines::line_at(text, spot.start);
    let name = text.get(spot.start..spot.end).unwrap_or_default();
    let (key, first) = if is_header(line) {
        let wanted = header_name(line);
        let same = |other: &str| is_header(other) && header_name(other) == wanted;
        (wanted.to_owned(), line_of_first(text, 0, spot.start, same))
    } else {
        let header = header_before(text, spot.start);
        let path = header.map(|at| header_name(lines::line_at(text, at))).unwrap_or_default();
        let same = |other: &str| {
            other.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
        };
        let key = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        (key, line_of_first(text, header.unwrap_or(0), spot.start, same))
    };
    let hint = match first {
        Some(line) => format!("it is declared first on line {line}; keep one of the two"),
        None => "keep one of the two".to_owned(),
    };
    let message = "declared twice".to_owned();
    Finding { severity: Severity::Error, spot, key, message, hint: Some(hint) }
}

/// The number of the first line from `from` that fits, above the line of `before`.
fn line_of_first(text: &str, from: usize, before: usize, fits: impl Fn(&str) -> bool) -> Option<u32> {
    let until = lines::line_start(text, before);
    let mut offset = from;
    for line in text.get(from..until)?.split_inclusive('\n') {
        if fits(line) {
            return Some(lines::position(text, offset).0);
        }
        offset += line.len();
    }
    None
}

fn syntax_error(text: &str, spot: Spot, message: &str) -> Finding {
    let line = lines::line_at(text, spot.start).trim();
    let unquoted = message.starts_with("string values must be quoted");
    let hint = if unquoted && text.get(..spot.end).unwrap_or_default().ends_with(|c: char| c.is_ascii_digit())
    {
        Some("put commas between values, and text in double quotes")
    } else if unquoted {
        Some("put the text in double quotes")
    } else if message.contains("extend value") {
        Some("a value in braces or brackets is complete; write its keys inside them")
    } else if line.starts_with(['-', '{'])
        || (line.contains(": ") || line.ends_with(':')) && !line.contains('=')
    {
        Some("a manifest is TOML: write `key = value`")
    } else {
        None
    };
    let message = if unquoted { "a value must be quoted, a number, true or false" } else { message };
    let message = format!("TOML syntax error: {message}");
    let hint = hint.map(ToOwned::to_owned);
    Finding { severity: Severity::Error, spot, key: String::new(), message, hint }
}
