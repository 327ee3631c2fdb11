//! The floor of a durable run: the rows of its life, written by rusqlite alone in batches.

use std::{path::Path, time::Duration};

use clockbox::{Timestamp, store::JobStore};
use clockbox_core::model::Write;
use rusqlite::{Connection, params};

use crate::support::{self, timed};

/// Runs of one transaction, as many as one of the writer's holds writes.
const BATCH: usize = 1_000;

/// Writes what so many runs leave in a store: the fire with the job's next time, then the end with its attempt and the
/// job's last success. Answers how long that took.
pub(crate) fn write(folder: &Path, runs: usize) -> Duration {
    write_beside(folder, runs, || {})
}

/// The same while something else goes on, until both are done.
pub(crate) fn write_beside(folder: &Path, runs: usize, other: impl FnOnce()) -> Duration {
    let path = folder.join("raw.db");
    let mut connection = prepared(&path, runs);
    let base = 1_900_000_000_000_000_i64;
    let rows = |connection: &mut Connection| {
        for batch in (0..runs).collect::<Vec<_>>().chunks(BATCH) {
            // Fires are committed before their runs, so each life is two transactions.
            let transaction = connection.transaction().expect("a transaction");
            {
                let prepare = |sql| transaction.prepare_cached(sql).expect("a statement");
                let mut fire = prepare(
                    "INSERT INTO runs (id, job, plugin, pool, cause, scheduled_at, recorded_at, state, attempt,
                                       started_at, coalesced)
                     VALUES (?1, ?2, 'noop', 'default', 'trigger', ?3, ?3, 'running', 1, ?3, 0)",
                );
                let mut times = prepare("UPDATE job_times SET next_fire = ?2, last_fire = ?3 WHERE job = ?1");
                for n in batch {
                    let (id, name, at) = (*n as i64 + 1, name(*n), base + *n as i64);
                    times.execute(params![name, at + 86_400_000_000_i64, at]).expect("an update");
                    fire.execute(params![id, name, at]).expect("an insert");
                }
            }
            transaction.commit().expect("a commit");
            let transaction = connection.transaction().expect("a transaction");
            {
                let prepare = |sql| transaction.prepare_cached(sql).expect("a statement");
                let mut end = prepare(
                    "UPDATE runs SET state = 'finished', finished_at = ?2, outcome = 'succeeded' WHERE id = ?1",
                );
                let mut attempt = prepare(
                    "INSERT INTO attempts (run, number, started_at, finished_at, outcome, peak_memory)
                     VALUES (?1, 1, ?2, ?2, 'succeeded', 131072)",
                );
                let mut success = prepare("UPDATE job_times SET last_success = ?2 WHERE job = ?1");
                for n in batch {
                    let (id, at) = (*n as i64 + 1, base + *n as i64);
                    end.execute(params![id, at]).expect("an update");
                    attempt.execute(params![id, at]).expect("an insert");
                    success.execute(params![name(*n), at]).expect("an update");
                }
            }
            transaction.commit().expect("a commit");
        }
    };
    let ((), took) = timed(|| {
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| rows(&mut connection));
            other();
            writing.join().expect("rows");
        });
    });
    drop(connection);
    for ending in ["db", "db-wal", "db-shm"] {
        // A file that is not there need not go.
        drop(std::fs::remove_file(path.with_extension(ending)));
    }
    took
}

fn name(n: usize) -> String {
    format!("job-0-{n:05}")
}

/// A connection to a database with the tables, jobs and settings of a store.
fn prepared(path: &Path, jobs: usize) -> Connection {
    let store = support::sqlite(path);
    let start: Timestamp = "2030-01-01T00:00:00Z".parse().expect("a time");
    let records: Vec<_> = (0..jobs)
        .map(|n| clockbox::JobRecord {
            job: std::sync::Arc::new(support::job(&name(n), "noop", support::never())),
            declared: None,
            next_fire: Some(start),
            last_fire: None,
            last_success: None,
            paused: None,
        })
        .map(|record| Write::PutJob(Box::new(record)))
        .collect();
    store.commit(&records).expect("a commit");
    drop::<std::sync::Arc<dyn JobStore>>(store);
    let connection = Connection::open(path).expect("a database");
    for (pragma, value) in [("synchronous", 2), ("wal_autocheckpoint", 2048), ("cache_size", -8192)] {
        connection.pragma_update_and_check(None, pragma, value, |_| Ok(())).unwrap_or_default();
    }
    connection
}
