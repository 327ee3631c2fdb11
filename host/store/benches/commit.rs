//! What the store costs: rows a second through the [`Writer`] into a [`SqliteStore`], against the same rows in plain
//! rusqlite, batch for batch, in the same run. `cargo bench -p clockbox-store`.
//!
//! The floor inserts the same rows into the same tables with prepared statements and nothing else: it moves no job's
//! next fire or last success. Each line ends in the ratio of the two: 1.0 would mean that the store costs nothing.

use std::{
    path::Path,
    sync::{Arc, mpsc::channel},
    time::{Duration, Instant},
};

use clockbox_core::{
    model::{
        Attempt, Cause, Job, JobId, JobRecord, LogLevel, LogLine, LogStream, Outcome, PluginName, Policy,
        PoolName, Run, RunId, RunState, Source, Timestamp, Write,
    },
    trigger::{Trigger, TriggerSpec},
};
use clockbox_store::{Access, JobStore, SqliteStore, Writer, WriterOptions};
use rusqlite::{Connection, params};

const JOBS: usize = 1000;
const ROUNDS: usize = 5;

fn main() {
    println!("{:<44} {:>12} {:>12} {:>7}", "rows a second (median of 5)", "plain", "clockbox", "ratio");
    for (batch, rows) in [(1, 1000), (10, 5_000), (100, 20_000), (1000, 50_000)] {
        let (plain, ours) = medians(|| plain_fires(batch, rows), || fires(batch, rows));
        line(&format!("fires, batches of {batch}"), rows, plain, ours);
    }
    let rows = 30_000;
    let (plain, ours) = medians(|| plain_lives(1000, rows), || lives(1000, rows));
    line("whole runs (fire, log, end), batches of 1000", rows, plain, ours);
}

fn line(what: &str, rows: usize, plain: Duration, ours: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "a rate to print")]
    let rate = |time: Duration| rows as f64 / time.as_secs_f64();
    let ratio = plain.as_secs_f64() / ours.as_secs_f64();
    println!("{what:<44} {:>12.0} {:>12.0} {ratio:>7.2}", rate(plain), rate(ours));
}

/// The medians of both, taken in turns, so that whatever else the machine does weighs on both alike.
fn medians(plain: impl Fn() -> Duration, ours: impl Fn() -> Duration) -> (Duration, Duration) {
    let (mut plain, mut ours): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (plain(), ours())).unzip();
    plain.sort();
    ours.sort();
    (plain[ROUNDS / 2], ours[ROUNDS / 2])
}

#[expect(clippy::disallowed_methods, reason = "a bench asks the time")]
fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn start() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().expect("a valid time")
}

/// The runs of as many jobs, one fire each a second.
fn runs(rows: usize) -> Vec<Run> {
    let jobs: Vec<JobId> =
        (0..JOBS).map(|n| JobId::new(format!("job-{n:04}")).expect("a valid name")).collect();
    let plugin = PluginName::new("http-check").expect("a valid name");
    let mut last = None;
    (0..rows)
        .map(|n| {
            let scheduled_at = start() + Duration::from_secs((n / JOBS) as u64);
            let id = RunId::next(last, scheduled_at);
            last = Some(id);
            Run {
                id,
                job: jobs[n % JOBS].clone(),
                plugin: plugin.clone(),
                pool: PoolName::default_pool(),
                cause: Cause::Trigger,
                scheduled_at,
                recorded_at: scheduled_at,
                state: RunState::Running,
                attempt: 1,
                started_at: Some(scheduled_at),
                finished_at: None,
                retry_at: None,
                outcome: None,
                reason: None,
                output: None,
                coalesced: 0,
                args: None,
            }
        })
        .collect()
}

fn fire(run: Run) -> Write {
    let next_fire = Some(Some(run.scheduled_at + Duration::from_secs(1)));
    Write::Fire { run: Arc::new(run), next_fire }
}

/// What is written of a run from its fire to its end.
fn life(run: Run) -> Vec<Write> {
    let ended = Run {
        state: RunState::Finished,
        finished_at: run.started_at,
        outcome: Some(Outcome::Succeeded),
        output: Some(OUTPUT.to_owned()),
        ..run.clone()
    };
    let attempt = Attempt {
        number: 1,
        started_at: run.scheduled_at,
        finished_at: run.started_at,
        outcome: Some(Outcome::Succeeded),
        reason: None,
        backtrace: None,
        peak_memory: Some(1 << 20),
    };
    let said = LogLine {
        at: run.scheduled_at,
        stream: LogStream::Stdout,
        level: LogLevel::Info,
        message: MESSAGE.to_owned(),
        fields: Vec::new(),
    };
    let log = Write::Log { run: run.id, attempt: 1, lines: vec![said.clone(), said] };
    vec![fire(run), log, Write::Update { run: Arc::new(ended), attempt: Some(Box::new(attempt)) }]
}

const OUTPUT: &str = r#"{"status":200,"latency_ms":12}"#;
const MESSAGE: &str = "GET https://api.example.com/health: 200 in 12 ms";

