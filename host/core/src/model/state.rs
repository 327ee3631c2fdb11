//! What a job remembers from one run to the next.

use std::{collections::BTreeMap, sync::Arc};

use super::{Refusal, Timestamp};

/// The longest key, in bytes.
const LONGEST_KEY: usize = 512;
/// What an entry counts beside its key and its value, so that empty ones cannot flood the store.
const ENTRY_COST: u64 = 64;

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateKeyError {
    /// It is empty.
    #[error("a key must not be empty")]
    Empty,
    /// It has more than 512 bytes.
    #[error("the key has {0} bytes; at most 512 are allowed")]
    TooLong(usize),
    /// It has a control character, which would be trouble at a terminal.
    #[error("{0:?} is not allowed in a key: it is a control character")]
    Character(char),
}

/// One value of a job's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// The value.
    pub value: Arc<[u8]>,
    /// From when on it is as good as gone.
    pub expires_at: Option<Timestamp>,
}

impl StateEntry {
    /// Whether it is gone at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// The state of a job: its entries by key.
///
/// ```
/// use clockbox_core::model::{JobState, StateChanges, StateEntry, Timestamp};
/// let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
/// let mut state = JobState::default();
/// let entry = StateEntry { value: (*b"7").into(), expires_at: None };
/// let put = [("runs".to_owned(), Some(entry))].into();
/// let changes = StateChanges { put, expected: Default::default(), limit: 100 };
/// state.merge(&changes, now).unwrap();
/// assert_eq!(state.get("runs", now).unwrap().value[..], *b"7");
/// assert_eq!(state.size(now), 4 + 1 + 64);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobState(pub BTreeMap<String, StateEntry>);

impl JobState {
    /// The entry of a key, unless it has expired.
    #[must_use]
    pub fn get(&self, key: &str, now: Timestamp) -> Option<&StateEntry> {
        self.0.get(key).filter(|entry| !entry.is_expired(now))
    }

    /// What the entries that have not expired count towards the limit.
    #[must_use]
    pub fn size(&self, now: Timestamp) -> u64 {
        let lasting = self.0.iter().filter(|(_, entry)| !entry.is_expired(now));
        lasting.map(|(key, entry)| state_cost(key, &entry.value)).sum()
    }

    /// Makes the changes, or none of them; what has expired goes in any case.
    ///
    /// # Errors
    /// [`Refusal::StateConflict`] or [`Refusal::StateFull`].
    pub fn merge(&mut self, changes: &StateChanges, now: Timestamp) -> Result<(), Refusal> {
        self.0.retain(|_, entry| !entry.is_expired(now));
        for (key, expected) in &changes.expected {
            if self.get(key, now).map(|entry| &entry.value) != expected.as_ref() {
                return Err(Refusal::StateConflict { key: key.clone() });
            }
        }
        let mut merged = self.clone();
        for (key, entry) in &changes.put {
            match entry {
                Some(entry) => _ = merged.0.insert(key.clone(), entry.clone()),
                None => _ = merged.0.remove(key),
            }
        }
        changes.check_size(self.size(now), merged.size(now))?;
        *self = merged;
        Ok(())
    }
}

/// What a run, or somebody by hand, changes of a job's state: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateChanges {
    /// Entries by key; `None` deletes one.
    pub put: BTreeMap<String, Option<StateEntry>>,
    /// What must be stored under a key for the changes to be made; `None`: nothing.
    pub expected: BTreeMap<String, Option<Arc<[u8]>>>,
    /// The largest that the state may be.
    pub limit: u64,
}

impl StateChanges {
    /// Whether there is nothing to change and nothing to check.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.expected.is_empty()
    }

    /// Whether a state of this size may be stored. One that was too large before, as the limit was lowered, may shrink.
    ///
    /// # Errors
    /// [`Refusal::StateFull`].
    pub fn check_size(&self, before: u64, after: u64) -> Result<(), Refusal> {
        if after > self.limit && after >= before {
            return Err(Refusal::StateFull { size: after, limit: self.limit });
        }
        Ok(())
    }
}

/// What an entry counts towards the limit.
///
/// ```
/// assert_eq!(clockbox_core::model::state_cost("key", b"value"), 3 + 5 + 64);
/// ```
#[must_use]
pub fn state_cost(key: &str, value: &[u8]) -> u64 {
    key.len() as u64 + value.len() as u64 + ENTRY_COST
}

/// Whether a text can be a key.
///
/// # Errors
/// When it is empty, longer than 512 bytes, or has a control character.
///
/// ```
/// use clockbox_core::model::check_state_key;
/// assert!(check_state_key("cursor/Zürich").is_ok());
/// assert!(check_state_key("").is_err());
/// ```
pub fn check_state_key(key: &str) -> Result<(), StateKeyError> {
    if key.is_empty() {
        return Err(StateKeyError::Empty);
    }
    if key.len() > LONGEST_KEY {
        return Err(StateKeyError::TooLong(key.len()));
    }
    key.chars().find(|c| c.is_control()).map_or(Ok(()), |c| Err(StateKeyError::Character(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn set(key: &str, value: &str, expires_at: Option<Timestamp>) -> (String, Option<StateEntry>) {
        (key.to_owned(), Some(StateEntry { value: value.as_bytes().into(), expires_at }))
    }

    fn changes(put: impl IntoIterator<Item = (String, Option<StateEntry>)>) -> StateChanges {
        StateChanges { put: put.into_iter().collect(), limit: 300, ..StateChanges::default() }
    }

    #[test]
    fn an_entry_that_expired_is_nothing_to_compare_with_and_counts_for_nothing() {
        let mut state = JobState::default();
        state.merge(&changes([set("a", "1", Some(at(10)))]), at(0)).unwrap();
        assert_eq!((state.size(at(9)), state.size(at(10))), (66, 0));
        let expected = [("a".to_owned(), None)].into();
        let refused = state.clone().merge(&StateChanges { expected, ..changes([]) }, at(9));
        assert_eq!(refused, Err(Refusal::StateConflict { key: "a".to_owned() }));
        let expected = [("a".to_owned(), None)].into();
        state.merge(&StateChanges { expected, ..changes([set("a", "2", None)]) }, at(10)).unwrap();
        assert_eq!(state.get("a", at(99)).unwrap().value[..], *b"2");
    }

    #[test]
    fn what_is_refused_changes_nothing_and_a_state_over_its_limit_may_shrink() {
        let mut state = JobState::default();
        let large = |n| set("a", &"x".repeat(n), None);
        state.merge(&changes([large(235)]), at(0)).unwrap();
        let before = state.clone();
        let refused = state.merge(&changes([set("b", "", None), ("c".to_owned(), None)]), at(0));
        assert_eq!((refused, &state), (Err(Refusal::StateFull { size: 365, limit: 300 }), &before));
        let lowered = |put| StateChanges { limit: 100, ..changes([put]) };
        assert!(state.merge(&lowered(large(235)), at(0)).is_err());
        state.merge(&lowered(large(200)), at(0)).unwrap();
    }

    #[test]
    fn keys_are_short_and_can_be_shown() {
        assert_eq!(check_state_key("a\u{1b}"), Err(StateKeyError::Character('\u{1b}')));
        assert_eq!(check_state_key(&"é".repeat(257)), Err(StateKeyError::TooLong(514)));
        assert_eq!(check_state_key(&"x".repeat(512)), Ok(()));
    }
}
