//! A plugin is run once, by whoever writes it: no manifest, no schedule, no store.

use std::fs;

use clockbox_tests::{guest, prebuilt};
use rustix::process::Signal;
use serde_json::json;

/// The path of a file as an argument.
fn file(path: &std::path::Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A command that says eight random bytes and the time, in letters.
const CHANCE: &str = r#"(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $i i32)
    (drop (call $random (i32.const 96) (i32.const 8)))
    (drop (call $time (i32.const 0) (i64.const 1) (i32.const 104)))
    (loop $next
      (i32.store8 (i32.add (i32.const 96) (local.get $i))
        (i32.add (i32.const 97) (i32.and (i32.const 15) (i32.load8_u (i32.add (i32.const 96) (local.get $i))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 16))))
    (i32.store (i32.const 0) (i32.const 96))
    (i32.store (i32.const 4) (i32.const 16))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

#[test]
fn a_success_gives_its_output_as_data_and_all_else_as_talk() {
    let place = crate::place();
    let hello = file(&prebuilt("hello"));
    let answer = place.cli(&["exec", &hello, "--args", r#"{"name": "Ada"}"#]).exits(0);
    assert_eq!(answer.stdout, "\"hello Ada\"\n");
    for text in [
        "(job component)",
        "nothing allowed",
        "log    info  hello Ada",
        "hello succeeded in ",
        "peak memory",
        "fuel ",
    ] {
        assert!(answer.stderr.contains(text), "{text:?} in {answer}");
    }
    let answer =
        place.cli(&["exec", &hello, "--json", "--at", "2030-01-01 05:00:00", "--attempt", "3", "--no-fuel"]);
    let run = answer.exits(0).json();
    assert_eq!((&run["outcome"], &run["output"]), (&json!("succeeded"), &json!("hello world")));
    assert_eq!((&run["scheduled_at"], &run["attempt"]), (&json!("2030-01-01T05:00:00Z"), &json!(3)));
    assert_eq!(run["logs"][0]["message"], "hello world");
    assert_eq!(run["fuel"], json!(null), "nobody counted it");
    assert!(run["duration_ms"].as_f64().unwrap() > 0.0 && run["peak_memory"].as_u64().unwrap() > 0, "{run}");
    assert_eq!(run["progress"], json!([]));
    // Nothing is left behind.
    assert!(!fs::exists(place.path("clockbox.db")).unwrap());
}

#[test]
fn a_command_finds_its_arguments_where_commands_look() {
    let place = crate::place();
    let run = place.cli(&["exec", &file(&guest("echo")), "--args", r#"["a", 1]"#, "--json"]).exits(0).json();
    assert_eq!(
        (&run["logs"][0]["stream"], &run["logs"][0]["message"]),
        (&json!("stdout"), &json!("[\"a\",1]"))
    );
    assert_eq!(run["output"], json!(null));
}

#[test]
fn the_last_line_of_a_command_is_its_output_where_that_is_asked_for() {
    let place = crate::place();
    let echo = file(&guest("echo"));
    let answer = place.cli(&["exec", &echo, "--args", r#"{"a": [1, 2]}"#, "--output", "last-line"]).exits(0);
    assert_eq!(answer.stdout, "{\"a\":[1,2]}\n");
    assert!(answer.stderr.contains("stdout info  {\"a\":[1,2]}"), "it stays in the log: {answer}");
    let run = place.cli(&["exec", &echo, "--args", "7", "--output", "last-line", "--json"]).exits(0).json();
    assert_eq!((&run["output"], &run["logs"][0]["message"]), (&json!(7), &json!("7")));
    // Its sidecar can say so, and a line that is no JSON is told.
    place.put("chance.wat", CHANCE.as_bytes());
    place.put("chance.toml", b"output = \"last-line\"\n");
    let answer = place.cli(&["exec", "chance.wat"]).exits(0);
    assert_eq!(answer.stdout, "");
    answer.says(&["host   warn  the last line on stdout is not JSON (", "output = \"last-line\""]);
    let answer = place.cli(&["exec", "chance.wat", "--output", "returned"]).exits(0);
    assert!(!answer.stderr.contains("not JSON"), "{answer}");
    place
        .cli(&["exec", &echo, "--output", "lastline"])
        .exits(2)
        .says(&["error: --output lastline: ", "did you mean \"last-line\"?"]);
    place.cli(&["exec", &file(&prebuilt("hello")), "--output", "last-line"]).exits(2).says(&[
        "it",
        "is a job component, whose output is what its `run` returns",
        "hint: leave `output` out",
    ]);
}

#[test]
fn the_exit_code_says_whether_it_succeeded_and_the_talk_how() {
    let place = crate::place();
    let job = file(&guest("job"));
    let run = |args: &str| place.cli(&["exec", &job, "--args", args, "--json"]).exits(1).json();
    let refused = run("2");
    assert_eq!((&refused["outcome"], &refused["retry"]), (&json!("failed"), &json!(false)));
    assert_eq!(run("3")["retry"], true);
    assert_eq!(run("4")["retry_after_ms"], 5000);
    assert_eq!(run("6")["outcome"], "cancelled");
    let trapped = run("9");
    assert_eq!(trapped["outcome"], "trapped");
    assert!(trapped["backtrace"].as_str().unwrap().contains("guest!"), "{trapped}");
    place.cli(&["exec", &file(&guest("exit-3"))]).exits(1).says(&["exit code 3"]);
    place
        .cli(&["exec", &file(&guest("spin")), "--limit", "timeout=200ms"])
        .exits(1)
        .says(&["timed-out", "200ms"]);
    place
        .cli(&["exec", &file(&guest("spin")), "--limit", "fuel=1000"])
        .exits(1)
        .says(&["fuel of 1000", "fuel 1000"]);
}

#[test]
fn what_is_said_wrongly_is_told_as_in_a_manifest() {
    let place = crate::place();
    let hello = file(&prebuilt("hello"));
    let refused = |args: &[&str], texts: &[&str]| {
        place.cli(&[&["exec", &hello][..], args].concat()).exits(2).says(texts)
    };
    refused(&["--args", "ops@example.com"], &["--args", "is not JSON", "hint: "]);
    refused(
        &["--allow", "htp=https://a.example", "--allow", "http=ftp://a.example", "--limit", "tmeout=3s"],
        &[
            "error: --allow htp=https://a.example: there is no right \"htp\"",
            "did you mean \"http\"?",
            "error: --allow http=ftp://a.example: ",
            "is not an origin",
            "error: --limit tmeout=3s: there is no limit \"tmeout\"",
        ],
    );
    refused(
        &["--allow", "sta"],
        &["error: --allow sta: there is no right \"sta\"\n  hint: did you mean \"state\"?\n"],
    );
    refused(&["--allow", "zzz"], &["  hint: the rights are http, tcp, dns, "]);
    refused(&["--allow", "{ jobs = { mxa_jobs = 3 } }"], &["jobs.mxa_jobs: unknown key", "max_jobs"]);
    let answer = place.cli(&["exec", &hello, "--allow", "sta"]).exits(2);
    assert!(!answer.stderr.contains("cannot be run as it is described"), "nothing is described: {answer}");
    refused(
        &["--allow", "read=./nowhere"],
        &["error: --allow read=./nowhere: there is no folder nowhere\n", "the current folder"],
    );
    refused(&["--allow", "secrets=TOKEN"], &["TOKEN"]);
    refused(&["--allow", "secrets=TOKEN=hunter2"], &["is not written on a command line", "hint: "]);
    refused(&["--limit", "memory"], &["is not a key and a value"]);
    refused(&["--at", "soon"], &["hint: "]);
    refused(&["--state", "7"], &["--state", "is not a JSON object"]);
    refused(&["--state", r#"{ "a": { "$hex": "0" } }"#], &["--state: \"a\": $hex"]);
    place
        .cli(&["exec", "none.wasm"])
        .exits(2)
        .says(&["none.wasm: cannot be read", "hint: `clockbox build FOLDER` makes a plugin"]);
    fs::create_dir(place.path("p")).unwrap();
    place.cli(&["exec", "p"]).exits(2).says(&["p: it is a folder", "hint: give the .wasm file"]);
    place.put("p/clockbox-build.toml", b"lang = 'c'\ncommands = []\noutput = 'a.wasm'\n");
    place.cli(&["exec", "p"]).exits(2).says(&["clockbox build p && clockbox exec p/p.wasm"]);
    place.cli(&["exec", "p/p.wasm"]).exits(2).says(&["hint: `clockbox build p` makes it"]);
    place.put("p/p.wasm", b"");
    place.cli(&["exec", "p"]).exits(2).says(&["hint: give the file: clockbox exec p/p.wasm"]);
    place.cli(&["exec", &file(&guest("no-entry"))]).exits(2).says(&["nothing that can be run"]);
    place
        .cli(&["exec", &file(&prebuilt("counter"))])
        .exits(2)
        .says(&["allow.state", "hint: grant it: --allow state\n"]);
}

#[test]
fn what_a_run_is_refused_is_told_with_the_flag_that_grants_it() {
    let place = crate::place();
    place
        .cli(&["exec", &file(&guest("spin")), "--limit", "timeout=200ms"])
        .exits(1)
        .says(&["hint: to grant what it was refused, or to raise what it met: --limit timeout="]);
    // What its own description asks for in vain.
    place.put("x.wasm", &fs::read(prebuilt("hello")).unwrap());
    let allow = r#"{ http = ["https://a.example"], read = ["/in"] }"#;
    let _ = place.cli(&["plugins", "describe", "x.wasm", "--allow", allow]).exits(0);
    let answer = place.cli(&["exec", "x.wasm"]).exits(0);
    answer.says(&[
        "asks for more",
        "hint: if it should have that: --allow http=https://a.example --allow read=/in=FOLDER",
    ]);
    assert!(!answer.stderr.contains("[plugins."), "there is no manifest: {answer}");
    // A host's words name the table.
    place.put("jobs/counter.wasm", &fs::read(prebuilt("counter")).unwrap());
    place.put("clockbox.toml", b"[jobs.counter]\ntrigger = { interval = \"1h\" }\n");
    place.cli(&["check"]).exits(1).says(&["allow = { state = true }`, under [plugins.counter]"]);
}

#[test]
fn a_state_is_json_and_what_is_printed_can_be_given_back() {
    let place = crate::place();
    let counter = file(&prebuilt("counter"));
    let run = |state: &str| {
        place.cli(&["exec", &counter, "--allow", "state", "--state", state, "--json"]).exits(0).json()
    };
    let state =
        run(r#"{ "runs": 41, "name": "x", "raw": { "$text": "x" }, "bytes": { "$hex": "ff" } }"#)["state"]
            .clone();
    let expected = json!({ "runs": 42, "name": "x", "raw": { "$text": "x" }, "bytes": { "$hex": "ff" } });
    assert_eq!(state, expected);
    assert_eq!(run(&state.to_string())["state"]["runs"], 43);
    place
        .cli(&["exec", &counter, "--allow", "state", "--state", r#"{ "name": "x" }"#])
        .exits(0)
        .says(&["  name = \"x\"\n", "  runs = 1\n"]);
    place
        .cli(&["exec", &file(&prebuilt("hello")), "--state", r#"{ "runs": 1 }"#])
        .exits(0)
        .says(&["warning: --state: nothing of it is found", "hint: add --allow state"]);
}

/// A command that says a line with a tab on stderr, and fails.
const TABBED: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\0b\00\00\00")
  (data (i32.const 16) "\09at main.go")
  (func (export "_start")
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 1))))"#;

#[test]
fn a_tab_is_shown_as_spaces_wherever_it_comes_from() {
    let place = crate::place();
    place.put("jobs/tabbed.wat", TABBED.as_bytes());
    place.cli(&["exec", "jobs/tabbed.wat"]).exits(1).says(&["stderr", "     at main.go\n"]);
    place.put("clockbox.toml", b"[store]\nurl = \"sqlite:clockbox.db\"\n[jobs.tabbed]\ntrigger = { date = \"2020-01-01\" }\nmisfire_grace = \"forever\"\n");
    let mut host = place.begin(&["run"]);
    host.hear_text("failed in ");
    host.signal(Signal::INT);
    let _ = host.end();
    let runs = place.cli(&["runs"]).exits(0).stdout;
    assert!(runs.contains("at main.go") && !runs.contains('\t'), "{runs}");
    let id = runs.lines().nth(1).unwrap().split(' ').next().unwrap();
    let shown = place.cli(&["runs", "show", id]).exits(0).stdout;
    assert!(
        shown.contains("    at main.go") && !shown.contains(['\t', char::REPLACEMENT_CHARACTER]),
        "{shown}"
    );
}

#[test]
fn state_and_jobs_are_kept_in_memory_and_shown() {
    let place = crate::place();
    let counter = file(&prebuilt("counter"));
    let run = |state: &str| {
        place.cli(&["exec", &counter, "--allow", "state", "--state", state, "--json"]).exits(0).json()
    };
    assert_eq!(run("{}")["state"], json!({ "runs": 1 }));
    assert_eq!(run(r#"{ "runs": 41, "other": "x" }"#)["state"], json!({ "runs": 42, "other": "x" }));
    place.cli(&["exec", &counter, "--allow", "state"]).exits(0).says(&["it remembers:\n  runs = 1\n"]);
    let follow_up = file(&prebuilt("follow-up"));
    let args = r#"{ "add": { "child": { "trigger": { "interval": "1h" } } }, "pause": ["follow-up"] }"#;
    let answer = place.cli(&["exec", &follow_up, "--allow", "jobs", "--args", args, "--json"]).exits(0);
    let jobs = answer.json()["jobs"].clone();
    assert_eq!((&jobs[0]["change"], &jobs[0]["job"]), (&json!("add"), &json!("child")));
    assert_eq!(jobs[0]["keys"]["trigger"], json!({ "interval": "1h" }));
    assert_eq!((&jobs[1]["change"], &jobs[1]["job"]), (&json!("pause"), &json!("follow-up")));
    place
        .cli(&["exec", &follow_up, "--allow", "jobs", "--args", args])
        .exits(0)
        .says(&["it asked for:\n  add child {"]);
    // A run that fails leaves nothing behind.
    let args = r#"{ "add": { "child": {} }, "run": ["nobody"] }"#;
    let failed =
        place.cli(&["exec", &follow_up, "--allow", "jobs", "--args", args, "--json"]).exits(1).json();
    assert_eq!(failed["jobs"], json!([]));
}

#[test]
fn chance_and_time_can_be_fixed() {
    let place = crate::place();
    place.put("chance.wat", CHANCE.as_bytes());
    let run = |args: &[&str]| {
        let run = place.cli(&[&["exec", "chance.wat", "--json"][..], args].concat()).exits(0).json();
        (run["id"].clone(), run["logs"][0]["message"].as_str().unwrap().to_owned())
    };
    let fixed = ["--seed", "7", "--clock", "frozen", "--at", "2030-01-01"];
    assert_eq!(run(&fixed), run(&fixed));
    let (_, one) = run(&["--seed", "7", "--clock", "frozen", "--at", "2030-01-01"]);
    let (_, other) = run(&["--seed", "8", "--clock", "frozen", "--at", "2030-01-01"]);
    let (_, later) = run(&["--seed", "7", "--clock", "frozen", "--at", "2030-01-02"]);
    assert_ne!(one[..8], other[..8], "another seed, other numbers");
    assert_eq!((&one[..8], &one[8..]), (&later[..8], &other[8..]), "the same seed, the same numbers");
    assert_ne!(one[8..], later[8..], "another time");
    assert_ne!(run(&[]).1[..8], run(&[]).1[..8], "chance");
}

#[test]
fn a_granted_folder_has_the_name_that_it_has_here_and_a_sidecar_counts() {
    let place = crate::place();
    place.put("prune.wasm", &fs::read(prebuilt("prune")).unwrap());
    fs::create_dir(place.path("data")).unwrap();
    fs::write(place.path("data/old.log"), "x").unwrap();
    let args = r#"{ "folder": "/data", "older_than": "0s", "dry_run": true }"#;
    let answer = place.cli(&["exec", "prune.wasm", "--allow", "write=./data", "--args", args]);
    assert!(answer.stderr.contains("write /data = "), "{answer}");
    // Its sidecar says what it may, and what its arguments are.
    place.put("hello.wasm", &fs::read(prebuilt("hello")).unwrap());
    place.put("hello.toml", b"args = { name = \"sidecar\" }\nlimits = { timeout = \"5s\" }\n");
    assert_eq!(place.cli(&["exec", "hello.wasm"]).exits(0).stdout, "\"hello sidecar\"\n");
}

#[test]
fn a_watch_runs_it_again_when_it_changes_and_half_a_file_does_not_end_it() {
    let place = crate::place();
    let hello = fs::read(prebuilt("hello")).unwrap();
    let mut watch = place.begin(&["exec", "x.wasm", "--watch"]);
    // It need not be there yet.
    watch.hear_text("x.wasm is not there; waiting for it");
    fs::write(place.path("x.wasm"), &hello[..hello.len() / 2]).unwrap();
    watch.hear_text("error: x.wasm: ");
    watch.hear_text("waiting for x.wasm to change");
    fs::write(place.path("x.wasm"), &hello).unwrap();
    watch.hear_text("x succeeded in ");
    watch.hear_text("waiting for x.wasm to change");
    place.put("x.wasm", &fs::read(prebuilt("noop")).unwrap());
    watch.hear_text("x succeeded in ");
    watch.hear_text("waiting for x.wasm to change");
    fs::remove_file(place.path("x.wasm")).unwrap();
    watch.hear_text("x.wasm is gone; waiting for it to come back");
    place.put("x.wasm", &hello);
    watch.hear_text("x succeeded in ");
    watch.hear_text("waiting for x.wasm to change");
    watch.signal(Signal::INT);
    assert_eq!(watch.end().code(), Some(0), "{watch}");
}

#[test]
fn a_signal_asks_it_to_stop_and_a_second_one_stops_it() {
    let place = crate::place();
    let polite = file(&guest("polite"));
    let mut run = place.begin(&["exec", &polite]);
    run.hear_text("nothing allowed");
    run.signal(Signal::INT);
    run.hear_text("cancelled in ");
    assert_eq!(run.end().code(), Some(1), "{run}");
    let spin = file(&guest("spin"));
    let mut run = place.begin(&["exec", &spin, "--limit", "cancel_grace=1h", "--limit", "timeout=1h"]);
    run.hear_text("nothing allowed");
    run.signal(Signal::INT);
    run.hear_text("asked to stop");
    run.signal(Signal::INT);
    assert_eq!(run.end().code(), Some(130), "{run}");
}
