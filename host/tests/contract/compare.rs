//! What of a release is not there any more, or is another thing.

use std::collections::{BTreeMap, BTreeSet};

/// Every break, in words. Additions are none, but for what is exported: a host would ask it of plugins that were built
/// before.
pub(crate) fn breaks(released: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let changed = released.iter().filter_map(|(item, was)| match now.get(item) {
        None => Some(format!("{item}: it is gone; it was {was}")),
        Some(is) if is != was => Some(format!("{item}: it is {is}; it was {was}")),
        Some(_) => None,
    });
    let exports: Vec<(&str, &str)> = released.keys().filter_map(|item| item.split_once(" export ")).collect();
    let worlds: BTreeSet<&str> = exports.iter().map(|(world, _)| *world).collect();
    let interfaces: BTreeSet<&str> = exports.iter().map(|(_, name)| *name).collect();
    let is_asked = |item: &str, what: &str| match item.split_once(" export ") {
        Some((world, _)) => worlds.contains(world),
        None => {
            let interface = item.split(' ').next().unwrap_or_default();
            what.contains("func(") && interfaces.contains(interface)
        }
    };
    let asked = now
        .iter()
        .filter(|(item, what)| !released.contains_key(*item) && is_asked(item, what))
        .map(|(item, _)| format!("{item}: it is asked of plugins that were built before it was"));
    changed.chain(asked).collect()
}
