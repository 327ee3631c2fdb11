//! What of a release is not there any more, or is another thing.

use std::collections::BTreeMap;

/// Every break, in words. Additions are none, but for an export of a world: a host would ask it of plugins that were built
/// before.
pub(crate) fn breaks(released: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let changed = released.iter().filter_map(|(item, was)| match now.get(item) {
        None => Some(format!("{item}: it is gone; it was {was}")),
        Some(is) if is != was => Some(format!("{item}: it is {is}; it was {was}")),
        Some(_) => None,
    });
    let is_export = |item: &&String| item.contains(" export ");
    let worlds = |item: &String| item.split(" export ").next().unwrap_or_default().to_owned();
    let known: Vec<String> = released.keys().filter(is_export).map(worlds).collect();
    let asked = now
        .keys()
        .filter(is_export)
        .filter(|item| !released.contains_key(*item) && known.contains(&worlds(item)))
        .map(|item| format!("{item}: it is asked of plugins that were built before it was"));
    changed.chain(asked).collect()
}
