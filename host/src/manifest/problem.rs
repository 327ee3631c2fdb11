//! What is wrong with a manifest: where, what, and what to do.

use std::{
    fmt::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

/// Whether a problem refuses the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// What was written cannot be used.
    Error,
    /// It can be used, but is probably not what was meant.
    Warning,
}

impl Severity {
    /// The name used in JSON and at the terminal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a problem stands. Lines and columns start at 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum Place {
    /// In a manifest or sidecar, or with a file as a whole.
    File {
        /// The file.
        #[serde(serialize_with = "as_text")]
        file: PathBuf,
        /// The line; `None` for the file as a whole.
        line: Option<u32>,
        /// The column.
        column: Option<u32>,
    },
    /// In the description that a plugin file carries.
    Embedded {
        /// The plugin file.
        #[serde(serialize_with = "as_text")]
        file: PathBuf,
        /// The line of its `clockbox:job` section.
        line: Option<u32>,
        /// The column.
        column: Option<u32>,
    },
    /// In a `--set` flag.
    Flag {
        /// The flag as it was given, such as `pools.default.max_instances=20`.
        flag: String,
    },
    /// In another flag, which stands for a key.
    Word {
        /// The flag as it was given, such as `--allow state`.
        word: String,
    },
    /// In an environment variable.
    Variable {
        /// Its name.
        variable: String,
    },
}

fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

impl Place {
    /// The file, where there is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File { file, .. } | Self::Embedded { file, .. } => Some(file),
            Self::Flag { .. } | Self::Word { .. } | Self::Variable { .. } => None,
        }
    }

    /// The line and column, where there are any.
    #[must_use]
    pub fn position(&self) -> Option<(u32, u32)> {
        match self {
            Self::File { line, column, .. } | Self::Embedded { line, column, .. } => line.zip(*column),
            Self::Flag { .. } | Self::Word { .. } | Self::Variable { .. } => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, .. } => f.write_str(&printable_path(file))?,
            Self::Embedded { file, .. } => write!(f, "{} (section clockbox:job)", printable_path(file))?,
            Self::Flag { flag } => write!(f, "--set {}", printable(flag))?,
            Self::Word { word: text } | Self::Variable { variable: text } => f.write_str(&printable(text))?,
        }
        match self.position() {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// The source line of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line.
    pub text: String,
    /// How many characters of it are meant, from the problem's column on; at least 1.
    pub width: u32,
}

/// One thing that is wrong.
///
/// `Display` prints `place: key: message`, and the hint on a line of its own; [`Problem::render`] adds the source line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether it refuses the manifest.
    pub severity: Severity,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// The dotted key, such as `jobs.report.trigger.cron.hour`; empty where there is none.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The source line.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

impl Problem {
    /// An error with a file as a whole.
    #[must_use]
    pub fn in_file(file: &Path, message: impl Into<String>, hint: Option<String>) -> Self {
        Self {
            severity: Severity::Error,
            place: Place::File { file: file.to_owned(), line: None, column: None },
            key: String::new(),
            message: message.into(),
            hint,
            excerpt: None,
        }
    }

    /// The problem with its source line and a mark under what is meant: plain text, each line ended.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("{}\n", self.headline());
        if let (Some(excerpt), Some((line, column))) = (&self.excerpt, self.place.position())
            && !excerpt.text.trim().is_empty()
        {
            excerpt.draw(&mut text, line, column);
        }
        if let Some(hint) = &self.hint {
            text.push_str(&hint_lines(hint));
        }
        text
    }

    fn headline(&self) -> String {
        let severity = if self.severity == Severity::Warning { "warning: " } else { "" };
        let key = if self.key.is_empty() { String::new() } else { format!("{}: ", printable(&self.key)) };
        format!("{}: {severity}{key}{}", self.place, printable(&self.message))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        match &self.hint {
            Some(hint) => write!(f, "\n{}", hint_lines(hint).trim_end()),
            None => Ok(()),
        }
    }
}

