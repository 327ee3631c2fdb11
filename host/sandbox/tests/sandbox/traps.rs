//! Each way to trap has words of its own: of instructions, of what is handed over, and of limits and rights.

use clockbox_core::model::{HttpGrant, Limits, LogStream, Outcome, PluginSpec, Report, Rights};

use crate::{
    http::web,
    support::{command, job, job_with, load_limited, run, sandbox, spec},
};

/// The words for a guest that traps, and its backtrace.
async fn trapped(bytes: &[u8], limits: Limits) -> (String, Option<String>) {
    let (report, _) = run(&load_limited(bytes, limits), "null").await;
    let Report { outcome, reason, backtrace, .. } = report;
    let reason = reason.unwrap_or_default();
    assert_eq!(outcome, Outcome::Trapped, "{reason}");
    (reason, backtrace)
}

#[tokio::test]
async fn what_an_instruction_did_is_told_and_in_which_function() {
    let items = "(type $point (struct (field i32)))
        (type $row (array (mut i8)))
        (type $f (func))
        (tag $oops)
        (table $t 2 funcref)
        (elem (table $t) (i32.const 1) func $takes)
        (func $takes (param i32))";
    for (body, words) in [
        ("(unreachable)", "the guest gave up"),
        ("(drop (i32.load (i32.const -4)))", "accessed memory out of bounds"),
        ("(memory.fill (i32.const 0) (i32.const 0) (i32.const -1))", "accessed memory out of bounds"),
        ("(drop (table.get $t (i32.const 2)))", "beyond the end of its table"),
        ("(call_indirect $t (i32.const 2))", "beyond the end of its table"),
        ("(call_indirect $t (i32.const 0))", "called a null function pointer"),
        ("(call_indirect $t (i32.const 1))", "as if it had another type"),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "an integer overflowed"),
        ("(drop (i64.trunc_f64_u (f64.const -1)))", "an integer overflowed"),
        ("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", "divided an integer by zero"),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", "converted NaN"),
        ("(call $innermost)", "call stack overflowed its limit of 512.0 KiB"),
        ("(drop (struct.get $point 0 (ref.null $point)))", "used a null reference"),
        ("(call_ref $f (ref.null $f))", "used a null reference"),
        ("(drop (ref.cast (ref $point) (ref.i31 (i32.const 1))))", "cast a reference"),
        (
            "(drop (array.get_u $row (array.new_default $row (i32.const 3)) (i32.const 3)))",
            "index beyond the end of an array",
        ),
        ("(drop (array.new_default $row (i32.const -1)))", "larger than any can be"),
        ("(throw $oops)", "threw an exception"),
    ] {
        let items = format!("{items} (func $innermost {body})");
        let text = command(&items, "(call $innermost)");
        let (reason, backtrace) = trapped(text.as_bytes(), Limits::default()).await;
        assert!(reason.contains(words), "{body}: {reason}");
        let backtrace = backtrace.unwrap_or_default();
        assert!(backtrace.contains("innermost"), "{body}: {backtrace}");
    }
}

#[tokio::test]
async fn a_guest_that_gives_up_without_a_word_is_told_where_one_would_be() {
    let (reason, _) = trapped(command("", "(unreachable)").as_bytes(), Limits::default()).await;
    assert!(reason.ends_with("it wrote nothing to stderr, where a panic leaves its message"), "{reason}");
}

#[tokio::test]
async fn limits_are_named_with_their_value_and_key() {
    let deep = command("(func $deep (call $deep))", "(call $deep)");
    let spin = command("", "(loop (br 0))");
    for (text, limits, words) in [
        (&deep, Limits { stack: Some(256 << 10), ..Limits::default() }, ["256.0 KiB", "raise limits.stack"]),
        (&spin, Limits { fuel: Some(5_000), ..Limits::default() }, ["fuel of 5000", "raise limits.fuel"]),
    ] {
        let (reason, _) = trapped(text.as_bytes(), limits).await;
        assert!(words.iter().all(|words| reason.contains(words)), "{reason}");
    }
}

#[tokio::test]
async fn a_guest_that_lived_with_a_refusal_of_memory_traps_for_its_own_reason() {
    let refused = "(drop (memory.grow (i32.const 60000)))";
    let limits = Limits { memory: 8 << 20, ..Limits::default() };
    let text = command("", &format!("{refused} (drop (i32.div_u (i32.const 1) (i32.const 0)))"));
    let (reason, _) = trapped(text.as_bytes(), limits.clone()).await;
    assert!(reason.starts_with("the guest divided an integer by zero; before that it needed"), "{reason}");
    assert!(reason.contains("8.0 MiB") && reason.contains("limits.memory"), "{reason}");
    let text = command("", &format!("{refused} (unreachable)"));
    let (report, _) = run(&load_limited(text.as_bytes(), limits), "null").await;
    assert_eq!(report.outcome, Outcome::OutOfMemory);
}

