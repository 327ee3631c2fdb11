//! What is different between two manifests.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

use clockbox_core::model::{JobId, PluginName, PoolName, WebhookName};

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

/// Every name of two maps, in order, with what it stands for in the old and in the new one.
pub(crate) fn side_by_side<'a, K: Ord, V>(
    old: &'a BTreeMap<K, V>,
    new: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Option<&'a V>, Option<&'a V>)> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (old.peek(), new.peek()) {
            (Some((one, _)), Some((other, _))) => one.cmp(other),
            (_, None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let before = old.next_if(|_| order != Ordering::Greater);
        let after = new.next_if(|_| order != Ordering::Less);
        let (name, _) = before.or(after)?;
        Some((name, before.map(|(_, value)| value), after.map(|(_, value)| value)))
    })
}

impl<K: Ord + Clone> Changes<K> {
    fn between<V: PartialEq>(old: &BTreeMap<K, V>, new: &BTreeMap<K, V>) -> Self {
        let mut changes = Self::default();
        for (name, before, after) in side_by_side(old, new) {
            match (before, after) {
                (None, _) => changes.added.push(name.clone()),
                (_, None) => changes.removed.push(name.clone()),
                (Some(before), Some(after)) if before != after => changes.changed.push(name.clone()),
                _ => {}
            }
        }
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
/// `Display` counts jobs, plugins, pools and webhooks together: `+2 ~1 -0`; [`Diff::lines`] names them. The bytes of a plugin's file
/// are not compared: a file that was replaced under the same name shows only where its digest is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Jobs.
    pub jobs: Changes<JobId>,
    /// Plugins.
    pub plugins: Changes<PluginName>,
    /// Pools.
    pub pools: Changes<PoolName>,
    /// Webhooks.
    pub webhooks: Changes<WebhookName>,
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
            webhooks: Changes::between(&old.webhooks, &new.webhooks),
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
            && self.webhooks.is_empty()
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
        push(&mut lines, "webhook", &self.webhooks);
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
        let (pools, webhooks) = (&self.pools, &self.webhooks);
        let added =
            self.jobs.added.len() + self.plugins.added.len() + pools.added.len() + webhooks.added.len();
        let changed = self.jobs.changed.len()
            + self.plugins.changed.len()
            + pools.changed.len()
            + webhooks.changed.len()
            + usize::from(self.scheduler)
            + usize::from(self.store);
        let removed = self.jobs.removed.len()
            + self.plugins.removed.len()
            + pools.removed.len()
            + webhooks.removed.len();
        write!(f, "+{added} ~{changed} -{removed}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_either_side_come_in_order() {
        let map = |names: &[(u8, char)]| names.iter().copied().collect::<BTreeMap<_, _>>();
        let (old, new) =
            (map(&[(1, 'a'), (3, 'b'), (4, 'c')]), map(&[(2, 'd'), (3, 'e'), (5, 'f'), (6, 'g')]));
        let both: Vec<_> = side_by_side(&old, &new).map(|(n, a, b)| (*n, a.copied(), b.copied())).collect();
        let wanted = [
            (1, Some('a'), None),
            (2, None, Some('d')),
            (3, Some('b'), Some('e')),
            (4, Some('c'), None),
            (5, None, Some('f')),
            (6, None, Some('g')),
        ];
        assert_eq!(both, wanted);
        let changes = Changes::between(&old, &new);
        assert_eq!((changes.added, changes.changed, changes.removed), (vec![2, 5, 6], vec![3], vec![1, 4]));
        assert!(Changes::between(&old, &old).is_empty());
    }
}
