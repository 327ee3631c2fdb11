use clockbox_core::model::{LogLevel, LogLine, LogStream, Refusal, RunId};
use clockbox_store::{JobStore, LogPart, LogPlace};

use super::over_every_store;
use crate::support::{at, commit, commit_one, fire, line, log, run_id, waiting};

over_every_store! {
    lines_keep_their_order_over_several_appends,
    logs_are_apart_by_attempt,
    a_line_is_read_as_it_was_appended,
    logs_of_a_run_that_is_not_on_record_are_refused,
    appending_nothing_is_no_error,
    huge_lines_are_kept_whole,
    a_log_that_grows_is_read_on_from_where_it_was_read_to,
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

fn a_log_that_grows_is_read_on_from_where_it_was_read_to(store: &dyn JobStore) {
    let mut place = LogPlace::default();
    let read = |place: &mut LogPlace, attempt| -> Vec<(u32, String)> {
        let LogPart { lines, end } = store.logs_behind(run_id(1), attempt, *place).unwrap();
        *place = end;
        lines.into_iter().map(|(attempt, line)| (attempt, line.message)).collect()
    };
    let said = |attempt: u32, text: &str| (attempt, text.to_owned());
    assert_eq!(read(&mut place, None), [], "there is no such run yet");
    commit(
        store,
        &[fire(&waiting(1, "report", at("10:00:00"))), fire(&waiting(2, "report", at("11:00:00")))],
    );
    assert_eq!(read(&mut place, None), [], "it has said nothing");
    commit(store, &[log(1, 1, &[line("a"), line("b")]), log(2, 1, &[line("another run")])]);
    assert_eq!(read(&mut place, None), [said(1, "a"), said(1, "b")]);
    assert_eq!(read(&mut place, None), []);
    commit(store, &[log(1, 1, &[line("c")]), log(1, 1, &[line("d")])]);
    commit(store, &[log(1, 2, &[line("e")])]);
    let before = place;
    assert_eq!(read(&mut place, None), [said(1, "c"), said(1, "d"), said(2, "e")]);
    assert!(place > before);
    assert_eq!(read(&mut place, None), []);
    // Of one attempt alone.
    let mut place = before;
    assert_eq!(read(&mut place, Some(2)), [said(2, "e")]);
    commit(store, &[log(1, 2, &[line("f")])]);
    assert_eq!(read(&mut place, Some(2)), [said(2, "f")]);
    let mut place = before;
    assert_eq!(read(&mut place, Some(1)), [said(1, "c"), said(1, "d")]);
}
