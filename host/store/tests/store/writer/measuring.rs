//! How long commits take.

use std::{cell::Cell, sync::mpsc::channel, time::Duration};

use clockbox_store::CommitFigures;

use super::{
    scripted::{Scripted, Step},
    spawn, submit,
};

const LONG: Duration = Duration::from_secs(60);

thread_local! {
    static LOOKS: Cell<u32> = const { Cell::new(0) };
}

/// A clock on which the first commit of a thread takes 300 µs, the second 1 ms, the third 12 s, and others nothing.
fn stopwatch() -> Duration {
    let look = LOOKS.get();
    LOOKS.set(look + 1);
    Duration::from_micros(
        [0, 300, 300, 1_300, 1_300, 12_001_300].get(look as usize).copied().unwrap_or(20_000_000),
    )
}

fn non_empty(figures: &CommitFigures) -> Vec<(u128, u64)> {
    let filled = figures.buckets.iter().filter(|(_, count)| *count > 0);
    filled.map(|(bound, count)| (bound.as_micros(), *count)).collect()
}

#[test]
fn commits_are_measured_once_somebody_wants_to_know() {
    let (writer, _) = spawn(&Scripted::at_once([]));
    let (tell, _told) = channel();
    submit(&writer, 0..5, &tell);
    let figures = writer.commit_figures();
    assert_eq!((figures.commits, figures.writes, figures.total), (0, 0, Duration::ZERO));
    writer.measure(stopwatch);
    submit(&writer, 5..8, &tell);
    submit(&writer, 8..9, &tell);
    // Nothing to write is no commit.
    submit(&writer, 9..9, &tell);
    submit(&writer, 9..10, &tell);
    let figures = writer.commit_figures();
    assert_eq!(non_empty(&figures), [(500, 1), (1_000, 1)], "a bound is within its bucket");
    assert_eq!((figures.commits, figures.writes, figures.failures), (3, 5, 0));
    assert_eq!(figures.total, Duration::from_micros(12_001_300));
}

#[test]
fn a_commit_that_is_tried_again_counts_as_failed_and_then_as_made() {
    let store = Scripted::new([Step::Fail, Step::Fail]);
    let (writer, troubles) = spawn(&store);
    writer.measure(stopwatch);
    let (tell, told) = channel();
    submit(&writer, 0..4, &tell);
    told.recv().unwrap().1.unwrap();
    writer.close(LONG).unwrap();
    let figures = writer.commit_figures();
    assert_eq!((figures.commits, figures.writes, figures.failures), (1, 4, 2));
    assert_eq!(non_empty(&figures), [], "it took longer than the last bound");
    assert_eq!(troubles.try_iter().count(), 3, "two failures, and the end of them");
}
