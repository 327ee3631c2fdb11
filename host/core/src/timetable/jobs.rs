//! The jobs of a timetable by name.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::entry::Entry;
use crate::model::JobId;

/// Entries by the names of their jobs. There may be a million: a table of pointers grows cheaply and wastes little, and
/// the name is not kept twice.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    table: HashTable<Box<Entry>>,
    /// With a seed of its own: names may come from outside.
    names: DefaultHashBuilder,
}

impl Jobs {
    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, more: usize) {
        self.table.reserve(more, |entry| self.names.hash_one(entry.id()));
    }

    pub(super) fn get(&self, id: &JobId) -> Option<&Entry> {
        let hash = self.names.hash_one(id);
        self.table.find(hash, |entry| entry.id() == id).map(|entry| &**entry)
    }

    pub(super) fn get_mut(&mut self, id: &JobId) -> Option<&mut Entry> {
        let hash = self.names.hash_one(id);
        self.table.find_mut(hash, |entry| entry.id() == id).map(|entry| &mut **entry)
    }

    pub(super) fn contains(&self, id: &JobId) -> bool {
        self.get(id).is_some()
    }

    /// Takes in an entry, in the place of the one of its name.
    pub(super) fn insert(&mut self, entry: Entry) {
        let hash = self.names.hash_one(entry.id());
        match self.table.find_mut(hash, |known| known.id() == entry.id()) {
            Some(known) => **known = entry,
            None => {
                let names = &self.names;
                self.table.insert_unique(hash, Box::new(entry), |entry| names.hash_one(entry.id()));
            }
        }
    }

    pub(super) fn remove(&mut self, id: &JobId) {
        let hash = self.names.hash_one(id);
        if let Ok(place) = self.table.find_entry(hash, |entry| entry.id() == id) {
            place.remove();
        }
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.table.iter().map(|entry| &**entry)
    }
}
