//! What very many jobs cost: bytes each, the time to take them in, to store and to load them, and what a fire and a
//! reload cost among them. `cargo bench -p clockbox-core --bench timetable
//! [JOBS] [bytes] [stored] [fires] [changes] [next]`; a million and all parts if nothing is said.
//!
//! Bytes are what the allocator hands out, each piece rounded up as glibc does (16 bytes, with its header, 32 at
//! least). Times are those of the processor, where Linux tells them, so that other programs make little difference;
//! what is stored is measured by the clock as well, which has the disk in it. Ratios are of one run.

mod clock;
mod heap;
mod jobs;

use std::{hint::black_box, path::Path, sync::Arc, time::Duration};

use clock::{time, times};
use clockbox_core::{
    model::{Job, Outcome, Report, RunId, Source, Write},
    timetable::{Action, Change, Conflict, Input, Remembered, Timetable},
};
use clockbox_store::{Access, JobStore, MemoryStore, Snapshot, SqliteStore};
use heap::Heap;
use jobs::Kind;

#[global_allocator]
static HEAP: Heap = Heap::new();

/// As many jobs are added in one call, and their records committed together.
const BATCH: usize = 1000;
/// Fires that are measured for one figure.
const FIRES: usize = 20_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let jobs = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let names = ["bytes", "stored", "fires", "changes", "next"];
    let is_named = |name| args.iter().any(|arg| arg == name);
    let all = !names.into_iter().any(is_named);
    let [bytes, stored, fires, changes, next] = names.map(|name| all || is_named(name));
    bytes.then(|| self::bytes(jobs));
    stored.then(|| self::stored(jobs));
    fires.then(|| self::fires(jobs));
    changes.then(|| self::changes(jobs));
    next.then(|| self::next(jobs));
}

#[expect(clippy::cast_precision_loss, reason = "a figure to print")]
fn each(total: usize, count: usize) -> f64 {
    total as f64 / count as f64
}

#[expect(clippy::cast_precision_loss, reason = "a figure to print")]
fn micros(total: Duration, count: usize) -> f64 {
    total.as_secs_f64() * 1e6 / count as f64
}

/// Takes jobs in as a program adds them: in batches, each part made anew.
fn added(kind: Kind, count: usize, mut commit: impl FnMut(Vec<Write>)) -> Timetable {
    let mut timetable = Timetable::new();
    for batch in jobs::batches(kind, count, BATCH) {
        let input = Input::AddJobs { jobs: batch.collect(), conflict: Conflict::Error };
        let actions = timetable.handle(jobs::now(), input).expect("names that are free");
        commit(writes(actions));
    }
    timetable
}

/// What an idle job takes, by the kind of its trigger.
fn bytes(count: usize) {
    println!(
        "{:<44} {:>12} {:>12} {:>12}",
        format!("{count} idle jobs, added"),
        "bytes each",
        "peak each",
        "µs each"
    );
    for kind in Kind::ALL {
        let (before, _) = (HEAP.live(), HEAP.restart_peak());
        let (timetable, took) = time(|| added(kind, count, drop));
        let (live, peak) = (HEAP.live() - before, HEAP.peak() - before);
        println!(
            "  {:<42} {:>12.0} {:>12.0} {:>12.2}",
            kind.name(),
            each(live, count),
            each(peak, count),
            micros(took, count)
        );
        drop(timetable);
    }
}

/// The way of very many jobs through the stores and back.
fn stored(count: usize) {
    let title = format!("{count} crontab jobs, stored");
    println!("{title:<48} {:>9} {:>9} {:>12} {:>12}", "seconds", "CPU", "bytes each", "peak each");
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = |name| {
        let access = Access::ReadWrite { opened_at: jobs::now() };
        SqliteStore::open(&folder.path().join(name), access).expect("a store")
    };
    measured("  added and committed to SQLite, batches of 1000", count, || {
        let store = sqlite("added.db");
        (added(Kind::Crontab, count, |writes| commit(&store, &writes)), store)
    });
    println!("  the database has {:.0} bytes a job", each(size(&folder.path().join("added.db")), count));
    measured("  loaded from SQLite into a timetable", count, || {
        let store = sqlite("added.db");
        (started(&store, Vec::new()), store)
    });
    measured("    of which JobStore::load", count, || {
        let store = sqlite("added.db");
        (store.load().expect("a snapshot"), store)
    });
    // What a manifest declares the host holds as well.
    let declared: Vec<Arc<Job>> = jobs::declared(Kind::Crontab, count).collect();
    declare(&sqlite("declared.db"), &declared);
    measured("  loaded, all of them declared again", count, || {
        let store = sqlite("declared.db");
        (started(&store, declared), store)
    });
    measured("  with the memory store, added", count, || {
        let store = MemoryStore::new();
        (added(Kind::Crontab, count, |writes| commit(&store, &writes)), store)
    });
}

fn commit(store: &dyn JobStore, writes: &[Write]) {
    let answers = store.commit(writes).expect("a commit");
    assert!(answers.iter().all(Result::is_ok), "nothing is refused");
}

/// Stores the jobs of a manifest.
fn declare(store: &dyn JobStore, jobs: &[Arc<Job>]) {
    let mut timetable = Timetable::new();
    for put in jobs.chunks(BATCH) {
        let change = Change { put: put.to_vec(), ..Change::default() };
        let actions = timetable.handle(jobs::now(), Input::Apply(change)).expect("a change");
        commit(store, &writes(actions));
    }
}

