//! The state of a job as one run sees it: what was stored at the first use, with the run's own changes over it.

mod host;

use std::{collections::BTreeSet, sync::Arc};

use clockbox_core::model::{JobState, StateChanges, StateEntry, Timestamp, format_size, state_cost};

/// The most keys that one run may compare, so that comparing cannot fill the host's memory.
const MOST_COMPARED: usize = 10_000;

/// Nothing until the run asks for the first time.
#[derive(Debug, Default)]
pub(crate) struct State(Option<Box<View>>);

impl State {
    /// What is to be done when the run succeeds.
    pub(crate) fn into_changes(self) -> Option<StateChanges> {
        self.0.map(|view| view.changes).filter(|changes| !changes.is_empty())
    }
}

/// Why a change is refused: what was too much.
#[derive(Debug, PartialEq, Eq)]
struct TooMuch(String);

#[derive(Debug)]
struct View {
    stored: JobState,
    changes: StateChanges,
    /// What all entries count towards the limit, those that expire meanwhile included.
    size: u64,
}

impl View {
    fn new(stored: JobState, limit: u64) -> Self {
        let size = stored.0.iter().map(|(key, entry)| state_cost(key, &entry.value)).sum();
        Self { stored, changes: StateChanges { limit, ..StateChanges::default() }, size }
    }

    /// The entry of a key, expired or not.
    fn entry(&self, key: &str) -> Option<&StateEntry> {
        match self.changes.put.get(key) {
            Some(own) => own.as_ref(),
            None => self.stored.0.get(key),
        }
    }

    fn get(&self, key: &str, now: Timestamp) -> Option<&Arc<[u8]>> {
        self.entry(key).filter(|entry| !entry.is_expired(now)).map(|entry| &entry.value)
    }

    fn set(&mut self, key: String, entry: StateEntry) -> Result<(), TooMuch> {
        let freed = self.entry(&key).map_or(0, |entry| state_cost(&key, &entry.value));
        let size = self.size - freed + state_cost(&key, &entry.value);
        let limit = self.changes.limit;
        if size > limit && size >= self.size {
            return Err(TooMuch(format!(
                "the state of the job would take {} and the limit is {} (raise limits.state)",
                format_size(size),
                format_size(limit)
            )));
        }
        self.size = size;
        self.changes.put.insert(key, Some(entry));
        Ok(())
    }

    fn delete(&mut self, key: &str) {
        let Some(entry) = self.entry(key) else { return };
        self.size -= state_cost(key, &entry.value);
        if self.stored.0.contains_key(key) {
            self.changes.put.insert(key.to_owned(), None);
        } else {
            // As if it had never been: nothing is left that could add up.
            self.changes.put.remove(key);
        }
    }

    fn keys(&self, prefix: &str, now: Timestamp) -> Vec<String> {
        let stored = self.stored.0.keys();
        let own = self.changes.put.keys();
        let all: BTreeSet<&String> = stored.chain(own).filter(|key| key.starts_with(prefix)).collect();
        all.into_iter().filter(|key| self.get(key, now).is_some()).cloned().collect()
    }

    /// Whether the key has this value; where that is a stored one, it must be so when the success is recorded, too.
    fn compare(&mut self, key: &str, expected: Option<&[u8]>, now: Timestamp) -> Result<bool, TooMuch> {
        let found = self.get(key, now);
        if found.map(|value| &**value) != expected {
            return Ok(false);
        }
        if !self.changes.put.contains_key(key) && !self.changes.expected.contains_key(key) {
            if self.changes.expected.len() >= MOST_COMPARED {
                return Err(TooMuch(format!("a run may compare {MOST_COMPARED} keys at most")));
            }
            let found = found.cloned();
            self.changes.expected.insert(key.to_owned(), found);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn entry(value: &str) -> StateEntry {
        StateEntry { value: value.as_bytes().into(), expires_at: None }
    }

    fn view(limit: u64) -> View {
        let stored = [("a".to_owned(), entry("1")), ("b".to_owned(), entry("2"))].into();
        View::new(JobState(stored), limit)
    }

    #[test]
    fn a_run_sees_its_own_changes_over_what_was_stored() {
        let mut view = view(1000);
        view.set("c".to_owned(), entry("3")).unwrap();
        view.set("a".to_owned(), entry("one")).unwrap();
        view.delete("b");
        assert_eq!(view.keys("", at(0)), ["a", "c"]);
        assert_eq!(view.get("a", at(0)).unwrap()[..], *b"one");
        assert_eq!(view.get("b", at(0)), None);
        assert_eq!(view.size, (1 + 3 + 64) + (1 + 1 + 64));
        // Deleting what only this run knows leaves nothing behind, and deleting nothing does not either.
        view.delete("c");
        view.delete("nothing");
        assert_eq!(view.changes.put.keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn the_limit_is_that_of_all_entries_and_what_shrinks_is_let_through() {
        let mut view = view(133);
        assert!(view.set("a".to_owned(), entry("11")).is_ok());
        let refused = view.set("b".to_owned(), entry("22")).unwrap_err().0;
        assert_eq!(
            refused,
            "the state of the job would take 134 B and the limit is 133 B (raise limits.state)"
        );
        assert!(view.set("c".to_owned(), entry("")).is_err());
        view.delete("a");
        assert!(view.set("c".to_owned(), entry("")).is_ok());
        view.changes.limit = 10;
        assert!(view.set("b".to_owned(), entry("")).is_ok());
    }

    #[test]
    fn only_what_was_compared_with_what_is_stored_is_compared_again() {
        let mut view = view(1000);
        assert_eq!(view.compare("a", Some(b"2"), at(0)), Ok(false));
        assert_eq!(view.compare("a", Some(b"1"), at(0)), Ok(true));
        assert_eq!(view.compare("new", None, at(0)), Ok(true));
        view.set("b".to_owned(), entry("own")).unwrap();
        assert_eq!(view.compare("b", Some(b"own"), at(0)), Ok(true));
        assert_eq!(view.changes.expected.keys().collect::<Vec<_>>(), ["a", "new"]);
        for n in 0..MOST_COMPARED - 2 {
            assert_eq!(view.compare(&n.to_string(), None, at(0)), Ok(true));
        }
        assert!(view.compare("one more", None, at(0)).is_err());
    }
}
