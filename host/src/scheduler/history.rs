//! Old runs are forgotten, and what has expired of the state of jobs, in the background and a few at a time.

use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use clockbox_core::model::{History, Timestamp};
use clockbox_store::{JobStore, StoreError};

use tokio::time::Instant;

use crate::clock::{Clock, monotonic};

/// How often old runs are looked for.
const EVERY: Duration = Duration::from_secs(60);
/// Runs, or entries of states, deleted in one transaction, so that fires never wait long for the store.
const AT_ONCE: u32 = 200;
/// The pause between two such transactions, in which whatever waits for the store has its turn.
const PAUSE: Duration = Duration::from_millis(20);

/// A clock that is ahead by more than this all at once is not believed at first.
const LEAP: chrono::TimeDelta = chrono::TimeDelta::hours(1);
/// How long a clock that leapt ahead must go on from there to be believed: time enough to set it right.
const PROBATION: Duration = Duration::from_secs(86_400);

/// The thread that prunes.
pub(super) struct Pruner {
    alive: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Pruner {
    /// Ends the thread, after the transaction that is under way.
    fn drop(&mut self) {
        drop(self.alive.take());
        // A panic of it has been told by itself.
        _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Prunes until what it returns is dropped.
pub(super) fn spawn(store: Arc<dyn JobStore>, clock: Clock, history: History) -> std::io::Result<Pruner> {
    let (alive, stopped) = mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name("clockbox-history".into()).spawn(move || {
        let mut calendar = Calendar::new(clock.now(), monotonic());
        while stopped.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
            let now = calendar.believe(clock.now(), monotonic());
            prune(&*store, now, history, &stopped);
        }
    })?;
    Ok(Pruner { alive: Some(alive), thread: Some(thread) })
}

/// A time of the wall clock, and of the monotonic one at that moment.
type Moment = (Timestamp, Instant);

/// What time it is for the history. A wall clock that is set years ahead by mistake must not cost all that is kept: what
/// was deleted does not come back when the clock is set right.
struct Calendar {
    believed: Moment,
    /// Where the clock leapt to.
    doubted: Option<Moment>,
}

impl Calendar {
    fn new(wall: Timestamp, since: Instant) -> Self {
        Self { believed: (wall, since), doubted: None }
    }

    /// The time to go by when the wall clock says `wall`: after a leap, what it would be without, until the clock has
    /// gone on from there for [`PROBATION`].
    fn believe(&mut self, wall: Timestamp, since: Instant) -> Timestamp {
        // A clock that was set back deletes nothing too early.
        let is_ahead = wall - expected(self.believed, since) > LEAP;
        let doubted = self.doubted.filter(|doubted| (wall - expected(*doubted, since)).abs() <= LEAP);
        let is_settled = doubted.is_some_and(|(_, then)| since.saturating_duration_since(then) >= PROBATION);
        if !is_ahead || is_settled {
            *self = Self::new(wall, since);
            return wall;
        }
        if doubted.is_none() {
            tracing::warn!(
                "the clock leapt ahead to {wall}: old runs are deleted by the time before, until it has gone on from there \
                 for a day"
            );
        }
        self.doubted = doubted.or(Some((wall, since)));
        expected(self.believed, since)
    }
}

/// What the wall clock shows when it has gone on evenly.
fn expected((wall, then): Moment, since: Instant) -> Timestamp {
    let passed = chrono::TimeDelta::from_std(since.saturating_duration_since(then));
    passed.ok().and_then(|passed| wall.checked_add_signed(passed)).unwrap_or(wall)
}

fn prune(store: &dyn JobStore, now: Timestamp, history: History, stopped: &mpsc::Receiver<()>) {
    let keep = chrono::TimeDelta::from_std(history.keep).unwrap_or(chrono::TimeDelta::MAX);
    let before = now.checked_sub_signed(keep).unwrap_or(Timestamp::MIN_UTC);
    repeat("old runs", stopped, || store.prune(before, history.keep_per_job, AT_ONCE));
    repeat("state that has expired", stopped, || store.prune_state(now, AT_ONCE));
}

/// Deletes some at a time, until there are no more or it is told to end.
fn repeat(what: &str, stopped: &mpsc::Receiver<()>, delete: impl Fn() -> Result<u32, StoreError>) {
    loop {
        match delete() {
            Ok(AT_ONCE) if stopped.recv_timeout(PAUSE) == Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(_) => return,
            Err(error) => {
                tracing::warn!("{what} could not be deleted, the next try is in a minute: {error}");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clockbox_core::model::{
        Attempt, Cause, JobId, LogLevel, LogLine, LogStream, Outcome, PluginName, PoolName, Run, RunId,
        RunState, StateChanges, StateEntry, Write,
    };
    use clockbox_store::{Access, RunFilter, SqliteStore};

    use super::*;

    const JOBS: [&str; 2] = ["often", "rare"];

    fn start() -> Timestamp {
        "2030-01-01T00:00:00Z".parse().unwrap()
    }

    /// A run with an attempt and a log of a kilobyte, as a commit would have it.
    fn ended(id: RunId, job: &str, at: Timestamp) -> [Write; 2] {
        let outcome = Some(Outcome::Succeeded);
        let run = Run {
            id,
            job: JobId::new(job).unwrap(),
            plugin: PluginName::new("hello").unwrap(),
            pool: PoolName::default_pool(),
            cause: Cause::Trigger,
            scheduled_at: at,
            recorded_at: at,
            state: RunState::Running,
            attempt: 1,
            started_at: Some(at),
            finished_at: None,
            retry_at: None,
            outcome: None,
            reason: None,
            output: None,
            coalesced: 0,
            args: None,
        };
        let attempt = Attempt {
            number: 1,
            started_at: at,
            finished_at: Some(at),
            outcome,
            reason: None,
            backtrace: None,
            peak_memory: Some(1 << 20),
        };
        let fire = Write::Fire { run: Arc::new(run.clone()), next_fire: None };
        let run = Run { state: RunState::Finished, finished_at: Some(at), outcome, ..run };
        [fire, Write::Update { run: Arc::new(run), attempt: Some(Box::new(attempt)) }]
    }

    fn said(run: RunId, at: Timestamp) -> Write {
        let message = "x".repeat(1000);
        let (stream, level) = (LogStream::Stdout, LogLevel::Info);
        let lines = vec![LogLine { at, stream, level, message, fields: Vec::new() }];
        Write::Log { run, attempt: 1, lines }
    }

    #[test]
    fn a_history_that_is_pruned_keeps_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::ReadWrite { opened_at: start() };
        let store = SqliteStore::open(&folder.path().join("clockbox.db"), access).unwrap();
        let history = History { keep: Duration::from_secs(3600), keep_per_job: 300 };
        let (_alive, stopped) = mpsc::channel();
        let check = || clockbox_store::check("sqlite:clockbox.db", folder.path()).unwrap();
        let (mut now, mut last, mut sizes) = (start(), None, Vec::new());
        for _ in 0..12 {
            // An hour: a job each five seconds, of which the newest are kept, and one each minute, of which the hour is.
            for minute in 0..60 {
                let mut writes = Vec::new();
                for second in (0..60).step_by(5) {
                    let at = now + chrono::TimeDelta::seconds(minute * 60 + second);
                    for job in JOBS.iter().take(if second == 0 { 2 } else { 1 }) {
                        let run = RunId::next(last, at);
                        last = Some(run);
                        writes.extend(ended(run, job, at));
                        writes.push(said(run, at));
                    }
                }
                assert!(store.commit(&writes).unwrap().iter().all(Result::is_ok));
            }
            now += chrono::TimeDelta::hours(1);
            prune(&store, now, history, &stopped);
            let found = check();
            assert_eq!(found.problems, []);
            sizes.push(found.size);
        }
        let contents = check().contents.unwrap();
        assert_eq!((contents.runs, contents.attempts), (300 + 60, 300 + 60));
        let runs = |job| {
            let job = Some(JobId::new(job).unwrap());
            store.runs(&RunFilter { job, ..RunFilter::default() }).unwrap()
        };
        assert_eq!((runs("often").len(), runs("rare").len()), (300, 60));
        assert!(runs("rare").iter().all(|run| run.scheduled_at >= now - chrono::TimeDelta::hours(1)));
        // After half a day it has the size that it had after four hours, its log included, though three times as much was
        // written.
        let (early, late) = (sizes[3], sizes[11]);
        assert!(late <= early + early / 10, "{sizes:?}");
    }

    #[test]
    fn a_clock_that_leaps_ahead_is_believed_only_after_a_day() {
        const MINUTE: Duration = Duration::from_secs(60);
        let begun = monotonic();
        let mut calendar = Calendar::new(start(), begun);
        let mut minutes = 0;
        // A minute later the wall clock is off by so much.
        let mut tick = |off: chrono::TimeDelta| {
            minutes += 1;
            let right = start() + chrono::TimeDelta::minutes(minutes);
            let since = begun + MINUTE * u32::try_from(minutes).unwrap();
            calendar.believe(right + off, since) - right
        };
        let (none, years) = (chrono::TimeDelta::zero(), chrono::TimeDelta::days(3650));
        assert_eq!(tick(none), none);
        // Set wrong, and set right again in time; set back is no danger.
        assert_eq!([tick(years), tick(years), tick(none), tick(-years)], [none, none, none, -years]);
        // Forward again is a leap, until it has lasted; a further leap meanwhile begins it anew.
        for leap in [years, none] {
            for _ in 0..1440 {
                assert_eq!(tick(leap), -years);
            }
        }
        assert_eq!(tick(none), none);
        // It may be slewed.
        let slewed = chrono::TimeDelta::minutes(50);
        assert_eq!([tick(slewed), tick(slewed * 2)], [slewed, slewed * 2]);
    }

    #[test]
    fn state_that_has_expired_goes_with_old_runs_however_much_there_is() {
        let store = clockbox_store::MemoryStore::new();
        let job = clockbox_core::model::JobRecord {
            job: Arc::new(clockbox_core::model::Job {
                id: JobId::new("often").unwrap(),
                plugin: PluginName::new("hello").unwrap(),
                pool: PoolName::default_pool(),
                trigger: clockbox_core::trigger::Trigger::new(
                    clockbox_core::trigger::TriggerSpec::interval("1h"),
                    chrono_tz::UTC,
                )
                .unwrap(),
                args: "null".into(),
                policy: Default::default(),
                source: clockbox_core::model::Source::Manifest,
            }),
            declared: None,
            next_fire: None,
            last_fire: None,
            last_success: None,
            paused: None,
        };
        let entry = |n: u32| {
            let expires_at = Some(start() + chrono::TimeDelta::seconds(if n == 0 { 3600 } else { 60 }));
            (n.to_string(), Some(StateEntry { value: (*b"1").into(), expires_at }))
        };
        let put = (0..=2 * AT_ONCE + 1).map(entry).collect();
        let changes = StateChanges { put, limit: u64::MAX, ..StateChanges::default() };
        let write = Write::State { job: job.job.id.clone(), changes: Box::new(changes), at: start() };
        let stored = || store.state(&job.job.id, start()).unwrap().0.len();
        assert_eq!(store.commit(&[Write::PutJob(Box::new(job.clone())), write]).unwrap(), [Ok(()), Ok(())]);
        let (alive, stopped) = mpsc::channel();
        let minute = chrono::TimeDelta::minutes(1);
        prune(&store, start(), History::default(), &stopped);
        assert_eq!(stored(), 2 * AT_ONCE as usize + 2);
        prune(&store, start() + minute, History::default(), &stopped);
        assert_eq!(stored(), 1);
        drop(alive);
    }

    #[test]
    fn pruning_ends_when_it_is_told_to() {
        let store = clockbox_store::MemoryStore::new();
        let (mut last, mut writes) = (None, Vec::new());
        for n in 0..2 * i64::from(AT_ONCE) {
            let at = start() + chrono::TimeDelta::seconds(n);
            let run = RunId::next(last, at);
            last = Some(run);
            writes.extend(ended(run, "often", at));
        }
        store.commit(&writes).unwrap();
        let (alive, stopped) = mpsc::channel();
        drop(alive);
        let history = History { keep_per_job: 1, ..History::default() };
        prune(&store, start(), history, &stopped);
        assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), AT_ONCE as usize);
    }
}
