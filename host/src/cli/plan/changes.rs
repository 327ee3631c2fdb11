//! What is different between what is in force and what a manifest says: decided from keys alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::text;
use crate::manifest::side_by_side;

/// Things of one kind, each with its keys.
pub(super) type Things = BTreeMap<String, Map<String, Value>>;

/// Values longer than this are cut for people.
const WIDEST: usize = 80;

/// A job that is in force.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    /// Its keys as they are.
    pub(super) keys: Map<String, Value>,
    /// Its keys as they were declared, where it was modified by hand since.
    pub(super) declared: Option<Map<String, Value>>,
    /// Where it comes from.
    pub(super) source: String,
    /// Whether a reload changes it.
    pub(super) is_reloaded: bool,
}

impl Known {
    fn declaration(&self) -> &Map<String, Value> {
        self.declared.as_ref().unwrap_or(&self.keys)
    }

    fn plugin(&self) -> &str {
        self.declaration().get("plugin").and_then(Value::as_str).unwrap_or_default()
    }
}

/// What would become of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    Added,
    Changed,
    Removed,
}

/// A thing that would be another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Change {
    /// `job`, `plugin`, `pool`, `webhook`, `scheduler`, `store`, `server`.
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) change: What,
    /// The keys that change; of something new, all that say anything.
    pub(super) keys: Vec<KeyChange>,
    /// What else is to be known of it.
    pub(super) note: Option<String>,
}

/// A key with what it says and what it would say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct KeyChange {
    pub(super) key: String,
    pub(super) old: Value,
    pub(super) new: Value,
}

/// Everything that would change.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Compares things of a kind, key by key.
    pub(super) fn compare(&mut self, kind: &'static str, old: &Things, new: &Things) {
        self.compare_with_notes(kind, old, new, |_| None);
    }

    /// The same, with a note on what it is that changes.
    pub(super) fn compare_with_notes(
        &mut self,
        kind: &'static str,
        old: &Things,
        new: &Things,
        note: impl Fn(What) -> Option<&'static str>,
    ) {
        for (name, before, after) in side_by_side(old, new) {
            let change = change(kind, name, before, after);
            self.changes.extend(
                change.map(|change| Change { note: note(change.change).map(ToOwned::to_owned), ..change }),
            );
        }
    }

    /// Compares jobs. Those that the manifest has not declared stay, and so do those of plugins that cannot be used.
    pub(super) fn jobs(&mut self, old: &BTreeMap<String, Known>, new: &Things, unusable: &BTreeSet<String>) {
        let plugin = |keys: &Map<String, Value>| {
            keys.get("plugin").and_then(Value::as_str).is_some_and(|plugin| unusable.contains(plugin))
        };
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for (name, before, after) in names.into_iter().map(|name| (name, old.get(name), new.get(name))) {
            let is_kept =
                before.is_some_and(|known| unusable.contains(known.plugin())) && after.is_none_or(plugin);
            if is_kept {
                continue;
            }
            match (before, after) {
                (Some(known), None) if !known.is_reloaded => {}
                (Some(known), Some(_)) if !known.is_reloaded => {
                    let note = format!(
                        "there is one of that name from {}: this one is not in force until that one is removed",
                        known.source
                    );
                    let keys = Vec::new();
                    let name = name.clone();
                    self.changes.push(Change {
                        kind: "job",
                        name,
                        change: What::Added,
                        keys,
                        note: Some(note),
                    });
                }
                // What was modified by hand stays for as long as the manifest says nothing new.
                (Some(known), Some(after)) if is_declared(known, after) => {}
                (before, after) => {
                    let is_modified = before.is_some_and(|known| known.declared.is_some());
                    let change = change("job", name, before.map(|known| &known.keys), after);
                    let note = is_modified.then(|| "what was modified by hand is lost".to_owned());
                    self.changes.extend(change.map(|change| Change { note, ..change }));
                }
            }
        }
    }

    /// How much changes, in one line.
    pub(super) fn summary(&self) -> String {
        if self.is_empty() {
            return "nothing would change".to_owned();
        }
        let count = |what| self.changes.iter().filter(|change| change.change == what).count();
        let (added, changed, removed) = (count(What::Added), count(What::Changed), count(What::Removed));
        format!("{added} to add, {changed} to change, {removed} to remove")
    }
}

/// Whether the manifest says of a job what it said before. A host tells of the declaration of a job that was modified by
/// hand without the two keys that no manifest has.
fn is_declared(known: &Known, after: &Map<String, Value>) -> bool {
    let is_written = |key: &str| !matches!(key, "timezone" | "source");
    let declared = known.declaration();
    declared.iter().all(|(key, said)| after.get(key) == Some(said))
        && after.keys().all(|key| declared.contains_key(key) || !is_written(key))
}