#[tokio::test]
async fn a_right_that_was_missing_is_named_by_the_trap_that_came_of_it() {
    // Gives up when it is refused.
    let refused = "(return (call $error (i32.load8_u (i32.const 280))))";
    let text = include_str!("guests/web.wat").replace(refused, "(unreachable)");
    let http = vec![HttpGrant::to("https://example.com".parse().unwrap())];
    let rights = Rights { http, ..Rights::default() };
    let plugin = sandbox().load(&web(&text), &PluginSpec { rights, ..spec("web") }).unwrap();
    let (report, sink) = run(&plugin, "\"example.org\"").await;
    let reason = report.reason.unwrap();
    assert_eq!(report.outcome, Outcome::Trapped, "{reason}");
    let remark = sink.texts(LogStream::Host).concat();
    assert!(remark.contains("allow.http") && reason.contains(&remark), "{reason}");
}

/// A component in which one component hands a value of this type to another: as the two core values that stand for it.
fn handing(kind: &str, first: &str, second: &str) -> String {
    let (params, values) = match kind {
        "char" => ("i32", first.to_owned()),
        _ => ("i32 i32", format!("{first} {second}")),
    };
    let options = r#"(memory (core memory $i "memory")) (realloc (core func $i "realloc"))"#;
    format!(
        r#"(component
          (component $taker
            (core module $m
              (memory (export "memory") 1)
              (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
              (func (export "take") (param {params})))
            (core instance $i (instantiate $m))
            (func (export "take") (param "it" {kind}) (canon lift (core func $i "take") {options})))
          (instance $taker (instantiate $taker))
          (component $giver
            (import "take" (func $take (param "it" {kind})))
            (core module $memory
              (memory (export "memory") 1)
              (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
            (core instance $i (instantiate $memory))
            (core func $lowered (canon lower (func $take) {options}))
            (core module $m
              (import "" "take" (func $take (param {params})))
              (func $give (call $take {values}))
              (func (export "run") (result i32) (call $give) (i32.const 0)))
            (core instance $giver (instantiate $m
              (with "" (instance (export "take" (func $lowered))))))
            (func (export "run") (result (result)) (canon lift (core func $giver "run"))))
          (instance $giver (instantiate $giver (with "take" (func $taker "take"))))
          (instance $command (export "run" (func $giver "run")))
          (export "wasi:cli/run@0.2.0" (instance $command)))"#
    )
}

#[tokio::test]
async fn what_one_component_hands_to_another_is_told() {
    let n = |n: i64| format!("(i32.const {n})");
    for (kind, first, second, words) in [
        ("char", 0x11_0000, 0, "a character that Unicode does not have"),
        ("(option u32)", 7, 0, "a case of a variant that does not exist"),
        ("string", 0x1_0000, 1, "a text that lies beyond the end of its memory"),
        ("(list u8)", 0, 0x1_0001, "a list that lies beyond the end of its memory"),
        ("(list u32)", 2, 1, "a pointer that is not aligned"),
    ] {
        let text = handing(kind, &n(first), &n(second));
        let (reason, backtrace) = trapped(text.as_bytes(), Limits::default()).await;
        assert!(
            reason.contains(&format!("a component of the guest handed over {words}")),
            "{kind}: {reason}"
        );
        assert!(backtrace.unwrap().contains("give"), "{kind}");
    }
}

#[tokio::test]
async fn what_a_guest_hands_to_the_host_is_told() {
    let log = |level: i32, at: i32, length: i32, fields: i32| {
        let [level, at, length, fields] = [level, at, length, fields].map(|n| format!("(i32.const {n})"));
        format!("(call $log {level} {at} {length} {fields} (i32.const 1)) (call $none)")
    };
    let bad_text = r#"(data (i32.const 1024) "\ff\ff")"#;
    let answer = |first: i32| format!("(i32.store8 (i32.const 0) (i32.const {first})) (i32.const 0)");
    for (items, body, words) in [
        ("", log(9, 512, 6, 0), "a case of a variant that does not exist"),
        ("", log(2, 0x2_0000, 1, 0), "a text that lies beyond the end of its memory"),
        ("", log(2, 512, 6, 0x2_0000), "a list that lies beyond the end of its memory"),
        ("", log(2, 512, 6, 1026), "a pointer that is not aligned"),
        (bad_text, log(2, 1024, 2, 0), "a text that is not UTF-8"),
        ("", answer(9), "a case of a variant that does not exist"),
        ("", "(i32.const 3)".to_owned(), "a pointer that is not aligned"),
        ("", "(i32.const 0x7ffffff0)".to_owned(), "a pointer beyond the end of its memory"),
        ("", "(call $some (i32.const 0x20000) (i32.const 1))".to_owned(), "a text that lies beyond the end"),
        (bad_text, "(call $some (i32.const 1024) (i32.const 2))".to_owned(), "a text that is not UTF-8"),
    ] {
        let (reason, _) = trapped(&job_with(items, &body), Limits::default()).await;
        assert!(reason.starts_with(&format!("the guest handed over {words}")), "{body}: {reason}");
    }
    let shrunk = job("(global.set $next (i32.const 0x20000)) (call $job_id (i32.const 256)) (call $none)");
    let (reason, _) = trapped(&shrunk, Limits::default()).await;
    assert!(reason.contains("memory for what it was to receive"), "{reason}");
}

/// A command that calls these functions of `wasi:io/poll` and the like, with handles of its own making.
fn handles(body: &str) -> String {
    format!(
        r#"(component
          (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
          (alias export $poll "pollable" (type $pollable))
          (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
            (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
          (core func $drop (canon resource.drop $pollable))
          (core func $subscribe (canon lower (func $clock "subscribe-duration")))
          (core module $m
            (import "" "drop" (func $drop (param i32)))
            (import "" "subscribe" (func $subscribe (param i64) (result i32)))
            (func (export "run") (result i32) {body} (i32.const 0)))
          (core instance $i (instantiate $m (with "" (instance
            (export "drop" (func $drop)) (export "subscribe" (func $subscribe))))))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (instance $command (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $command)))"#
    )
}

#[tokio::test]
async fn a_handle_that_the_guest_does_not_hold_is_told() {
    for body in [
        "(call $drop (i32.const 99))",
        "(call $drop (call $subscribe (i64.const 1))) (call $drop (i32.const 1))",
    ] {
        let (reason, _) = trapped(handles(body).as_bytes(), Limits::default()).await;
        assert!(reason.starts_with("the guest handed over a handle that it does not hold"), "{reason}");
    }
    let hoard = handles("(loop (drop (call $subscribe (i64.const 1))) (br 0))");
    let (reason, _) = trapped(hoard.as_bytes(), Limits { handles: 50, ..Limits::default() }).await;
    assert!(reason.contains("held 50") && reason.contains("raise limits.handles"), "{reason}");
    let (reason, _) = trapped(hoard.as_bytes(), Limits { handles: 100_000, ..Limits::default() }).await;
    assert!(reason.contains("held 100000") && reason.contains("raise limits.handles"), "{reason}");
}

#[tokio::test]
async fn a_call_of_a_component_by_the_one_that_it_is_part_of_is_told() {
    let text = r#"(component
        (component $part
          (core module $m (func (export "act")))
          (core instance $i (instantiate $m))
          (func (export "act") (canon lift (core func $i "act"))))
        (instance $part (instantiate $part))
        (core func $act (canon lower (func $part "act")))
        (core module $m
          (import "" "act" (func $act))
          (func (export "run") (result i32) (call $act) (i32.const 0)))
        (core instance $i (instantiate $m (with "" (instance (export "act" (func $act))))))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $command (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $command)))"#;
    let (reason, _) = trapped(text.as_bytes(), Limits::default()).await;
    assert!(reason.starts_with("a component of the guest was called while it was not to be"), "{reason}");
}

#[tokio::test]
async fn a_call_out_of_a_clean_up_is_told() {
    let leaves =
        r#"(func (export "cabi_post_clockbox:job/runner@0.1.0#run") (param i32) (drop (call $attempt)))"#;
    let (reason, backtrace) = trapped(&job_with(leaves, "(call $none)"), Limits::default()).await;
    assert!(reason.starts_with("the guest called out while it was not to"), "{reason}");
    assert!(backtrace.is_some());
}

#[tokio::test]
async fn an_exception_that_leaves_a_component_is_told() {
    let throws = job_with("(tag $oops)", "(throw $oops)");
    let (reason, _) = trapped(&throws, Limits::default()).await;
    assert!(reason.starts_with("the guest threw an exception that nothing in it caught"), "{reason}");
}
