//! Flat keys over the manifest: `--set pools.default.max_instances=20`, or the environment variable
//! `CLOCKBOX_POOLS__DEFAULT__MAX_INSTANCES=20`.

use std::ffi::OsString;

use toml::de::{DeTable, DeValue};

use super::{
    reader::Findings,
    source::{SourceKind, Sources, Spot},
    tree::{Entry, Node, Table, Value, join},
};

const PREFIX: &str = "CLOCKBOX_";

/// Values laid over the manifest before it is read, so that they are checked as it is. Flags win over variables, and
/// later flags over earlier ones.
///
/// A value is read as TOML where it is that, else as a string: `20` is a number, `2h` a string.
///
/// ```
/// use clockbox::manifest::{Overrides, Surroundings, parse};
/// let overrides = Overrides::from_env([("CLOCKBOX_POOLS__DEFAULT__MAX_INSTANCES", "7")]).with_flag("scheduler.timezone=Asia/Tokyo");
/// let loaded = parse("", "clockbox.toml".as_ref(), &overrides, &Surroundings::unknown()).unwrap();
/// assert_eq!(loaded.manifest.pools["default"].max_instances, 7);
/// assert_eq!(loaded.manifest.scheduler.timezone.name(), "Asia/Tokyo");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    variables: Vec<(String, String)>,
    flags: Vec<String>,
    words: Vec<Word>,
}

/// A value for a key that a flag of its own stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    shown: String,
    path: Vec<String>,
    value: String,
}

impl Overrides {
    /// The overrides among environment variables: those named `CLOCKBOX_…` with a double underscore between the levels
    /// of a key. A `-` or `.` in a name is written `_`.
    ///
    /// Hand it [`std::env::vars_os`].
    pub fn from_env<K: Into<OsString>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let text = |text: OsString| text.to_string_lossy().into_owned();
        let ours = |(name, value): (K, V)| (text(name.into()), text(value.into()));
        let mut variables: Vec<(String, String)> = variables.into_iter().map(ours).collect();
        variables.retain(|(name, _)| {
            name.strip_prefix(PREFIX).is_some_and(|rest| rest.trim_matches('_').contains("__"))
        });
        variables.sort();
        Self { variables, ..Self::default() }
    }

    /// Adds a `--set` flag: a dotted key as in TOML, `=`, and a value.
    #[must_use]
    pub fn with_flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// Adds a value, in TOML, for a key. `shown` is the flag that stands for it, as it was given: problems name it.
    pub(crate) fn with_word(mut self, shown: impl Into<String>, path: &[&str], value: &toml::Value) -> Self {
        let path = path.iter().map(|level| (*level).to_owned()).collect();
        self.words.push(Word { shown: shown.into(), path, value: value.to_string() });
        self
    }

    /// Whether any of them is about this part of the manifest.
    pub(super) fn concern(&self, section: &str) -> bool {
        let of_variable = |name: &String| {
            let level = name.trim_start_matches(PREFIX).split("__").next().unwrap_or_default();
            level.eq_ignore_ascii_case(section)
        };
        let of_flag = |flag: &String| {
            split_flag(flag).is_some_and(|(path, _)| path.first().is_some_and(|level| level == section))
        };
        let of_word = |word: &Word| word.path.first().is_some_and(|level| level == section);
        self.variables.iter().any(|(name, _)| of_variable(name))
            || self.flags.iter().any(of_flag)
            || self.words.iter().any(of_word)
    }

    /// Lays the values over the tree.
    pub(super) fn apply(&self, tree: &mut Table, sources: &mut Sources, findings: &Findings) {
        for (name, value) in &self.variables {
            let source = sources.add(SourceKind::Variable(name.clone()), value.as_str());
            let levels: Vec<&str> = name.trim_start_matches(PREFIX).split("__").collect();
            let spot = Spot::new(source, 0..value.len());
            if levels.iter().any(|level| level.is_empty()) {
                let hint = "write CLOCKBOX_SECTION__NAME__KEY=value";
                findings.error(&spot, "", "a level of the key is empty", Some(hint.to_owned()));
                continue;
            }
            put(tree, &levels, String::new(), read_value(value, &spot), true, findings);
        }
        for flag in &self.flags {
            let source = sources.add(SourceKind::Flag, flag.as_str());
            let spot = Spot::new(source, 0..flag.len());
            match split_flag(flag) {
                Some((path, value)) => {
                    let levels: Vec<&str> = path.iter().map(String::as_str).collect();
                    put(tree, &levels, String::new(), read_value(value, &spot), false, findings);
                }
                None => {
                    let hint =
                        "write --set section.key=value, for instance --set pools.default.max_instances=20";
                    findings.error(&spot, "", "is not a key and a value", Some(hint.to_owned()));
                }
            }
        }
        for Word { shown, path, value } in &self.words {
            let source = sources.add(SourceKind::Word, shown.as_str());
            let spot = Spot::new(source, 0..shown.len());
            let levels: Vec<&str> = path.iter().map(String::as_str).collect();
            put(tree, &levels, String::new(), read_value(value, &spot), false, findings);
        }
    }
}

fn read_value(text: &str, spot: &Spot) -> Node {
    match DeValue::parse(text.trim()) {
        Ok(value) => Node::new(value.get_ref(), spot.clone()),
        Err(_) => Node { value: Value::Text(text.to_owned()), spot: spot.clone() },
    }
}

/// The levels of a flag's key, read as TOML reads a dotted key, and its value.
fn split_flag(flag: &str) -> Option<(Vec<String>, &str)> {
    let mut quote = None;
    let at = flag.char_indices().find_map(|(at, c)| {
        match (quote, c) {
            (None, '=') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        None
    })?;
    let (key, value) = (&flag[..at], &flag[at + 1..]);
    if key.contains(['\n', '#', '[']) {
        return None;
    }
    let line = format!("{key} = 0");
    let parsed = DeTable::parse(&line).ok()?;
    let mut table = parsed.get_ref();
    let mut path = Vec::new();
    loop {
        let (key, inner) = table.iter().next()?;
        path.push(key.get_ref().to_string());
        match inner.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return Some((path, value)),
        }
    }
}

/// Puts a value at a path, making the tables on the way.
fn put(tree: &mut Table, levels: &[&str], path: String, node: Node, loosely: bool, findings: &Findings) {
    let Some((level, deeper)) = levels.split_first() else { return };
    let key = if loosely { loose_key(tree, level) } else { (*level).to_owned() };
    let path = join(&path, &key);
    let spot = node.spot.clone();
    if deeper.is_empty() {
        tree.0.insert(key, Entry { key: spot, node });
        return;
    }
    let empty = || Node { value: Value::Table(Table::default()), spot: spot.clone() };
    let entry = tree.0.entry(key).or_insert_with(|| Entry { key: spot.clone(), node: empty() });
    match &mut entry.node.value {
        Value::Table(inner) => put(inner, deeper, path, node, loosely, findings),
        _ => {
            let message = format!("is {} in the manifest, so nothing can be set in it", entry.node.what());
            findings.error(&spot, &path, message, Some("set the whole of it".to_owned()));
        }
    }
}

/// The key of the table that a level of a variable's name stands for: letter case, `-` and `.` do not count.
fn loose_key(tree: &Table, level: &str) -> String {
    let plain = |text: &str| text.to_lowercase().replace(['-', '.'], "_");
    let wanted = plain(level);
    tree.0.keys().find(|key| plain(key) == wanted).cloned().unwrap_or_else(|| level.to_lowercase())
}