fn writes(actions: Vec<Action>) -> Vec<Write> {
    let write = |action| match action {
        Action::Write(write) => Some(write),
        _ => None,
    };
    actions.into_iter().filter_map(write).collect()
}

fn size(path: &Path) -> usize {
    path.metadata().map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX))
}

fn measured<T>(what: &str, count: usize, work: impl FnOnce() -> T) {
    let (before, _) = (HEAP.live(), HEAP.restart_peak());
    let (kept, by_clock, of_processor) = times(work);
    let (live, peak) = (HEAP.live().saturating_sub(before), HEAP.peak() - before);
    println!(
        "{what:<48} {:>9.2} {:>9.2} {:>12.0} {:>12.0}",
        by_clock.as_secs_f64(),
        of_processor.unwrap_or(by_clock).as_secs_f64(),
        each(live, count),
        each(peak, count)
    );
    drop(kept);
}

/// A timetable of what a store knows, as the host starts it.
fn started(store: &dyn JobStore, declared: Vec<Arc<Job>>) -> Timetable {
    let mut timetable = Timetable::new();
    let Snapshot { jobs, cancelling, last_run, paused, .. } = store.load().expect("a snapshot");
    let change = Change::at_start(&jobs, &declared, &Default::default());
    let unfinished = Vec::new();
    let mut actions =
        timetable.restore(jobs::now(), Remembered { jobs, unfinished, cancelling, last_run, paused });
    actions.extend(timetable.handle(jobs::now(), Input::Apply(change)).expect("a change"));
    actions.extend(timetable.handle(jobs::now(), Input::Wake).expect("a look"));
    black_box(actions);
    timetable
}

fn sizes(most: usize) -> impl Iterator<Item = usize> {
    [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(move |size| *size <= most)
}

/// What a fire costs the timetable among few and among many: from the wake to the end of its run.
fn fires(most: usize) {
    [Kind::Spread, Kind::Seconds].into_iter().for_each(|kind| fires_of(most, kind));
}

fn fires_of(most: usize, kind: Kind) {
    let title = format!("a fire, {}", kind.name());
    println!("{title:<44} {:>12} {:>12} {:>12}", "jobs", "µs", "ratio");
    let mut first = None;
    for count in sizes(most) {
        let mut timetable = added(kind, count, drop);
        turn(&mut timetable, FIRES / 10);
        let best = (0..3).map(|_| time(|| turn(&mut timetable, FIRES)).1).min().unwrap_or_default();
        let first = *first.get_or_insert(best);
        println!(
            "{:<44} {count:>12} {:>12.2} {:>12.2}",
            "",
            micros(best, FIRES),
            best.as_secs_f64() / first.as_secs_f64()
        );
    }
}

/// Lets jobs fire, one wake after the other, and their runs succeed at once.
fn turn(timetable: &mut Timetable, fires: usize) {
    let mut ended = 0;
    let mut launched: Vec<RunId> = Vec::new();
    while ended < fires {
        let at = timetable.next_wake().expect("a next fire");
        let mut input = Some(Input::Wake);
        while let Some(next) = input.take() {
            let actions = timetable.handle(at, next).expect("an input");
            launched.extend(actions.iter().filter_map(|action| match action {
                Action::Launch(launch) => Some(launch.run.id),
                _ => None,
            }));
            input = launched.pop().map(|run| {
                ended += 1;
                let report = Box::new(Report::new(Outcome::Succeeded));
                Input::Finished { run, attempt: 1, report }
            });
        }
    }
}

/// How long a look at what fires next keeps the driver, copies of the jobs included.
fn next(most: usize) {
    println!("{:<44} {:>12} {:>12} {:>12}", "a look at what fires next", "jobs", "of them", "µs");
    for kind in [Kind::Crontab, Kind::Seconds, Kind::Interval, Kind::Spread] {
        for count in sizes(most) {
            let timetable = added(kind, count, drop);
            for wanted in [10, 1_000] {
                // The processor's clock is too coarse for a single one.
                const LOOKS: usize = 50;
                let look = || timetable.soonest(wanted).into_iter().cloned().collect::<Vec<_>>();
                let ((), took) = time(|| (0..LOOKS).for_each(|_| drop(black_box(look()))));
                println!("  {:<42} {count:>12} {wanted:>12} {:>12.1}", kind.name(), micros(took, LOOKS));
            }
        }
    }
}

/// What a change of one job costs among few and among many.
fn changes(most: usize) {
    const CHANGES: usize = 50_000;
    println!("{:<44} {:>12} {:>12} {:>12}", "a change of one declared job", "jobs", "µs", "ratio");
    let mut first = None;
    for count in sizes(most) {
        let mut timetable = Timetable::new();
        let put = jobs::declared(Kind::Crontab, count).collect();
        timetable.handle(jobs::now(), Input::Apply(Change { put, ..Change::default() })).expect("a change");
        // Neighbours in time are far apart by name.
        let changes: Vec<Change> = (0..CHANGES)
            .map(|number| Job {
                args: format!("[{number}]").into(),
                ..jobs::job(Kind::Crontab, number * 7919 % count, count, Source::Manifest)
            })
            .map(|job| Change { put: vec![Arc::new(job)], ..Change::default() })
            .collect();
        let ((), took) = time(|| {
            for change in changes {
                black_box(timetable.handle(jobs::now(), Input::Apply(change)).expect("a change"));
            }
        });
        let first = *first.get_or_insert(took);
        println!(
            "{:<44} {count:>12} {:>12.2} {:>12.2}",
            "",
            micros(took, CHANGES),
            took.as_secs_f64() / first.as_secs_f64()
        );
    }
}
