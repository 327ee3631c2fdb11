//! The nearest known name to one that is not known.

use std::collections::BTreeSet;

/// So many characters of a name may stand for the whole of it.
const SHORTEST: usize = 3;

/// The nearest of `known` to `text`, when one is near enough to be meant.
pub(super) fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(text);
    let length = wanted.chars().count();
    let reach = 1 + length / 4;
    let known = each_once(known);
    let distance = |name: &&'a str| (strsim::damerau_levenshtein(&wanted, &plain(name)), *name);
    let near = known
        .iter()
        .map(distance)
        .filter(|(distance, name)| *distance <= reach && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name);
    let mut begun = known.iter().filter(|name| length >= SHORTEST && plain(name).starts_with(&wanted));
    let alone = begun.next().filter(|_| begun.next().is_none());
    near.or(alone.copied())
}

fn each_once<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut known = BTreeSet::new();
    names.into_iter().filter(|name| known.insert(*name)).collect()
}

/// `did you mean "…"?`, or else the list of what is known.
pub(crate) fn hint<'a>(what: &str, text: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(name) = nearest(text, known.clone()) {
        return format!("did you mean {name:?}?");
    }
    match list(known) {
        Some(names) => format!("the {what} are {names}"),
        None => format!("there are no {what}"),
    }
}

/// The names with commas between them, cut when there are many; `None` when there are none.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const MOST: usize = 24;
    let names = each_once(names);
    if names.is_empty() {
        return None;
    }
    let mut text = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text.push_str(&format!(" and {} more", names.len() - MOST));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_understood_and_other_words_are_not() {
        let known = ["trigger", "plugin", "max_instances", "pool"];
        assert_eq!(nearest("triger", known), Some("trigger"));
        assert_eq!(nearest("max-instances", known), Some("max_instances"));
        assert_eq!(nearest("MaxInstance", known), Some("max_instances"));
        assert_eq!(nearest("banana", known), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("", known), None);
        // The beginning of one name alone.
        assert_eq!(nearest("sta", ["http", "state", "state"]), Some("state"));
        assert_eq!(nearest("max", ["max_instances", "max_jobs"]), None);
        assert_eq!(nearest("s", ["state"]), None);
    }

    #[test]
    fn a_hint_lists_what_is_known_when_nothing_is_near() {
        assert_eq!(hint("pools", "zzz", ["a", "bb"]), "the pools are a, bb");
        assert_eq!(hint("pools", "zzz", ["b", "a", "b"]), "the pools are b, a", "each once");
        assert_eq!(hint("pools", "zzz", []), "there are no pools");
    }
}
