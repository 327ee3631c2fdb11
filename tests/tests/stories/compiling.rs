//! A host that is killed while it compiles a plugin: nobody compiles on, and nothing half done is used.

use std::{fmt::Write as _, fs, path::PathBuf, time::Duration};

use clockbox_core::model::Outcome;
use clockbox_tests::{Line, Running, TestHost, guest};

/// A job that ticks; compiled code is kept in the folder `cache`.
fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest(MANIFEST);
    place
}

const MANIFEST: &str = "[scheduler]\ncache_dir = \"cache\"\nshutdown_grace = \"0s\"\ncompile = { timeout = \"1h\" }\n\
                        [jobs.tick]\nplugin = \"echo\"\ntrigger = { interval = \"100ms\" }\n";

/// Adds a plugin and a job that runs it once.
fn add_slow(place: &TestHost, text: &[u8]) {
    place.put("jobs/slow.wat", text);
    place.manifest(&format!("{MANIFEST}[jobs.slow]\nplugin = \"slow\"\n"));
}

/// A command whose compilation takes minutes: of very many values that all live until the end of a function.
fn slow_to_compile() -> String {
    let mut function = String::from("(func (result i64)");
    for n in 0..6_000 {
        _ = write!(function, " (i64.load (i32.const {n})) (i64.load (i32.const {}))", n * 3);
    }
    function += &" i64.add".repeat(11_999);
    function.push(')');
    format!("(module (memory 1) {} (func (export \"_start\")))", function.repeat(20))
}

fn cached(place: &TestHost, end: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(place.path("cache")).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(end)).collect();
    files.sort();
    files
}

/// Checks that what the host told of is on record, and that its compiled code is used as it is.
fn nothing_is_lost(place: &TestHost, said: &[Line]) {
    let history = place.history();
    let runs = history.all();
    for line in said.iter().filter(|line| line.is_of("tick", "succeeded")) {
        let run = runs.iter().find(|run| run.id.to_string() == line.run());
        assert_eq!(run.and_then(|run| run.outcome), Some(Outcome::Succeeded), "{line}");
    }
    assert_eq!(cached(place, ".code").len(), 1, "nothing of what was compiled when the kill came");
}

fn stops_and_was_at_peace(mut host: Running) {
    host.hear_of("tick", "succeeded");
    let said = host.stop();
    let compiled_again = said.iter().find(|line| line.message().contains("compiled again"));
    assert!(compiled_again.is_none(), "{compiled_again:?}");
}

#[test]
fn a_kill_while_a_plugin_is_compiled_for_a_start_ends_the_compiler_and_costs_nothing() {
    let place = place();
    let mut host = place.start();
    host.hear_of("tick", "succeeded");
    let said = host.stop();
    add_slow(&place, slow_to_compile().as_bytes());
    // As soon as it is there, and while it is at work.
    for work in [Duration::ZERO, Duration::from_millis(300)] {
        let host = place.start();
        let compiler = host.compiler();
        compiler.has_worked(work);
        host.kill();
        compiler.is_over();
        nothing_is_lost(&place, &said);
    }
    place.remove("jobs/slow.wat");
    place.manifest(MANIFEST);
    stops_and_was_at_peace(place.start());
}

#[test]
fn a_kill_while_a_plugin_is_compiled_for_a_reload_ends_the_compiler_and_costs_nothing() {
    let place = place();
    let mut host = place.start();
    host.hear_of("tick", "succeeded");
    add_slow(&place, slow_to_compile().as_bytes());
    let compiler = host.compiler();
    compiler.has_worked(Duration::from_millis(300));
    // Meanwhile the others go on.
    for _ in 0..3 {
        host.hear_of("tick", "succeeded");
    }
    let said = host.kill();
    compiler.is_over();
    nothing_is_lost(&place, &said);
    add_slow(&place, &fs::read(guest("echo")).unwrap());
    let mut host = place.start();
    host.hear_of("slow", "succeeded");
    stops_and_was_at_peace(host);
}

#[test]
fn what_a_kill_left_of_compiled_code_is_swept_and_what_is_torn_is_compiled_again() {
    let place = place();
    let mut host = place.start();
    host.hear_of("tick", "succeeded");
    host.kill();
    let entry = cached(&place, ".code").remove(0);
    let whole = fs::read(&entry).unwrap();
    fs::write(place.path("cache/.new-left"), &whole[..whole.len() / 3]).unwrap();
    fs::write(&entry, &whole[..whole.len() / 2]).unwrap();
    let mut host = place.start();
    host.hear("the torn entry", |line| line.message().contains("is not used, the plugin is compiled again"));
    host.hear_of("tick", "succeeded");
    host.stop();
    assert!(!place.path("cache/.new-left").exists());
    assert_eq!(fs::read(entry).unwrap().len(), whole.len());
    stops_and_was_at_peace(place.start());
}
