//! What a guest answers, and what becomes of it.

use std::time::Duration;

use wit_parser::Resolve;

use crate::support::{
    command, command_component, component, job, job_with, load, load_limited, run, sandbox, spec,
};
use clockbox_core::model::{Limits, Outcome, PluginSpec, RetryHint};
use clockbox_sandbox::PluginKind;

#[tokio::test]
async fn a_job_gets_its_args_and_its_output_comes_back() {
    let plugin = load(&job("(call $some (local.get $args) (local.get $len))"));
    assert_eq!(plugin.kind(), PluginKind::Job);
    let (report, _) = run(&plugin, r#"{"to":"grün"}"#).await;
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(report.output.as_deref(), Some(r#"{"to":"grün"}"#));
    assert!(report.peak_memory.unwrap() >= 2 * 65_536, "{report:?}");
}

#[tokio::test]
async fn a_job_may_succeed_without_an_output() {
    let (report, _) = run(&load(&job("(call $none)")), "null").await;
    assert_eq!((report.outcome, report.output, report.reason), (Outcome::Succeeded, None, None));
}

#[tokio::test]
async fn each_job_error_says_whether_to_try_again() {
    let cases = [
        (0, Outcome::Failed, RetryHint::Never),
        (1, Outcome::Failed, RetryHint::Policy),
        (2, Outcome::Failed, RetryHint::After(Duration::from_millis(1500))),
        (3, Outcome::Failed, RetryHint::Never),
        (4, Outcome::Cancelled, RetryHint::Never),
    ];
    for (case, outcome, retry) in cases {
        let (report, _) = run(&load(&job(&format!("(call $fail (i32.const {case}))"))), "null").await;
        assert_eq!((report.outcome, report.retry), (outcome, retry), "case {case}");
        assert_eq!(report.reason.as_deref(), Some("broken: it went wrong"));
    }
}

#[tokio::test]
async fn an_output_beyond_its_limit_is_a_failure_that_names_the_limit() {
    let bytes = job("(call $some (i32.const 1024) (i32.const 1025))");
    let limits = Limits { output: 1024, ..Limits::default() };
    let (report, _) = run(&load_limited(&bytes, limits.clone()), "null").await;
    assert_eq!((report.outcome, &report.output), (Outcome::Failed, &None));
    assert!(report.reason.unwrap().contains("limits.output"));
    let (report, _) = run(&load_limited(&bytes, Limits { output: 1025, ..limits }), "null").await;
    assert_eq!(report.outcome, Outcome::Succeeded);
}

#[tokio::test]
async fn a_job_sees_the_facts_of_its_run_and_its_config() {
    let bytes = job_with(
        r#"(data (i32.const 1024) "colour" "absent")"#,
        "(call $job_id (i32.const 256)) (call $add_line (i32.const 256))
         (call $run_id (i32.const 256)) (call $add_line (i32.const 256))
         (call $idempotency_key (i32.const 256)) (call $add_line (i32.const 256))
         (call $scheduled_at (i32.const 256)) (call $add_line (i32.const 256))
         (call $previous_success (i32.const 256))
         (call $add_byte (i32.add (i32.const 48) (i32.load8_u (i32.const 256))))
         (call $add_line (i32.const 260))
         (call $add_byte (i32.add (i32.const 48) (call $attempt)))
         (call $add_byte (i32.add (i32.const 48) (call $cause)))
         (call $add_byte (i32.add (i32.const 48) (call $is_cancelled)))
         (call $add_byte (i32.add (i32.const 48) (i64.eq (call $deadline_ms) (i64.const 60000))))
         (call $config (i32.const 1024) (i32.const 6) (i32.const 256))
         (call $add_byte (i32.add (i32.const 48) (i32.load8_u (i32.const 256))))
         (call $add_line (i32.const 260))
         (call $config (i32.const 1030) (i32.const 6) (i32.const 256))
         (call $add_byte (i32.add (i32.const 48) (i32.load8_u (i32.const 256))))
         (call $answer_text)",
    );
    let config = [("colour".to_owned(), "red".to_owned())].into();
    let plugin = sandbox().load(&bytes, &PluginSpec { config, ..spec("facts") }).unwrap();
    let (report, _) = run(&plugin, "null").await;
    let id = crate::support::request("null").run;
    assert_eq!(
        report.output.unwrap(),
        format!("nightly\n{id}\n{id}\n2030-01-01T12:00:00+00:00\n12030-01-01T11:00:00+00:00\n21011red\n0")
    );
}

#[tokio::test]
async fn a_trap_is_told_in_words_with_the_functions_that_led_to_it() {
    let cases = [
        ("(unreachable)", "gave up"),
        ("(drop (i32.load (i32.const -4)))", "out of bounds"),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "divided an integer by zero"),
        ("(drop (i32.trunc_f32_s (f32.const 1e30)))", "integer overflowed"),
        ("(call $innermost)", "stack overflowed"),
        ("(call_indirect (i32.const 0))", "null function pointer"),
        ("(call_indirect (i32.const 9))", "end of its table"),
        ("(call_indirect (i32.const 1))", "another type"),
    ];
    for (body, words) in cases {
        let items = format!("(table 2 funcref) (elem (i32.const 1) $add_byte) (func $innermost {body})");
        let (report, _) = run(&load(&job_with(&items, "(call $innermost) (call $none)")), "null").await;
        assert_eq!((report.outcome, report.retry), (Outcome::Trapped, RetryHint::Policy), "{body}");
        let reason = report.reason.unwrap();
        assert!(reason.contains(words), "{body}: {reason}");
        let backtrace = report.backtrace.unwrap();
        assert!(backtrace.starts_with("  0: "), "{backtrace}");
        assert!(backtrace.contains("innermost"), "{backtrace}");
        // Of a stack that overflowed only the innermost frames are shown.
        let whole = backtrace.lines().any(|line| line.ends_with(" run"));
        assert!(whole || backtrace.lines().count() >= 20, "{backtrace}");
    }
}

#[tokio::test]
async fn a_trap_quotes_what_the_guest_said_last_on_stderr() {
    let said = "thread 'main' panicked at src/main.rs:2:5:\\nboom\\nnote: run with `RUST_BACKTRACE=1` environment variable\\n";
    let text = command(
        &format!("(data (i32.const 1024) \"{said}\")"),
        "(call $say (i32.const 2) (i32.const 1024) (i32.const 96)) (unreachable)",
    );
    let (report, sink) = run(&load(text.as_bytes()), "null").await;
    assert_eq!(report.outcome, Outcome::Trapped);
    let reason = report.reason.unwrap();
    assert!(reason.ends_with("stderr: thread 'main' panicked at src/main.rs:2:5: | boom"), "{reason}");
    assert_eq!(sink.lines.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn the_exit_code_of_a_command_decides() {
    let said = r#"(data (i32.const 1024) "first\nlast words\n")"#;
    let body = "(call $say (i32.const 2) (i32.const 1024) (i32.const 17)) (call $exit (i32.const 3))";
    let module = load(command(said, body).as_bytes());
    assert_eq!(module.kind(), PluginKind::Module);
    let (report, _) = run(&module, "null").await;
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(report.reason.as_deref(), Some("exit code 3: last words"));

    let component = load(&command_component(said, body));
    assert_eq!(component.kind(), PluginKind::Command);
    let (report, _) = run(&component, "null").await;
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.reason.unwrap().contains("last words"));

    let (report, _) = run(&load(command("", "(call $exit (i32.const 255))").as_bytes()), "null").await;
    assert_eq!(report.reason.as_deref(), Some("exit code 255"));
    for body in ["", "(call $exit (i32.const 0))"] {
        let (report, _) = run(&load(command("", body).as_bytes()), "null").await;
        assert_eq!((report.outcome, report.reason), (Outcome::Succeeded, None));
    }
}

#[tokio::test]
async fn a_job_reads_its_config_through_wasi_too() {
    let mut resolve = Resolve::default();
    resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
    let wit = "package test:configured;
        world configured { import wasi:config/store@0.2.0-rc.1; export clockbox:job/runner@0.1.0; }
        package wasi:config@0.2.0-rc.1 {
            interface store {
                variant error { upstream(string), io(string) }
                get: func(key: string) -> result<option<string>, error>;
            }
        }";
    let package = resolve.push_str("configured.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("configured")).unwrap();
    // The option that `get` leaves at 260 is the answer as it stands, after an `ok`.
    let text = r#"(module
        (import "wasi:config/store@0.2.0-rc.1" "get" (func $get (param i32 i32 i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
        (func (export "clockbox:job/runner@0.1.0#run") (param i32 i32) (result i32)
          (call $get (i32.const 1024) (i32.const 6) (i32.const 256))
          (memory.copy (i32.const 8) (i32.const 260) (i32.const 12))
          (i32.const 0))
        (data (i32.const 1024) "colour"))"#;
    let config = [("colour".to_owned(), "red".to_owned())].into();
    let bytes = component(text, &resolve, world);
    let plugin = sandbox().load(&bytes, &PluginSpec { config, ..spec("configured") }).unwrap();
    assert_eq!(run(&plugin, "null").await.0.output.as_deref(), Some("red"));
    let bare = sandbox().load(&bytes, &spec("bare")).unwrap();
    assert_eq!(run(&bare, "null").await.0.output, None);
}
