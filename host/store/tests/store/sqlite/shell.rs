//! What an operator finds with the sqlite3 shell.

use clockbox_core::model::{LogLine, Outcome, Pause};
use clockbox_store::JobStore;
use rusqlite::Connection;

use super::{host, place};
use crate::support::{at, commit, finished, fire, job, line, log, missed, put, run_id, second, waiting};

#[test]
fn the_views_read_like_the_command_line() {
    let (_folder, path) = place();
    let store = host(&path);
    let mut record = job("report");
    record.next_fire = Some(at("12:00:00.25"));
    record.paused = Some(Box::new(Pause { at: at("11:30:00"), by: None, note: Some("holidays".to_owned()) }));
    let id = run_id(0x0123_4567_89ab_cdef);
    let run = finished(&waiting(id.as_i64(), "report", at("10:00:00")), Outcome::TimedOut);
    let lines =
        [line("first"), LogLine { fields: vec![("to".into(), "ops".into())], ..line("second\0half") }];
    commit(
        &store,
        &[put(&record), fire(&run), log(id.as_i64(), 1, &lines), log(id.as_i64(), 1, &[line("third")])],
    );

    let put = [crate::support::entry("cursor", "42", Some(at("13:00:00")))].into();
    let changes = clockbox_core::model::StateChanges { put, limit: 1000, ..Default::default() };
    commit(&store, &[crate::support::state("report", changes)]);

    let shell = Connection::open(&path).unwrap();
    let text = |sql: &str| -> Vec<String> {
        let mut statement = shell.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(
        text("SELECT concat_ws(' ', name, plugin, pool, next_fire, paused_at, pause_note) FROM job_list"),
        ["report hello default 2030-01-01T12:00:00.250Z 2030-01-01T11:30:00.000Z holidays"]
    );
    assert_eq!(
        text("SELECT concat_ws(' ', id, job, scheduled_at, state, outcome, attempt, cause) FROM run_list"),
        [format!("{id} report 2030-01-01T10:00:00.000Z finished timed-out 1 trigger")]
    );
    assert_eq!(
        text("SELECT concat_ws(' ', job, key, bytes, expires_at) FROM state_list"),
        ["report cursor 2 2030-01-01T13:00:00.000Z"]
    );
    assert_eq!(
        text("SELECT concat_ws(' ', attempt, at, stream, level, message) FROM log_lines"),
        [
            "1 2030-01-01T12:00:00.000Z stdout info first",
            "1 2030-01-01T12:00:00.000Z stdout info second\0half",
            "1 2030-01-01T12:00:00.000Z stdout info third"
        ]
    );
}

#[test]
fn the_file_does_not_grow_while_old_runs_make_room() {
    let (_folder, path) = place();
    let store = host(&path);
    let shell = Connection::open(&path).unwrap();
    let mut pages = Vec::new();
    for round in 0..6 {
        let batch: Vec<_> = (1..=1000)
            .flat_map(|n| {
                let n = round * 1000 + n;
                let run = missed(&waiting(i64::from(n), &format!("job-{}", n % 50), second(n)));
                [fire(&run), log(i64::from(n), 1, &[line("said something")])]
            })
            .collect();
        commit(&store, &batch);
        assert_eq!(
            store.prune(second((round + 1) * 1000), 1000, u32::MAX).unwrap(),
            if round == 0 { 999 } else { 1000 }
        );
        pages.push(shell.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).unwrap());
    }
    assert!(pages[5] <= pages[1], "{pages:?}");
}

#[test]
fn the_database_is_durable_and_checks_out() {
    let (_folder, path) = place();
    let store = host(&path);
    commit(&store, &[put(&job("report")), fire(&waiting(1, "report", second(1)))]);
    let shell = Connection::open(&path).unwrap();
    let pragma =
        |name: &str| -> String { shell.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap() };
    assert_eq!(pragma("journal_mode"), "wal");
    assert_eq!(pragma("integrity_check"), "ok");
}
