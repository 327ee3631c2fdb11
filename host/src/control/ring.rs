//! The latest events, for listeners that come back.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use clockbox_core::model::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use crate::scheduler::{Happening, Scheduler, Subscription};

/// Events that are kept.
const KEPT: usize = 8192;

/// The latest events of a scheduler. Listeners read them here, each at its own pace, so that a slow one holds nothing.
#[derive(Debug)]
pub(super) struct Ring {
    /// Which start of the host their numbers count from.
    start: String,
    most: usize,
    state: Mutex<State>,
    is_filled: AtomicBool,
    news: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Arc<Entry>>,
    /// The number of the first one that there ever was.
    first: Option<u64>,
    is_over: bool,
}

/// An event, and its text once somebody has asked for it.
#[derive(Debug)]
pub(super) struct Entry {
    happening: Happening,
    text: OnceLock<Text>,
}

/// An event as it is told.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) json: String,
    pub(super) event: String,
    pub(super) job: Option<String>,
}

impl Entry {
    pub(super) fn text(&self) -> &Text {
        self.text.get_or_init(|| {
            let value = serde_json::to_value(&self.happening).unwrap_or_default();
            let said = |key: &str| value.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
            let (event, job) = (said("event").unwrap_or_default(), said("job"));
            Text { json: value.to_string(), event, job }
        })
    }
}

/// Where a listener stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Before the first event that comes.
    First,
    /// Before the event of this number.
    At(u64),
}

/// What there is for a listener.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Events that are gone, before those that there are.
    pub(super) lost: u64,
    pub(super) entries: Vec<Arc<Entry>>,
    /// Nothing comes any more.
    pub(super) is_over: bool,
}

impl Ring {
    pub(super) fn new(started_at: Timestamp) -> Self {
        Self::with_room(started_at, KEPT)
    }

    fn with_room(started_at: Timestamp, most: usize) -> Self {
        let start = format!("{:x}.{:x}", started_at.timestamp_micros(), std::process::id());
        let (news, _) = watch::channel(());
        Self { start, most, state: Mutex::default(), is_filled: AtomicBool::new(false), news }
    }

    /// Takes in events from now on, on a task of its own; the first listener makes it so. A host that nobody listens to
    /// pays nothing.
    pub(super) fn fill(self: &Arc<Self>, scheduler: &Scheduler) {
        if self.is_filled.swap(true, Ordering::AcqRel) {
            return;
        }
        tokio::spawn(Arc::clone(self).take_in(scheduler.subscribe()));
    }

    async fn take_in(self: Arc<Self>, mut events: Subscription) {
        while let Some(heard) = events.next().await {
            // What it lost itself shows in the numbers.
            if let Ok(happening) = heard {
                self.push(happening);
            }
        }
        self.lock().is_over = true;
        self.news.send_replace(());
    }

    fn push(&self, happening: Happening) {
        let mut state = self.lock();
        state.first.get_or_insert(happening.seq);
        if state.entries.len() == self.most {
            state.entries.pop_front();
        }
        state.entries.push_back(Arc::new(Entry { happening, text: OnceLock::new() }));
        drop(state);
        self.news.send_replace(());
    }

    /// Told whenever there is more.
    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// The id of an event.
    pub(super) fn id(&self, seq: u64) -> String {
        format!("{}-{seq}", self.start)
    }

    /// Behind what has happened so far.
    pub(super) fn now(&self) -> Place {
        self.lock().entries.back().map_or(Place::First, |entry| Place::At(entry.happening.seq + 1))
    }

    /// Behind the event with this id; `None` where that is not one of this start of the host.
    pub(super) fn behind(&self, id: &str) -> Option<Place> {
        let (start, seq) = id.rsplit_once('-')?;
        let seq: u64 = seq.parse().ok()?;
        let next = seq.checked_add(1)?;
        let latest = self.lock().entries.back().map(|entry| entry.happening.seq);
        let is_known = start == self.start && latest.is_none_or(|latest| seq <= latest);
        is_known.then_some(Place::At(next))
    }

    /// Some of what is there from a place on; the place moves behind it.
    pub(super) fn read(&self, place: &mut Place, most: usize) -> Heard {
        let state = self.lock();
        let next = match *place {
            Place::At(next) => next,
            Place::First => match state.first {
                Some(first) => first,
                None => return Heard { is_over: state.is_over, ..Heard::default() },
            },
        };
        let from = state.entries.partition_point(|entry| entry.happening.seq < next);
        let mut heard = Heard::default();
        let mut expected = next;
        for entry in state.entries.iter().skip(from).take(most) {
            let seq = entry.happening.seq;
            if seq > expected {
                if !heard.entries.is_empty() {
                    // The gap is told before what follows it.
                    break;
                }
                heard.lost = seq - expected;
            }
            heard.entries.push(Arc::clone(entry));
            expected = seq + 1;
        }
        heard.is_over = state.is_over && heard.entries.is_empty();
        *place = Place::At(expected);
        heard
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub(super) fn seq(&self) -> u64 {
        self.happening.seq
    }
}

#[cfg(test)]
mod tests {
    use clockbox_core::model::Event;

    use super::*;

    fn ring(numbers: impl IntoIterator<Item = u64>) -> Ring {
        let at: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let ring = Ring::with_room(at, 4);
        numbers.into_iter().for_each(|seq| ring.push(Happening { seq, at, event: Event::SchedulerResumed }));
        ring
    }

    fn read(ring: &Ring, place: &mut Place) -> (u64, Vec<u64>) {
        let heard = ring.read(place, 3);
        (heard.lost, heard.entries.iter().map(|entry| entry.seq()).collect())
    }

    #[test]
    fn a_listener_that_comes_back_is_told_what_it_missed() {
        let ring = ring(5..=10);
        let mut place = ring.behind(&ring.id(8)).unwrap();
        assert_eq!(read(&ring, &mut place), (0, vec![9, 10]));
        assert_eq!(read(&ring, &mut place), (0, vec![]));
        let mut place = ring.behind(&ring.id(5)).unwrap();
        assert_eq!(read(&ring, &mut place), (1, vec![7, 8, 9]));
        assert_eq!(read(&ring, &mut place), (0, vec![10]));
    }

    #[test]
    fn a_new_listener_hears_what_comes() {
        let empty = ring([]);
        let mut place = empty.now();
        assert_eq!(read(&empty, &mut place), (0, vec![]));
        (3..=9).for_each(|seq| {
            empty.push(Happening { seq, at: Timestamp::UNIX_EPOCH, event: Event::SchedulerResumed });
        });
        assert_eq!(read(&empty, &mut place), (3, vec![6, 7, 8]), "it was too slow");
        let full = ring(1..=3);
        assert_eq!(full.now(), Place::At(4));
    }

    #[test]
    fn a_gap_is_told_where_it_is() {
        let ring = ring([1, 2, 7]);
        let mut place = Place::First;
        assert_eq!(read(&ring, &mut place), (0, vec![1, 2]));
        assert_eq!(read(&ring, &mut place), (4, vec![7]));
    }

    #[test]
    fn ids_of_another_start_are_not_known() {
        let ring = ring(1..=3);
        for id in ["", "-", "x-2", "1", &ring.id(4), &ring.id(u64::MAX), &format!("{}-x", ring.start)] {
            assert_eq!(ring.behind(id), None, "{id:?}");
        }
        assert_eq!(ring.behind(&ring.id(3)), Some(Place::At(4)));
    }
}
