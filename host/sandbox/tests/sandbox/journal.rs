//! What a guest says, and what is kept of it.

use std::time::Duration;

use clockbox_core::model::{Limits, LogLevel, LogStream, Outcome};
use clockbox_sandbox::CancelToken;

use crate::support::{Memory, command, job, job_with, load, load_limited, noon, request, run};

/// A command that writes these bytes (escaped as in WebAssembly text) to standard output, `times` over.
fn prints(text: &str, size: usize, times: u32) -> Vec<u8> {
    let data = format!("(data (i32.const 1024) \"{text}\")");
    let body = format!(
        "(local $i i32)
         (loop
           (call $say (i32.const 1) (i32.const 1024) (i32.const {size}))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if 0 (i32.lt_u (local.get $i) (i32.const {times}))))"
    );
    command(&data, &body).into_bytes()
}

#[tokio::test]
async fn output_is_kept_line_by_line_with_the_sinks_time() {
    let (report, sink) = run(&load(&prints("one\\ntwo\\n\\nopen", 13, 1)), "null").await;
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(sink.texts(LogStream::Stdout), ["one", "two", "", "open"]);
    let lines = sink.lines.lock().unwrap();
    assert!(lines.iter().all(|line| line.at == noon() && line.level == LogLevel::Info));
}

#[tokio::test]
async fn a_line_may_come_in_pieces() {
    let (_, sink) = run(&load(&prints("ab", 2, 3)), "null").await;
    assert_eq!(sink.texts(LogStream::Stdout), ["ababab"]);
}

#[tokio::test]
async fn escapes_and_broken_utf_8_cannot_reach_the_terminal() {
    let (_, sink) = run(&load(&prints("\\1b[31mred\\1b[0m\\ff\\00\\n", 15, 1)), "null").await;
    assert_eq!(sink.texts(LogStream::Stdout), ["red\u{fffd}\u{fffd}"]);
}

#[tokio::test]
async fn a_flood_is_cut_at_the_limit_with_one_marker_and_does_no_harm() {
    let flood = prints("a line of some 30 characters.\\n", 30, 20_000);
    let limits = Limits { log: 4 << 10, ..Limits::default() };
    let (report, sink) = run(&load_limited(&flood, limits), "null").await;
    assert_eq!(report.outcome, Outcome::Succeeded);
    let kept: usize = sink.texts(LogStream::Stdout).iter().map(String::len).sum();
    assert!((1 << 10..=4 << 10).contains(&kept), "{kept}");
    let marker = sink.texts(LogStream::Host);
    assert_eq!(marker.len(), 1);
    assert!(marker[0].starts_with("log limit of 4.0 KiB reached; "), "{marker:?}");
    assert!(marker[0].contains("limits.log"));
    assert_eq!(sink.lines.lock().unwrap().last().unwrap().stream, LogStream::Host);
}

#[tokio::test]
async fn empty_lines_are_a_flood_too() {
    let limits = Limits { log: 1 << 10, ..Limits::default() };
    let (_, sink) = run(&load_limited(&prints("\\n\\n\\n\\n", 4, 10_000), limits), "null").await;
    assert!(sink.lines.lock().unwrap().len() <= 65);
    assert_eq!(sink.texts(LogStream::Host).len(), 1);
}

#[tokio::test]
async fn a_line_without_end_is_broken_up_and_not_held_in_memory() {
    let (_, sink) = run(&load(&prints("0123456789abcdef", 16, 3_000)), "null").await;
    let lines = sink.texts(LogStream::Stdout);
    assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [16_384, 16_384, 15_232]);
}

#[tokio::test]
async fn a_log_limit_of_nothing_keeps_nothing_but_the_marker() {
    let limits = Limits { log: 0, ..Limits::default() };
    let (_, sink) = run(&load_limited(&prints("hello\\n", 6, 1), limits), "null").await;
    assert_eq!(sink.lines.lock().unwrap().len(), 1);
    assert_eq!(sink.texts(LogStream::Host).len(), 1);
}

#[tokio::test]
async fn the_log_import_keeps_level_and_fields() {
    let bytes = job_with(
        r#"(data (i32.const 1024) "watch out\nsecond lineuserAnna")
           (data (i32.const 2048) "\15\04\00\00\04\00\00\00\19\04\00\00\04\00\00\00")"#,
        "(call $log (i32.const 3) (i32.const 1024) (i32.const 21) (i32.const 2048) (i32.const 1)) (call $none)",
    );
    let (_, sink) = run(&load(&bytes), "null").await;
    let lines = sink.lines.lock().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0].stream, lines[0].level), (LogStream::Log, LogLevel::Warn));
    assert_eq!(lines[0].message, "watch out");
    assert_eq!(lines[0].fields, [("user".to_owned(), "Anna".to_owned())]);
    assert_eq!((lines[1].message.as_str(), lines[1].fields.len()), ("second line", 0));
}

/// Reports 1 of 50 to 50 of 50.
fn progresses() -> Vec<u8> {
    job("(local $i i64)
         (loop
           (local.set $i (i64.add (local.get $i) (i64.const 1)))
           (call $progress (local.get $i) (i32.const 1) (i64.const 50) (i32.const 0) (i32.const 0) (i32.const 0))
           (br_if 0 (i64.lt_u (local.get $i) (i64.const 50))))
         (call $none)")
}

#[tokio::test]
async fn progress_that_comes_too_fast_is_merged_and_the_last_is_passed_on() {
    let (_, sink) = run(&load(&progresses()), "null").await;
    assert_eq!(*sink.progress.lock().unwrap(), [(1, Some(50), None), (50, Some(50), None)]);
}

#[tokio::test]
async fn progress_at_a_calm_pace_is_passed_on_whole() {
    let sink = Memory::stepping(Duration::from_millis(100));
    let report = load(&progresses()).run(request("null"), sink.clone(), CancelToken::new()).await;
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(sink.progress.lock().unwrap().len(), 50);
}
