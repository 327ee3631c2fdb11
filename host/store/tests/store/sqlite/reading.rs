use std::fs;

use clockbox_core::model::RunId;
use clockbox_store::{Access, JobStore, RunFilter, SqliteStore, StoreError};
use rusqlite::Connection;

use super::{beside, host, place, refusal};
use crate::support::{commit, fire, job, numbers, put, run_id, second, waiting};

fn reader(path: &std::path::Path) -> SqliteStore {
    SqliteStore::open(path, Access::ReadOnly).unwrap()
}

fn found(store: &SqliteStore) -> Vec<i64> {
    numbers(&store.runs(&RunFilter::default()).unwrap())
}

#[test]
fn a_reader_beside_a_host_sees_what_is_committed() {
    let (_folder, path) = place();
    let store = host(&path);
    let reader = reader(&path);
    for n in 1..4 {
        commit(&store, &[fire(&waiting(i64::from(n), "report", second(n)))]);
        assert_eq!(found(&reader).len(), usize::try_from(n).unwrap());
    }
    drop(store);
    assert_eq!(found(&reader), [3, 2, 1]);
}

#[test]
fn a_database_is_read_without_a_host_and_without_its_log() {
    let (_folder, path) = place();
    let store = host(&path);
    commit(&store, &[put(&job("report")), fire(&waiting(1, "report", second(1)))]);
    // With its readers in use, too, a host leaves one file behind when it ends in good order.
    assert_eq!(found(&store), [1]);
    drop(store);
    assert!(!beside(&path, "-wal").exists() && !beside(&path, "-shm").exists());
    assert_eq!(found(&reader(&path)), [1]);
    // And a host can follow.
    commit(&host(&path), &[fire(&waiting(2, "report", second(2)))]);
    assert_eq!(found(&reader(&path)), [2, 1]);
}

#[test]
fn what_a_crashed_host_left_in_the_log_is_read() {
    let (folder, path) = place();
    let store = host(&path);
    commit(&store, &[fire(&waiting(1, "report", second(1)))]);
    // What a crash leaves: the files as they are, without the shared memory of those who use them.
    let left = folder.path().join("left.db");
    fs::copy(&path, &left).unwrap();
    fs::copy(beside(&path, "-wal"), beside(&left, "-wal")).unwrap();
    assert_eq!(found(&reader(&left)), [1]);
    assert_eq!(found(&host(&left)), [1]);
}

/// Puts something in the way of the shared memory, as a folder is that cannot be written: SQLite follows no links there.
#[cfg(unix)]
fn block_shared_memory(path: &std::path::Path) {
    std::os::unix::fs::symlink("nowhere", beside(path, "-shm")).unwrap();
}

#[cfg(unix)]
#[test]
fn where_nothing_can_be_created_the_file_alone_is_read() {
    let (_folder, path) = place();
    let store = host(&path);
    commit(&store, &[fire(&waiting(1, "report", second(1)))]);
    drop(store);
    block_shared_memory(&path);
    let reader = reader(&path);
    assert_eq!(found(&reader), [1]);
    assert_eq!(reader.load().unwrap().last_run, Some(run_id(1)));
}

#[cfg(unix)]
#[test]
fn where_the_log_cannot_be_read_the_file_alone_is_not_mistaken_for_all() {
    let (folder, path) = place();
    let store = host(&path);
    commit(&store, &[fire(&waiting(1, "report", second(1)))]);
    let left = folder.path().join("left.db");
    fs::copy(&path, &left).unwrap();
    fs::copy(beside(&path, "-wal"), beside(&left, "-wal")).unwrap();
    block_shared_memory(&left);
    let message = refusal(&left, Access::ReadOnly);
    assert!(
        message.contains("cannot open ") && message.contains("may be read and written by this user"),
        "{message}"
    );
}

#[test]
fn a_missing_database_is_no_history_yet() {
    let (folder, path) = place();
    let expected = format!(
        "no database at {}: has the host run yet?",
        fs::canonicalize(folder.path()).unwrap().join("clockbox.db").display()
    );
    assert_eq!(refusal(&path, Access::ReadOnly), expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::write(&path, "").unwrap();
    assert_eq!(refusal(&path, Access::ReadOnly), expected);
}

#[test]
fn a_reader_cannot_write() {
    let (_folder, path) = place();
    drop(host(&path));
    let reader = reader(&path);
    let Err(StoreError::Broken(message)) = reader.commit(&[put(&job("report"))]) else { panic!("written") };
    assert!(message.contains("is open for reading only"), "{message}");
    assert_eq!(reader.jobs().unwrap(), []);
}

#[test]
fn readers_do_not_wait_for_a_writer_nor_see_half_of_its_work() {
    let (_folder, path) = place();
    let store = host(&path);
    commit(&store, &[fire(&waiting(1, "report", second(1)))]);
    let mut other = Connection::open(&path).unwrap();
    let transaction = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    transaction.execute("DELETE FROM runs", []).unwrap();
    assert_eq!(found(&store), [1]);
    assert_eq!(found(&reader(&path)), [1]);
    transaction.commit().unwrap();
    assert_eq!(found(&store).len(), 0);
}

#[test]
fn many_threads_read_at_once_while_one_writes() {
    let (_folder, path) = place();
    let store = host(&path);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let store = &store;
            scope.spawn(move || {
                let mut seen: Option<RunId> = None;
                while seen != Some(run_id(200)) {
                    let snapshot = store.load().unwrap();
                    assert!(snapshot.last_run >= seen, "history went back");
                    seen = snapshot.last_run;
                    // Each transaction leaves an even number.
                    assert_eq!(snapshot.unfinished.len() % 2, 0);
                }
            });
        }
        for n in (1..200).step_by(2) {
            let pair = [n, n + 1].map(|n| fire(&waiting(i64::from(n), "report", second(n))));
            commit(&store, &pair);
        }
    });
}

#[test]
fn what_is_not_understood_is_told_with_its_place() {
    let (_folder, path) = place();
    let store = host(&path);
    commit(&store, &[fire(&waiting(1, "report", second(1)))]);
    let other = Connection::open(&path).unwrap();
    let broken = |answer: Result<(), StoreError>, expected: &str| {
        let Err(StoreError::Broken(message)) = answer else { panic!("understood") };
        assert!(message.contains("clockbox.db: something in it is not understood: "), "{message}");
        assert!(message.contains(expected), "{message}");
    };
    other.execute("UPDATE runs SET state = 'paused'", []).unwrap();
    broken(store.run(run_id(1)).map(drop), "\"paused\" is not a state");
    other.execute("UPDATE runs SET state = 'waiting', scheduled_at = 9223372036854775807", []).unwrap();
    broken(store.runs(&RunFilter::default()).map(drop), "beyond the calendar");
}
