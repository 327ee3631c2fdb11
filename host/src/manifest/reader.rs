//! A reader that walks the tree and notes every problem it meets, so that one bad key never hides the next.

use std::{
    cell::RefCell, collections::HashSet, fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration,
};

use clockbox_core::model::{parse_duration, parse_size};

use super::{
    problem::Severity,
    source::Spot,
    suggest,
    tree::{Node, Table, Value, join, shortened},
};

/// A problem as it is noted while reading.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) spot: Spot,
    pub(super) key: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// The problems noted so far.
#[derive(Debug, Default)]
pub(super) struct Findings(RefCell<Noted>);

#[derive(Debug, Default)]
struct Noted {
    list: Vec<Finding>,
    seen: HashSet<(Spot, String)>,
}

impl Findings {
    /// Notes a problem, unless the same is noted at the same place: a value may be read more than once.
    pub(super) fn note(&self, finding: Finding) {
        let mut noted = self.0.borrow_mut();
        if noted.seen.insert((finding.spot.clone(), finding.message.clone())) {
            noted.list.push(finding);
        }
    }

    pub(super) fn error(&self, spot: &Spot, key: &str, message: impl Into<String>, hint: Option<String>) {
        let (spot, key, message) = (spot.clone(), key.to_owned(), message.into());
        self.note(Finding { severity: Severity::Error, spot, key, message, hint });
    }

    pub(super) fn warn(&self, spot: &Spot, key: &str, message: impl Into<String>, hint: Option<String>) {
        let (spot, key, message) = (spot.clone(), key.to_owned(), message.into());
        self.note(Finding { severity: Severity::Warning, spot, key, message, hint });
    }

    pub(super) fn into_list(self) -> Vec<Finding> {
        self.0.into_inner().list
    }
}

/// A table that is being read: remembers the keys it was asked for, and takes all others for mistakes.
pub(super) struct TableReader<'a> {
    pub(super) table: &'a Table,
    pub(super) spot: &'a Spot,
    pub(super) key: String,
    pub(super) findings: &'a Findings,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> TableReader<'a> {
    pub(super) fn new(table: &'a Table, spot: &'a Spot, key: String, findings: &'a Findings) -> Self {
        Self { table, spot, key, findings, asked: RefCell::default() }
    }

    /// The value of a known key, when it is given.
    pub(super) fn field(&self, key: &'static str) -> Option<Field<'a>> {
        self.asked.borrow_mut().push(key);
        let node = self.table.get(key)?;
        Some(Field { node, key: join(&self.key, key), findings: self.findings })
    }

    /// Notes a problem of the table as a whole, such as a missing key.
    pub(super) fn error(&self, message: impl Into<String>, hint: Option<String>) {
        self.findings.error(self.spot, &self.key, message, hint);
    }

    /// Every entry of a table whose keys are names: the name, where it stands, and its value.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Spot, Field<'a>)> + use<'a> {
        let (path, findings) = (self.key.clone(), self.findings);
        self.table.0.iter().map(move |(name, entry)| {
            (name.as_str(), &entry.key, Field { node: &entry.node, key: join(&path, name), findings })
        })
    }

    /// Notes every key that was not asked for. `hints` has better advice than the nearest name for some keys.
    pub(super) fn finish(self, hints: &[(&str, &str)]) {
        self.unknown(Severity::Error, hints);
    }

    /// The same as warnings: for text that a newer tool may have written.
    pub(super) fn finish_leniently(self) {
        self.unknown(Severity::Warning, &[]);
    }

    fn unknown(self, severity: Severity, hints: &[(&str, &str)]) {
        let asked = self.asked.into_inner();
        for (key, entry) in &self.table.0 {
            if asked.contains(&key.as_str()) {
                continue;
            }
            let advice = hints.iter().find(|(name, _)| name == key).map(|(_, advice)| (*advice).to_owned());
            let near = suggest::nearest(key, asked.iter().copied()).is_some();
            let hint = match advice {
                Some(advice) if !near => advice,
                _ => suggest::hint("keys here", key, asked.iter().copied()),
            };
            let (spot, key) = (entry.key.clone(), join(&self.key, key));
            let message = "unknown key".to_owned();
            self.findings.note(Finding { severity, spot, key, message, hint: Some(hint) });
        }
    }
}

/// A value that is being read. Every method notes what is wrong and then answers `None`.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub(super) node: &'a Node,
    pub(super) key: String,
    pub(super) findings: &'a Findings,
}

impl<'a> Field<'a> {
    /// Notes what is wrong with the value.
    pub(super) fn error(&self, message: impl Into<String>, hint: Option<String>) {
        self.findings.error(&self.node.spot, &self.key, message, hint);
    }

    /// Notes what is doubtful about the value.
    pub(super) fn warn(&self, message: impl Into<String>, hint: Option<String>) {
        self.findings.warn(&self.node.spot, &self.key, message, hint);
    }

