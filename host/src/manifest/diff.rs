//! What is different between two manifests.

use std::{collections::BTreeMap, fmt};

use clockbox_core::model::{JobId, PluginName, PoolName};

use super::Manifest;

/// Names that were added, changed and removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes<K> {
    /// New ones.
    pub added: Vec<K>,
    /// Those that mean something else now.
    pub changed: Vec<K>,
    /// Those that are gone.
    pub removed: Vec<K>,
}

impl<K> Default for Changes<K> {
    fn default() -> Self {
        Self { added: Vec::new(), changed: Vec::new(), removed: Vec::new() }
    }
}

impl<K: Ord + Clone> Changes<K> {
    fn between<V: PartialEq>(old: &BTreeMap<K, V>, new: &BTreeMap<K, V>) -> Self {
        let mut changes = Self::default();
        for (name, value) in new {
            match old.get(name) {
                None => changes.added.push(name.clone()),
                Some(before) if before != value => changes.changed.push(name.clone()),
                Some(_) => {}
            }
        }
        changes.removed = old.keys().filter(|name| !new.contains_key(*name)).cloned().collect();
        changes
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// What is different between two manifests.
///
/// `Display` counts jobs, plugins and pools together: `+2 ~1 -0`; [`Diff::lines`] names them. The bytes of a plugin's file
/// are not compared: a file that was replaced under the same name shows only where its digest is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Jobs.
    pub jobs: Changes<JobId>,
    /// Plugins.
    pub plugins: Changes<PluginName>,
    /// Pools.
    pub pools: Changes<PoolName>,
    /// Whether a setting of `[scheduler]` changed.
    pub scheduler: bool,
    /// Whether `[store]` changed, which takes effect at the next start.
    pub store: bool,
}

impl Diff {
    pub(super) fn between(old: &Manifest, new: &Manifest) -> Self {
        Self {
            jobs: Changes::between(&old.jobs, &new.jobs),
            plugins: Changes::between(&old.plugins, &new.plugins),
            pools: Changes::between(&old.pools, &new.pools),
            scheduler: old.scheduler != new.scheduler,
            store: old.store != new.store,
        }
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
            && self.plugins.is_empty()
            && self.pools.is_empty()
            && !self.scheduler
            && !self.store
    }

    /// One line for each change: `+ job report`, `~ plugin fetch`, `- pool heavy`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        fn push<K: fmt::Display>(lines: &mut Vec<String>, kind: &str, changes: &Changes<K>) {
            for (sign, names) in [('+', &changes.added), ('~', &changes.changed), ('-', &changes.removed)] {
                lines.extend(names.iter().map(|name| format!("{sign} {kind} {name}")));
            }
        }
        let mut lines = Vec::new();
        push(&mut lines, "job", &self.jobs);
        push(&mut lines, "plugin", &self.plugins);
        push(&mut lines, "pool", &self.pools);
        if self.scheduler {
            lines.push("~ scheduler settings".to_owned());
        }
        if self.store {
            lines.push("~ store settings (at the next start)".to_owned());
        }
        lines
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let added = self.jobs.added.len() + self.plugins.added.len() + self.pools.added.len();
        let changed = self.jobs.changed.len()
            + self.plugins.changed.len()
            + self.pools.changed.len()
            + usize::from(self.scheduler)
            + usize::from(self.store);
        let removed = self.jobs.removed.len() + self.plugins.removed.len() + self.pools.removed.len();
        write!(f, "+{added} ~{changed} -{removed}")
    }
}
