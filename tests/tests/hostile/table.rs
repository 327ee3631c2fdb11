//! The table of attacks: what `tests/guests/HOSTILE.md` shows, made from what the host really said.

use std::{fmt::Write as _, fs};

use clockbox_tests::repository;

/// One row.
pub(crate) struct Row {
    pub(crate) attack: &'static str,
    pub(crate) tries: &'static str,
    pub(crate) outcome: String,
    pub(crate) said: String,
}

/// The name of the variable that has the file written anew.
const REGENERATE: &str = "HOSTILE_WRITE";

/// The rows as a Markdown table.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from("| attack | tries | outcome | the host says |\n|---|---|---|---|\n");
    for Row { attack, tries, outcome, said } in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{attack}` | {tries} | {outcome} | {} |", cell(said));
    }
    text
}

/// A text within one cell, cut where it goes on and on.
fn cell(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut cell: String = text.chars().take(LONGEST).collect();
    if cell.len() < text.len() {
        cell.push('…');
    }
    cell.replace('|', "\\|").replace('<', "&lt;").trim_end().replace('\n', "<br>")
}

/// Holds the table in the file against this one, or writes it where that is asked for.
#[track_caller]
pub(crate) fn compare(table: &str) {
    let path = repository().join("tests/guests/HOSTILE.md");
    let page = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (from, to) = ("<!-- table -->\n", "<!-- end -->");
    let (head, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from:?} in the page"));
    let (known, tail) = rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} in the page"));
    if std::env::var_os(REGENERATE).is_some() {
        let page = format!("{head}{from}{table}{to}{tail}");
        fs::write(&path, page).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        return;
    }
    for (known, now) in known.lines().zip(table.lines()) {
        assert_eq!(now, known, "set {REGENERATE}=1 to write {} anew", path.display());
    }
    assert_eq!(known.lines().count(), table.lines().count(), "set {REGENERATE}=1 to write it anew");
}
