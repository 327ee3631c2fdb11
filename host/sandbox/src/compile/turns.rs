//! Who may compile: so many at one time, and nobody what another one is at.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

/// Hands out turns.
#[derive(Debug)]
pub(crate) struct Turns<K> {
    most: usize,
    /// What is being compiled, and whether its time is over.
    busy: Mutex<HashMap<K, bool>>,
    freed: Condvar,
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// Turns for `most` at one time; at least one.
    pub(crate) fn new(most: u32) -> Arc<Self> {
        let most = usize::try_from(most.max(1)).unwrap_or(usize::MAX);
        Arc::new(Self { most, busy: Mutex::default(), freed: Condvar::new() })
    }

    /// Waits for a turn to compile `key`. `None` when every place is held by a compilation that goes on although its time
    /// is over: nobody knows when it ends.
    pub(crate) fn take(self: &Arc<Self>, key: &K) -> Option<Turn<K>> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        while busy.len() >= self.most || busy.contains_key(key) {
            if busy.len() >= self.most && busy.values().all(|overdue| *overdue)
                || busy.get(key) == Some(&true)
            {
                return None;
            }
            busy = self.freed.wait(busy).unwrap_or_else(PoisonError::into_inner);
        }
        busy.insert(key.clone(), false);
        Some(Turn { turns: self.clone(), key: key.clone() })
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<K, bool>)) {
        change(&mut self.busy.lock().unwrap_or_else(PoisonError::into_inner));
        self.freed.notify_all();
    }

    /// Tells those that wait that the time of this one is over, if it goes on.
    pub(crate) fn overdue(&self, key: &K) {
        self.change(|busy| {
            if let Some(overdue) = busy.get_mut(key) {
                *overdue = true;
            }
        });
    }
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<K: Clone + Eq + Hash> {
    turns: Arc<Turns<K>>,
    key: K,
}

impl<K: Clone + Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        self.turns.change(|busy| _ = busy.remove(&self.key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_waited_for_until_another_one_ends() {
        let turns = Turns::new(1);
        let first = turns.take(&"a").unwrap();
        std::thread::scope(|scope| {
            let (turns, second) = (&turns, std::sync::mpsc::channel());
            scope.spawn(move || second.0.send(turns.take(&"b").is_some()));
            assert!(second.1.try_recv().is_err(), "it waits");
            drop(first);
            assert_eq!(second.1.recv(), Ok(true));
        });
    }

    #[test]
    fn a_place_whose_time_is_over_is_not_waited_for() {
        let turns = Turns::new(2);
        let (first, second) = (turns.take(&"a").unwrap(), turns.take(&"b").unwrap());
        turns.overdue(&"a");
        assert!(turns.take(&"a").is_none(), "the same would not end either");
        turns.overdue(&"b");
        assert!(turns.take(&"c").is_none());
        drop(first);
        assert!(turns.take(&"c").is_some());
        drop(second);
    }
}
