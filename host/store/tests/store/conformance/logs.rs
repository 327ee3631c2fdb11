use clockbox_core::model::{LogLevel, LogLine, LogStream, Refusal, RunId};
use clockbox_store::JobStore;

use super::over_every_store;
use crate::support::{at, commit, commit_one, fire, line, log, run_id, waiting};

over_every_store! {
    lines_keep_their_order_over_several_appends,
    logs_are_apart_by_attempt,
    a_line_is_read_as_it_was_appended,
    logs_of_a_run_that_is_not_on_record_are_refused,
    appending_nothing_is_no_error,
    huge_lines_are_kept_whole,
}

fn messages(store: &dyn JobStore, id: RunId, attempt: Option<u32>) -> Vec<(u32, String)> {
    store.logs(id, attempt).unwrap().into_iter().map(|(attempt, line)| (attempt, line.message)).collect()
}

fn lines_keep_their_order_over_several_appends(store: &dyn JobStore) {
    commit(store, &[fire(&waiting(1, "report", at("10:00:00")))]);
    let mut expected = Vec::new();
    for part in 0..20 {
        let lines: Vec<LogLine> = (0..part % 4).map(|n| line(&format!("{part}.{n}"))).collect();
        expected.extend(lines.iter().map(|line| (1, line.message.clone())));
        commit(store, &[log(1, 1, &lines)]);
    }
    assert_eq!(messages(store, run_id(1), None), expected);
}

fn logs_are_apart_by_attempt(store: &dyn JobStore) {
    commit(
        store,
        &[fire(&waiting(1, "report", at("10:00:00"))), fire(&waiting(2, "report", at("11:00:00")))],
    );
    commit(store, &[log(1, 2, &[line("second")]), log(2, 1, &[line("other")]), log(1, 1, &[line("first")])]);
    commit(store, &[log(1, 2, &[line("more")])]);
    let pairs = |list: &[(u32, &str)]| -> Vec<(u32, String)> {
        list.iter().map(|(attempt, text)| (*attempt, (*text).to_owned())).collect()
    };
    assert_eq!(messages(store, run_id(1), None), pairs(&[(1, "first"), (2, "second"), (2, "more")]));
    assert_eq!(messages(store, run_id(1), Some(2)), pairs(&[(2, "second"), (2, "more")]));
    assert_eq!(messages(store, run_id(1), Some(3)), []);
    assert_eq!(messages(store, run_id(3), None), []);
}

fn a_line_is_read_as_it_was_appended(store: &dyn JobStore) {
    let lines = [
        LogLine {
            at: at("12:00:00.123456"),
            stream: LogStream::Log,
            level: LogLevel::Error,
            message: "cannot send".to_owned(),
            fields: vec![("to".to_owned(), "ops".to_owned()), ("to".to_owned(), String::new())],
        },
        LogLine { stream: LogStream::Host, level: LogLevel::Trace, ..line("") },
        LogLine { stream: LogStream::Stderr, level: LogLevel::Warn, ..line("  \t ") },
    ];
    commit(store, &[fire(&waiting(1, "report", at("10:00:00"))), log(1, 1, &lines)]);
    assert_eq!(store.logs(run_id(1), Some(1)).unwrap(), lines.map(|line| (1, line)));
}

fn logs_of_a_run_that_is_not_on_record_are_refused(store: &dyn JobStore) {
    assert_eq!(commit_one(store, log(1, 1, &[line("lost")])), Err(Refusal::NoSuchRun));
    assert_eq!(commit_one(store, log(1, 1, &[])), Err(Refusal::NoSuchRun));
    // The rest of the batch stands.
    let answers = store
        .commit(&[
            log(1, 1, &[line("lost")]),
            fire(&waiting(1, "report", at("10:00:00"))),
            log(1, 1, &[line("kept")]),
        ])
        .unwrap();
    assert_eq!(answers, [Err(Refusal::NoSuchRun), Ok(()), Ok(())]);
    assert_eq!(messages(store, run_id(1), None), [(1, "kept".to_owned())]);
}

fn appending_nothing_is_no_error(store: &dyn JobStore) {
    commit(store, &[fire(&waiting(1, "report", at("10:00:00"))), log(1, 1, &[])]);
    assert_eq!(store.logs(run_id(1), None).unwrap(), []);
}

fn huge_lines_are_kept_whole(store: &dyn JobStore) {
    let lines = [line(&"x".repeat(5 << 20)), line(&"\u{1F552}".repeat(100_000)), line("end")];
    commit(store, &[fire(&waiting(1, "report", at("10:00:00"))), log(1, 1, &lines)]);
    assert_eq!(store.logs(run_id(1), None).unwrap(), lines.map(|line| (1, line)));
}
