//! How long commits take: a histogram that costs a few additions a commit, and nothing until somebody wants it.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// A clock that only goes forward: the time since a moment of its own choice.
type Stopwatch = fn() -> Duration;

/// The upper bounds of the buckets, in microseconds; a last bucket has what is beyond them.
const BOUNDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// How many commits took how long, by one writer.
#[derive(Debug, Default)]
pub(super) struct CommitTimes {
    /// Set once somebody wants to know.
    stopwatch: OnceLock<Stopwatch>,
    buckets: [AtomicU64; BOUNDS.len() + 1],
    total_micros: AtomicU64,
    writes: AtomicU64,
    failures: AtomicU64,
}

/// What a [`Writer`](super::Writer) has committed since [`measure`](super::Writer::measure) was called.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommitFigures {
    /// The upper bound of each bucket and the commits in it that are in no bucket before it. What took longer than the last
    /// bound is only in `commits`.
    pub buckets: Vec<(Duration, u64)>,
    /// Commits that were made.
    pub commits: u64,
    /// The time that they took together.
    pub total: Duration,
    /// The writes that they made.
    pub writes: u64,
    /// Commits that failed, each try by itself.
    pub failures: u64,
}

impl CommitTimes {
    pub(super) fn measure(&self, stopwatch: Stopwatch) {
        // A second one measures the same.
        _ = self.stopwatch.set(stopwatch);
    }

    /// Makes a commit of so many writes, and takes the time where somebody wants to know.
    pub(super) fn time<T, E>(&self, writes: usize, commit: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let Some(stopwatch) = self.stopwatch.get() else { return commit() };
        let begun = stopwatch();
        let done = commit();
        let took = stopwatch().saturating_sub(begun);
        match &done {
            Ok(_) => self.add(took, writes),
            Err(_) => _ = self.failures.fetch_add(1, Relaxed),
        }
        done
    }

    fn add(&self, took: Duration, writes: usize) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Relaxed);
        }
        self.total_micros.fetch_add(micros, Relaxed);
        self.writes.fetch_add(writes as u64, Relaxed);
    }

    pub(super) fn figures(&self) -> CommitFigures {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        CommitFigures {
            buckets: BOUNDS.iter().copied().map(Duration::from_micros).zip(counts.iter().copied()).collect(),
            commits: counts.iter().sum(),
            total: Duration::from_micros(self.total_micros.load(Relaxed)),
            writes: self.writes.load(Relaxed),
            failures: self.failures.load(Relaxed),
        }
    }
}