fn prepared(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(path, Access::ReadWrite { opened_at: start() }).expect("a new store");
    let spec = TriggerSpec::interval("1s");
    let trigger = Trigger::new(spec, chrono_tz::UTC).expect("a valid trigger");
    let puts: Vec<Write> = (0..JOBS)
        .map(|n| JobRecord {
            job: Arc::new(Job {
                id: JobId::new(format!("job-{n:04}")).expect("a valid name"),
                plugin: PluginName::new("http-check").expect("a valid name"),
                pool: PoolName::default_pool(),
                trigger: trigger.clone(),
                args: r#"{"url":"https://api.example.com/health"}"#.into(),
                policy: Policy::default().into(),
                source: Source::Manifest,
            }),
            declared: None,
            next_fire: Some(start()),
            last_fire: None,
            last_success: None,
            paused: None,
        })
        .map(|record| Write::PutJob(Box::new(record)))
        .collect();
    store.commit(&puts).expect("a commit");
    store
}

/// Submits each of `submissions` on its own, `batch` of them between two waits, so that both sides commit as often.
fn through_writer(submissions: Vec<Vec<Write>>, batch: usize) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(prepared(&folder.path().join("clockbox.db")));
    let options = WriterOptions { batch: usize::MAX, ..WriterOptions::default() };
    let writer = Writer::spawn(store, options).expect("a thread");
    let (tell, told) = channel();
    let mut submissions = submissions.into_iter();
    time(|| {
        while submissions.len() > 0 {
            // One submission, as the scheduler hands over what was due at once.
            let writes: Vec<Write> = submissions.by_ref().take(batch).flatten().collect();
            let tell = tell.clone();
            writer.submit(writes, move |answers| tell.send(answers.is_ok()).unwrap_or_default());
            assert_eq!(told.recv(), Ok(true));
        }
    })
}

fn fires(batch: usize, rows: usize) -> Duration {
    through_writer(runs(rows).into_iter().map(|run| vec![fire(run)]).collect(), batch)
}

fn lives(batch: usize, rows: usize) -> Duration {
    through_writer(runs(rows).into_iter().map(life).collect(), batch)
}

/// A plain connection to a database with the store's tables and settings.
fn plain(path: &Path) -> Connection {
    drop(prepared(path));
    let connection = Connection::open(path).expect("a database");
    for (pragma, value) in [("synchronous", 2), ("wal_autocheckpoint", 2048), ("cache_size", -8192)] {
        connection.pragma_update_and_check(None, pragma, value, |_| Ok(())).unwrap_or_default();
    }
    connection
}

const INSERT: &str = "INSERT INTO runs (id, job, plugin, pool, cause, scheduled_at, recorded_at, state, attempt, \
                      started_at, coalesced) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

fn insert(statement: &mut rusqlite::Statement<'_>, run: &Run) {
    let micros = run.scheduled_at.timestamp_micros();
    statement
        .execute(params![
            run.id.as_i64(),
            run.job.as_str(),
            run.plugin.as_str(),
            run.pool.as_str(),
            run.cause.as_str(),
            micros,
            micros,
            run.state.as_str(),
            run.attempt,
            micros,
            run.coalesced
        ])
        .expect("an insert");
}

fn plain_fires(batch: usize, rows: usize) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let mut connection = plain(&folder.path().join("clockbox.db"));
    let runs = runs(rows);
    time(|| {
        for batch in runs.chunks(batch) {
            let transaction = connection.transaction().expect("a transaction");
            let mut statement = transaction.prepare_cached(INSERT).expect("a statement");
            for run in batch {
                insert(&mut statement, run);
            }
            drop(statement);
            transaction.commit().expect("a commit");
        }
    })
}

fn plain_lives(batch: usize, rows: usize) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let mut connection = plain(&folder.path().join("clockbox.db"));
    let runs = runs(rows);
    let lines = format!(
        r#"[{{"at":0,"stream":"stdout","level":"info","message":"{MESSAGE}"}},{{"at":0,"stream":"stdout","level":"info","message":"{MESSAGE}"}}]"#
    );
    time(|| {
        for batch in runs.chunks(batch) {
            let transaction = connection.transaction().expect("a transaction");
            let prepare = |sql| transaction.prepare_cached(sql).expect("a statement");
            let mut fire = prepare(INSERT);
            let mut log = prepare("INSERT INTO logs (run, attempt, part, lines) VALUES (?1, 1, 1, ?2)");
            let mut end = prepare(
                "UPDATE runs SET state = 'finished', finished_at = ?2, outcome = 'succeeded', output = ?3 WHERE id = ?1",
            );
            let mut attempt = prepare(
                "INSERT INTO attempts (run, number, started_at, finished_at, outcome, peak_memory)
                 VALUES (?1, 1, ?2, ?2, 'succeeded', 1048576)",
            );
            for run in batch {
                let (id, micros) = (run.id.as_i64(), run.scheduled_at.timestamp_micros());
                insert(&mut fire, run);
                log.execute(params![id, lines]).expect("an insert");
                end.execute(params![id, micros, OUTPUT]).expect("an update");
                attempt.execute(params![id, micros]).expect("an insert");
            }
            drop((fire, log, end, attempt));
            transaction.commit().expect("a commit");
        }
    })
}