    /// Notes that the value is of another type than `expected`.
    pub(super) fn mismatch<T>(&self, expected: &str, hint: Option<String>) -> Option<T> {
        self.error(format!("expected {expected}, found {}", self.node.what()), hint);
        None
    }

    pub(super) fn text(&self, example: &str) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            Value::Whole(_) | Value::Huge(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                self.mismatch(&format!("a string such as {example:?}"), Some("put it in quotes".to_owned()))
            }
            _ => self.mismatch(&format!("a string such as {example:?}"), None),
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match &self.node.value {
            Value::Boolean(flag) => Some(*flag),
            Value::Text(text) if matches!(text.as_str(), "true" | "false") => {
                self.mismatch("true or false", Some("write it without quotes".to_owned()))
            }
            _ => self.mismatch("true or false", None),
        }
    }

    pub(super) fn whole(&self, range: RangeInclusive<i64>) -> Option<i64> {
        match &self.node.value {
            Value::Whole(number) if range.contains(number) => Some(*number),
            Value::Whole(_) | Value::Huge(_) => {
                let what = self.node.what();
                let number = what.trim_start_matches("the integer ");
                self.error(format!("{number} is out of range {}-{}", range.start(), range.end()), None);
                None
            }
            Value::Text(text) if text.trim().parse::<i64>().is_ok() => {
                self.mismatch("an integer", Some("write it without quotes".to_owned()))
            }
            _ => self.mismatch("an integer", None),
        }
    }

    /// A whole number of at least `least` that fits 32 bits.
    pub(super) fn count(&self, least: u32) -> Option<u32> {
        self.whole(i64::from(least)..=i64::from(u32::MAX)).and_then(|number| u32::try_from(number).ok())
    }

    pub(super) fn table(&self, example: &str) -> Option<TableReader<'a>> {
        match &self.node.value {
            Value::Table(table) => {
                Some(TableReader::new(table, &self.node.spot, self.key.clone(), self.findings))
            }
            _ => self.mismatch(&format!("a table such as {example}"), None),
        }
    }

    pub(super) fn items(&self, example: &str) -> Option<Vec<Field<'a>>> {
        match &self.node.value {
            Value::Array(items) => Some(self.each(items)),
            Value::Text(text) => {
                self.mismatch(&format!("an array such as {example}"), Some(format!("write [{text:?}]")))
            }
            _ => self.mismatch(&format!("an array such as {example}"), None),
        }
    }

    pub(super) fn each(&self, items: &'a [Node]) -> Vec<Field<'a>> {
        let item = |(n, node)| Field { node, key: format!("{}.{n}", self.key), findings: self.findings };
        items.iter().enumerate().map(item).collect()
    }

    /// A string that one of the model's types reads.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, example: &str) -> Option<T> {
        self.text(example)?.parse().map_err(|error: T::Err| self.error(error.to_string(), None)).ok()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let example = choices.first().map_or("", |(name, _)| name);
        let text = self.text(example)?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let names = choices.iter().map(|(name, _)| *name);
            let quoted: Vec<String> = names.clone().map(|name| format!("{name:?}")).collect();
            let hint = suggest::nearest(text, names).map(|name| format!("did you mean {name:?}?"));
            self.error(format!("{} is not one of {}", shortened(text), quoted.join(", ")), hint);
        }
        found
    }

    /// A duration above zero.
    pub(super) fn duration(&self, example: &str) -> Option<Duration> {
        let duration = self.duration_or_zero(example)?;
        if duration.is_zero() {
            self.error("must be longer than zero", Some(format!("write for instance {example:?}")));
            return None;
        }
        Some(duration)
    }

    pub(super) fn duration_or_zero(&self, example: &str) -> Option<Duration> {
        if let Value::Whole(number) = &self.node.value {
            let hint = Some(format!("a duration has a unit: \"{number}s\" for seconds"));
            return self.mismatch(&format!("a string such as {example:?}"), hint);
        }
        let text = self.text(example)?;
        parse_duration(text).map_err(|error| self.model_error(&error, text)).ok()
    }

    /// A size in bytes: a string with a unit, or a whole number.
    pub(super) fn size(&self, example: &str) -> Option<u64> {
        match &self.node.value {
            Value::Whole(number) if *number >= 0 => u64::try_from(*number).ok(),
            Value::Text(text) => parse_size(text).map_err(|error| self.model_error(&error, text)).ok(),
            _ => self.mismatch(&format!("a size such as {example:?}"), None),
        }
    }

    /// Notes an error of the model: what stands after its last semicolon is advice.
    pub(super) fn model_error(&self, error: &impl Display, text: &str) {
        let whole = error.to_string();
        match whole.rsplit_once("; ") {
            Some((message, hint)) if !text.contains("; ") => self.error(message, Some(hint.to_owned())),
            _ => self.error(whole, None),
        }
    }
}
