use std::{fs, path::Path};

use clockbox_core::model::{Refusal, StateChanges, StateEntry, Write};
use clockbox_store::{Access, JobStore, RunFilter, SqliteStore, StoreError, edit};
use rusqlite::Connection;

use super::{beside, host, place};
use crate::support::{at, commit, entry, fire, job, job_id, put, second, state, waiting};

const URL: &str = "sqlite:clockbox.db";

/// Sets `k` of the job, if it has the expected value.
fn set(job: &str, expected: Option<&str>, value: &str) -> Write {
    let expected = expected.map(|text| text.as_bytes().into());
    let expected = [("k".to_owned(), expected)].into();
    state(job, StateChanges { put: [entry("k", value, None)].into(), expected, limit: 1000 })
}

fn value(store: &SqliteStore) -> Option<StateEntry> {
    store.state(&job_id("report"), at("12:00:00")).unwrap().0.remove("k")
}

#[track_caller]
fn refusal(folder: &Path) -> StoreError {
    edit(URL, folder, &set("report", None, "1")).unwrap_err()
}

#[test]
fn a_change_is_made_without_a_host_and_leaves_one_file() {
    let (folder, path) = place();
    commit(&host(&path), &[put(&job("report"))]);
    assert_eq!(edit(URL, folder.path(), &set("report", None, "1")), Ok(Ok(())));
    assert!(!beside(&path, "-wal").exists() && !beside(&path, "-shm").exists());
    assert_eq!(value(&host(&path)).unwrap().value[..], *b"1");
}

#[test]
fn changes_beside_a_busy_host_are_all_made_and_cost_it_nothing() {
    let (folder, path) = place();
    let store = host(&path);
    commit(&store, &[put(&job("report"))]);
    std::thread::scope(|scope| {
        let store = &store;
        scope.spawn(move || {
            for n in 1..=200 {
                commit(store, &[fire(&waiting(n, "report", second(u32::try_from(n).unwrap())))]);
            }
        });
        let mut before = None;
        for n in 1..=50 {
            let now = n.to_string();
            assert_eq!(edit(URL, folder.path(), &set("report", before.as_deref(), &now)), Ok(Ok(())));
            before = Some(now);
        }
    });
    assert_eq!(value(&store).unwrap().value[..], *b"50");
    assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 200);
}

#[test]
fn what_is_refused_changes_nothing() {
    let (folder, path) = place();
    let store = host(&path);
    commit(&store, &[put(&job("report")), set("report", None, "1")]);
    let edit = |write| edit(URL, folder.path(), &write).unwrap();
    assert_eq!(edit(set("nobody", None, "1")), Err(Refusal::NoSuchJob));
    assert_eq!(edit(set("report", Some("2"), "3")), Err(Refusal::StateConflict { key: "k".to_owned() }));
    let put = [entry("k", "longer", None), entry("another", "", None)].into();
    let full = state("report", StateChanges { put, limit: 80, ..StateChanges::default() });
    assert_eq!(edit(full), Err(Refusal::StateFull { size: 142, limit: 80 }));
    let state = store.state(&job_id("report"), at("12:00:00")).unwrap();
    assert_eq!(state.0.keys().collect::<Vec<_>>(), ["k"]);
    assert_eq!(state.0["k"].value[..], *b"1");
}

#[test]
fn what_cannot_be_changed_says_why_and_is_left_as_it_is() {
    let (folder, path) = place();
    let StoreError::Missing(message) = refusal(folder.path()) else { panic!("found") };
    assert!(message.contains("has the host run yet?"), "{message}");
    assert!(!path.exists(), "asking makes no database");
    fs::write(&path, "").unwrap();
    assert!(matches!(refusal(folder.path()), StoreError::Missing(_)));
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    fs::remove_file(&path).unwrap();

    drop(host(&path));
    let version = |version: i64| {
        Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
        refusal(folder.path()).to_string()
    };
    let message = version(2);
    assert!(message.contains("is of the older version 2: start the host once"), "{message}");
    let message = version(99);
    assert!(message.contains("is of version 99"), "{message}");
    let read: i64 =
        Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(read, 99);

    fs::write(&path, "no database").unwrap();
    let message = refusal(folder.path()).to_string();
    assert!(message.contains("is not a SQLite database"), "{message}");
    let memory = edit("memory:", folder.path(), &set("report", None, "1")).unwrap_err();
    assert!(memory.to_string().contains("ends with its host"), "{memory}");
}

#[test]
fn a_job_that_goes_takes_along_what_was_changed_by_hand() {
    let (folder, path) = place();
    commit(&host(&path), &[put(&job("report"))]);
    assert_eq!(edit(URL, folder.path(), &set("report", None, "1")), Ok(Ok(())));
    assert_eq!(edit(URL, folder.path(), &Write::RemoveJob(job_id("report"))), Ok(Ok(())));
    let rows: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM job_state", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0);
    assert!(SqliteStore::open(&path, Access::ReadOnly).unwrap().jobs().unwrap().is_empty());
}
