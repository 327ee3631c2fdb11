use std::{fs, path::Path};

use clockbox_core::model::{Outcome, Pause};
use clockbox_store::{Access, JobStore, RunFilter, StoreError};
use rusqlite::Connection;

use super::{host, place, refusal};
use crate::support::{
    as_host, at, commit, finished, fire, job, line, log, missed, put, run_id, second, update, waiting,
};

#[test]
fn everything_is_there_after_reopening() {
    let (_folder, path) = place();
    let mut record = job("report");
    record.paused = Some(Box::new(Pause { at: at("11:30:00"), by: None, note: Some("holidays".to_owned()) }));
    let run = waiting(1, "report", at("10:00:00"));
    let under_way = waiting(2, "report", at("11:00:00"));
    let store = host(&path);
    commit(&store, &[put(&record), fire(&run), log(1, 1, &[line("one"), line("two")]), fire(&under_way)]);
    commit(&store, &[update(&finished(&run, Outcome::Succeeded))]);
    let before = (store.jobs().unwrap(), store.runs(&RunFilter::default()).unwrap());
    drop(store);

    let store = host(&path);
    assert_eq!((store.jobs().unwrap(), store.runs(&RunFilter::default()).unwrap()), before);
    assert_eq!(store.logs(run_id(1), None).unwrap().len(), 2);
    let snapshot = store.load().unwrap();
    assert_eq!((snapshot.unfinished, snapshot.last_run), (vec![under_way], Some(run_id(2))));
    assert_eq!(snapshot.jobs[0].last_success, Some(at("10:00:00")));
    // Parts of a log that are appended now come after those of before.
    commit(&store, &[log(1, 1, &[line("three")])]);
    let lines: Vec<_> =
        store.logs(run_id(1), None).unwrap().into_iter().map(|(_, line)| line.message).collect();
    assert_eq!(lines, ["one", "two", "three"]);
}

#[test]
fn the_highest_id_survives_pruning_and_reopening() {
    let (_folder, path) = place();
    let store = host(&path);
    commit(&store, &[fire(&missed(&waiting(7, "report", second(1))))]);
    assert_eq!(store.prune(second(2), 0, 10).unwrap(), 1);
    drop(store);
    assert_eq!(host(&path).load().unwrap().last_run, Some(run_id(7)));
}

#[test]
fn a_missing_folder_is_named() {
    let (folder, _) = place();
    let missing = folder.path().join("not/there");
    for access in [as_host(), Access::ReadOnly] {
        let message = refusal(&missing.join("clockbox.db"), access);
        assert_eq!(
            message,
            format!(
                "the folder {} does not exist: create it, or name another place for the store",
                missing.display()
            )
        );
    }
}

#[test]
fn a_folder_in_place_of_a_file_is_refused() {
    let (folder, _) = place();
    let message = refusal(folder.path(), as_host());
    assert!(message.contains("is a folder: name a file in it as the store, such as "), "{message}");
}