fn change(
    kind: &'static str,
    name: &str,
    before: Option<&Map<String, Value>>,
    after: Option<&Map<String, Value>>,
) -> Option<Change> {
    let what = match (before, after) {
        (None, Some(_)) => What::Added,
        (Some(_), None) => What::Removed,
        (Some(before), Some(after)) if before != after => What::Changed,
        _ => return None,
    };
    let of = |side: Option<&Map<String, Value>>, key: &str| {
        side.and_then(|keys| keys.get(key)).cloned().unwrap_or_default()
    };
    let keys: BTreeSet<&String> = before.into_iter().chain(after).flat_map(Map::keys).collect();
    let keys = keys.into_iter().filter(|_| what != What::Removed).map(|key| KeyChange {
        key: key.clone(),
        old: of(before, key),
        new: of(after, key),
    });
    let keys = keys.filter(|key| key.old != key.new).collect();
    Some(Change { kind, name: name.to_owned(), change: what, keys, note: None })
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Change { kind, name, change, keys, note } in &self.changes {
            let sign = match change {
                What::Added => '+',
                What::Changed => '~',
                What::Removed => '-',
            };
            writeln!(f, "{sign} {kind} {}", text::plain(name))?;
            for KeyChange { key, old, new } in keys {
                match change {
                    What::Added => writeln!(f, "    {key}: {}", shown(new))?,
                    _ => writeln!(f, "    {key}: {} → {}", shown(old), shown(new))?,
                }
            }
            if let Some(note) = note {
                writeln!(f, "    note: {note}")?;
            }
        }
        Ok(())
    }
}

/// A value for people: text as it is, the rest as JSON.
fn shown(value: &Value) -> String {
    let whole = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    text::plain(&text::first_line(&whole, WIDEST))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn known(source: &str, value: Value, declared: Option<Value>) -> Known {
        let is_reloaded = matches!(source, "manifest" | "folder");
        Known { keys: keys(value), declared: declared.map(keys), source: source.to_owned(), is_reloaded }
    }

    fn plan(old: &[(&str, Known)], new: &[(&str, Value)], unusable: &[&str]) -> String {
        let old = old.iter().map(|(name, known)| ((*name).to_owned(), known.clone())).collect();
        let new = new.iter().map(|(name, value)| ((*name).to_owned(), keys(value.clone()))).collect();
        let mut plan = Plan::default();
        plan.jobs(&old, &new, &unusable.iter().map(|name| (*name).to_owned()).collect());
        plan.to_string()
    }

    #[test]
    fn jobs_that_are_new_others_and_gone_are_told_key_by_key() {
        let old = [
            ("gone", known("manifest", json!({ "plugin": "p" }), None)),
            ("other", known("manifest", json!({ "plugin": "p", "priority": 1, "pool": "default" }), None)),
            ("same", known("folder", json!({ "plugin": "p" }), None)),
            ("theirs", known("api", json!({ "plugin": "p" }), None)),
        ];
        let new = [
            ("new", json!({ "plugin": "p", "args": null })),
            ("other", json!({ "plugin": "p", "priority": 2, "pool": "default" })),
            ("same", json!({ "plugin": "p" })),
        ];
        assert_eq!(
            plan(&old, &new, &[]),
            "- job gone\n+ job new\n    plugin: p\n~ job other\n    priority: 1 → 2\n"
        );
        assert_eq!(plan(&old[2..], &new[2..], &[]), "");
    }

    #[test]
    fn what_was_modified_by_hand_stays_until_the_manifest_says_something_new() {
        let by_hand = known(
            "manifest",
            json!({ "plugin": "p", "priority": 7 }),
            Some(json!({ "plugin": "p", "priority": 1 })),
        );
        let said = |priority: i32| [("a", json!({ "plugin": "p", "priority": priority }))];
        assert_eq!(plan(&[("a", by_hand.clone())], &said(1), &[]), "");
        assert_eq!(
            plan(&[("a", by_hand)], &said(2), &[]),
            "~ job a\n    priority: 7 → 2\n    note: what was modified by hand is lost\n"
        );
    }

    #[test]
    fn jobs_of_a_plugin_that_cannot_be_used_stay_and_so_does_one_of_somebody_else() {
        let old = [("a", known("folder", json!({ "plugin": "p" }), None))];
        assert_eq!(plan(&old, &[], &["p"]), "");
        assert_eq!(plan(&old, &[("a", json!({ "plugin": "p", "x": 1 }))], &["p"]), "");
        assert_eq!(plan(&old, &[("a", json!({ "plugin": "q" }))], &["p"]), "~ job a\n    plugin: p → q\n");
        let theirs = [("a", known("api", json!({ "plugin": "p" }), None))];
        let told = plan(&theirs, &[("a", json!({ "plugin": "q" }))], &[]);
        assert!(told.contains("there is one of that name from api"), "{told}");
    }
}