fn hint_lines(hint: &str) -> String {
    let mut text = String::new();
    for (n, line) in hint.lines().enumerate() {
        let lead = if n == 0 { "hint: " } else { "      " };
        text.push_str(&format!("  {lead}{}", printable(line)));
        text.push('\n');
    }
    text
}

impl Excerpt {
    /// Longer lines are cut, so that a minified file does not fill the screen.
    const WIDEST: usize = 160;

    fn draw(&self, out: &mut String, line: u32, column: u32) {
        let column = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
        let skipped = if column + 20 > Self::WIDEST { column - 40 } else { 0 };
        let visible: String = self.text.chars().skip(skipped).take(Self::WIDEST).collect();
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        // A tab stays a tab above and below, so that the mark stands where it should.
        let pad: String =
            visible.chars().take(column - skipped).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let room = visible.chars().count().saturating_sub(column - skipped).max(1);
        let marks = "^".repeat(usize::try_from(self.width).unwrap_or(1).min(room));
        let shown: String =
            visible.chars().map(|c| if c.is_control() && c != '\t' { '?' } else { c }).collect();
        // Writing to a String cannot fail.
        let _ = write!(out, "  {number} | {shown}\n  {margin} | {pad}{marks}\n");
    }
}

/// The text without control characters and turns of the writing direction, which could play tricks on a terminal.
fn printable(text: &str) -> std::borrow::Cow<'_, str> {
    let tricky = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(tricky) {
        text.chars()
            .map(|c| if tricky(c) { c.escape_default().to_string() } else { c.to_string() })
            .collect::<String>()
            .into()
    } else {
        text.into()
    }
}

/// A path for people: a file's name can hold anything but a slash.
pub(super) fn printable_path(path: &Path) -> String {
    printable(&path.display().to_string()).into_owned()
}

/// Every problem of a manifest, in the order in which they stand in it: never empty as an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Each problem with its source line: plain text.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.iter().map(Problem::render).collect()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            let line_end = if n == 0 { "" } else { "\n" };
            write!(f, "{line_end}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Warnings are told up to this number; more are counted.
const MOST_TOLD: usize = 20;

/// Tells an operator of problems that refuse nothing.
pub(crate) fn warn_of<'a>(problems: impl IntoIterator<Item = &'a Problem>) {
    let mut problems = problems.into_iter();
    problems.by_ref().take(MOST_TOLD).for_each(|problem| tracing::warn!("{problem}"));
    let more = problems.count();
    if more > 0 {
        tracing::warn!("… and {more} more of this kind; `clockbox check` lists them all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str, column: u32, width: u32) -> Problem {
        Problem {
            severity: Severity::Error,
            place: Place::File { file: "a.toml".into(), line: Some(12), column: Some(column) },
            key: "jobs.x".into(),
            message: "bad\u{1b}[2J".into(),
            hint: Some("one\ntwo".into()),
            excerpt: Some(Excerpt { text: text.into(), width }),
        }
    }

    #[test]
    fn a_rendering_has_the_line_a_mark_and_the_hint_and_no_control_characters() {
        assert_eq!(
            problem("\tx = 1\u{7}", 6, 99).render(),
            "a.toml:12:6: jobs.x: bad\\u{1b}[2J\n  12 | \tx = 1?\n     | \t    ^^\n  hint: one\n        two\n"
        );
    }

    #[test]
    fn a_very_long_line_is_cut_around_what_is_meant() {
        let text = problem(&format!("{}here{}", "x".repeat(5000), "y".repeat(5000)), 5001, 4).render();
        assert!(text.lines().all(|line| line.chars().count() < 180), "{text}");
        assert!(text.contains("xhere"), "{text}");
    }

    #[test]
    fn json_has_the_place_beside_the_rest() {
        let json = serde_json::to_value(problem("x", 6, 1)).unwrap();
        assert_eq!(json["line"], 12);
        assert_eq!(json["source"], "file");
        assert_eq!(json["file"], "a.toml");
        assert_eq!(json["key"], "jobs.x");
    }
}