#[test]
fn a_path_below_a_file_is_refused() {
    let (folder, _) = place();
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    let message = refusal(&file.join("clockbox.db"), as_host());
    assert!(message.starts_with(&format!("cannot reach {}", file.display())), "{message}");
    assert!(message.ends_with("name another place for the store"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    // Nobody can create a file there, root included.
    let message = refusal(Path::new("/proc/clockbox.db"), as_host());
    assert!(message.starts_with("cannot create /proc/clockbox.db.lock: "), "{message}");
    assert!(
        message.ends_with("let this user write in that folder, or name another place for the store"),
        "{message}"
    );
}

#[test]
fn what_is_not_a_database_is_refused_and_left_alone() {
    let (_folder, path) = place();
    let text = "A diary, certainly longer than the header of a database.\n".repeat(100);
    fs::write(&path, &text).unwrap();
    for access in [as_host(), Access::ReadOnly] {
        let message = refusal(&path, access);
        assert!(
            message.contains(
                "clockbox.db is not a SQLite database, or it is cut short or destroyed at its beginning: move it away"
            ),
            "{message}"
        );
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let (_folder, path) = place();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE songs (title TEXT); PRAGMA user_version = 1;").unwrap();
    drop(other);
    let bytes = fs::read(&path).unwrap();
    for access in [as_host(), Access::ReadOnly] {
        let message = refusal(&path, access);
        assert!(message.contains("is a SQLite database of another program"), "{message}");
    }
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_database_of_a_newer_version_is_refused_naming_both() {
    let (_folder, path) = place();
    drop(host(&path));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for access in [as_host(), Access::ReadOnly] {
        let message = refusal(&path, access);
        assert!(
            message.contains("is of version 99, and this clockbox knows versions up to 5: "),
            "{message}"
        );
        assert!(message.ends_with("run that one, or name another file as the store"), "{message}");
    }
}

#[test]
fn an_older_version_is_brought_up_to_date_by_a_host_only() {
    let (_folder, path) = place();
    let old = Connection::open(&path).unwrap();
    old.pragma_update(None, "application_id", 0x636c_6b62).unwrap();
    drop(old);
    let message = refusal(&path, Access::ReadOnly);
    assert!(
        message.ends_with("is of the older version 0: start the host once to bring it up to date"),
        "{message}"
    );
    let store = host(&path);
    commit(&store, &[put(&job("report"))]);
}

/// A job as version 1 wrote it.
const JOB_1: &str = r#"{"id":"report","plugin":"hello","pool":"default","trigger":{"spec":{"interval":"1h"},"zone":"Asia/Shanghai"},"args":"null","policy":{"misfire_grace":"1h","coalesce":"latest","max_instances":1,"overlap":"skip","priority":0,"delivery":"at-most-once","retry":{"attempts":1,"backoff":{"secs":10,"nanos":0},"factor":2.0,"cap":{"secs":3600,"nanos":0}}},"source":"manifest"}"#;

#[test]
fn version_1_is_brought_up_to_date_with_all_that_is_in_it() {
    let (_folder, path) = place();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../../src/sqlite/schema_1.sql")).unwrap();
    old.execute_batch("PRAGMA application_id = 0x636c6b62; PRAGMA user_version = 1;").unwrap();
    let noon = at("12:00:00").timestamp_micros();
    old.execute("INSERT INTO jobs VALUES ('report', ?1, ?2, 'ada: holidays')", (JOB_1, noon)).unwrap();
    old.execute("INSERT INTO job_times VALUES ('report', ?1, NULL, NULL)", [noon]).unwrap();
    old.execute(
        "INSERT INTO runs (id, job, scheduled_at, recorded_at, plugin, pool, cause, state, attempt, coalesced)
         VALUES (7, 'report', ?1, ?1, 'hello', 'default', 'trigger', 'waiting', 0, 3)",
        [noon],
    )
    .unwrap();
    drop(old);

    let store = host(&path);
    let snapshot = store.load().unwrap();
    let record = &snapshot.jobs[0];
    assert_eq!(record.paused.as_ref().unwrap().note.as_deref(), Some("ada: holidays"));
    assert_eq!((record.next_fire, record.declared.is_none()), (Some(at("12:00:00")), true));
    assert_eq!(*record.job.policy, clockbox_core::model::Policy::default());
    assert_eq!((snapshot.unfinished[0].coalesced, snapshot.paused), (3, None));
    // What version 2 has more can be kept, and is there after reopening.
    let pause = Pause { at: at("13:00:00"), by: Some("ada".to_owned()), note: None };
    let changed = clockbox_core::model::JobRecord {
        declared: Some(std::sync::Arc::clone(&record.job)),
        paused: Some(Box::new(pause.clone())),
        ..job("report")
    };
    commit(&store, &[put(&changed), clockbox_core::model::Write::Pause(Some(pause.clone()))]);
    drop(store);
    let snapshot = host(&path).load().unwrap();
    assert_eq!((snapshot.jobs, snapshot.paused), (vec![changed], Some(pause)));
    let version: i64 =
        Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 5);
}

#[test]
fn an_empty_file_becomes_a_database() {
    let (_folder, path) = place();
    fs::write(&path, "").unwrap();
    commit(&host(&path), &[put(&job("report"))]);
    assert_eq!(host(&path).jobs().unwrap().len(), 1);
}

#[test]
fn a_truncated_database_is_refused_with_what_to_do() {
    let (_folder, path) = place();
    let store = host(&path);
    let fires: Vec<_> = (1..500).map(|n| fire(&waiting(i64::from(n), "report", second(n)))).collect();
    commit(&store, &fires);
    drop(store);
    let bytes = fs::read(&path).unwrap();
    for length in [100, 5000, bytes.len() / 2] {
        fs::write(&path, &bytes[..length]).unwrap();
        for access in [as_host(), Access::ReadOnly] {
            let message = refusal(&path, access);
            assert!(
                message.contains("cannot open ")
                    && message.contains("the file is damaged; `clockbox store check`"),
                "{message}"
            );
        }
    }
}

#[test]
fn a_damaged_page_is_told_when_it_is_read() {
    let (_folder, path) = place();
    let store = host(&path);
    let fires: Vec<_> = (1..500).map(|n| fire(&waiting(i64::from(n), "report", second(n)))).collect();
    commit(&store, &fires);
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    // The end of the file holds runs; its start, the schema.
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let store = host(&path);
    let Err(StoreError::Broken(message)) = store.runs(&RunFilter::default()) else { panic!("not told") };
    assert!(message.contains("cannot read ") && message.contains("the file is damaged"), "{message}");
    assert!(matches!(store.commit(&fires), Err(StoreError::Broken(_))));
}
