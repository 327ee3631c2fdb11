//! The manifest as a tree of values that know where they were written: so that overrides and sidecars can be laid over
//! it before it is read, and all are checked alike.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::source::{Origin, Spot};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) spot: Spot,
}

/// A TOML value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    /// A whole number beyond 64 bits, as written.
    Huge(String),
    Float(f64),
    Boolean(bool),
    /// A date, time or both, in RFC 3339's form.
    Datetime(String),
    Array(Vec<Node>),
    Table(Table),
}

/// A TOML table, by key.
#[derive(Debug, Clone, Default)]
pub(super) struct Table(pub(super) BTreeMap<String, Entry>);

/// A key's own place, and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: Spot,
    pub(super) node: Node,
}

impl Table {
    pub(super) fn new(table: &DeTable<'_>, origin: Origin) -> Self {
        let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| Entry {
            key: origin.spot(key.span()),
            node: Node::within(value.get_ref(), origin.spot(value.span()), origin),
        };
        Self(table.iter().map(|(key, value)| (key.get_ref().to_string(), entry((key, value)))).collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.0.get(key).map(|entry| &entry.node)
    }

    /// The table at a key, when there is one and it is a table.
    pub(super) fn table(&self, key: &str) -> Option<&Self> {
        match &self.get(key)?.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// This table over another: its keys win. The tables named in `deep` are laid over one another in the same way.
    pub(super) fn over(mut self, under: &Self, deep: &[&str]) -> Self {
        for (key, below) in &under.0 {
            match self.0.get_mut(key) {
                None => {
                    self.0.insert(key.clone(), below.clone());
                }
                Some(above) if deep.contains(&key.as_str()) => {
                    if let (Value::Table(above), Value::Table(below)) =
                        (&mut above.node.value, &below.node.value)
                    {
                        *above = std::mem::take(above).over(below, &[]);
                    }
                }
                Some(_) => {}
            }
        }
        self
    }

    /// The table without some keys.
    pub(super) fn without(&self, unwanted: impl Fn(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|(key, _)| !unwanted(key));
        Self(kept.map(|(key, entry)| (key.clone(), entry.clone())).collect())
    }
}

impl Node {
    /// A value that is a text of its own.
    pub(super) fn new(value: &DeValue<'_>, spot: Spot) -> Self {
        let origin = Origin::from(spot.source);
        Self::within(value, spot, origin)
    }

    fn within(value: &DeValue<'_>, spot: Spot, origin: Origin) -> Self {
        let value = match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(whole) => match i64::from_str_radix(whole.as_str(), whole.radix()) {
                Ok(number) => Value::Whole(number),
                Err(_) => Value::Huge(whole.to_string()),
            },
            DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(flag) => Value::Boolean(*flag),
            DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
            DeValue::Array(array) => {
                let item = |item: &toml::Spanned<DeValue<'_>>| {
                    Self::within(item.get_ref(), origin.spot(item.span()), origin)
                };
                Value::Array(array.iter().map(item).collect())
            }
            DeValue::Table(table) => Value::Table(Table::new(table, origin)),
        };
        Self { value, spot }
    }

    /// What it is, for messages: `the integer 30`.
    pub(super) fn what(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("the string {}", shortened(text)),
            Value::Whole(number) => format!("the integer {number}"),
            Value::Huge(number) => format!("the integer {number}"),
            Value::Float(number) => format!("the float {number}"),
            Value::Boolean(flag) => format!("the boolean {flag}"),
            Value::Datetime(text) => format!("the date-time {text}"),
            Value::Array(_) => "an array".to_owned(),
            Value::Table(_) => "a table".to_owned(),
        }
    }
}

/// A text in quotes, cut when it is long.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{cut:?}…")
}

/// Appends a key to a dotted path; a key with characters of its own meaning is quoted, as TOML wants it.
pub(super) fn join(path: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let mut joined = String::with_capacity(path.len() + 1 + key.len() + 2);
    joined.push_str(path);
    if !path.is_empty() {
        joined.push('.');
    }
    if bare {
        joined.push_str(key)
    } else {
        joined.push_str(&format!("{key:?}"))
    }
    joined
}
