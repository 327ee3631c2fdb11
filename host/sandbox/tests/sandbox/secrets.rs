//! Secrets reach the guest, and nobody else through it.

use clockbox_core::model::{LogStream, Outcome, PluginSpec, Rights, Secret, SecretAs};

use crate::support::{command, job, job_with, run, sandbox, spec};

const SECRET: &str = "hunter2-hunter2";

fn knowing(handed: SecretAs) -> PluginSpec {
    let secrets = [("TOKEN".to_owned(), Secret::new(SECRET, handed))].into();
    PluginSpec { rights: Rights { secrets, ..Rights::default() }, ..spec("test") }
}

/// Reads the config value TOKEN to 2048 and its length to `$len`.
const READ: &str = "(call $config (i32.const 1024) (i32.const 5) (i32.const 256))
    (local.set $args (i32.load (i32.const 260)))
    (local.set $len (i32.load (i32.const 264)))";

#[tokio::test]
async fn a_secret_is_handed_over_and_hidden_in_log_output_and_progress() {
    let guest = job_with(
        "(data (i32.const 1024) \"TOKEN\")",
        &format!(
            "{READ}
             (call $log (i32.const 2) (local.get $args) (local.get $len) (i32.const 0) (i32.const 0))
             (call $progress (i64.const 1) (i32.const 0) (i64.const 0) (i32.const 1) (local.get $args) (local.get $len))
             (call $some (local.get $args) (local.get $len))"
        ),
    );
    let plugin = sandbox().load(&guest, &knowing(SecretAs::Config)).unwrap();
    let (report, sink) = run(&plugin, "null").await;
    assert_eq!((report.outcome, report.output.as_deref()), (Outcome::Succeeded, Some("***")));
    assert_eq!(sink.texts(LogStream::Log), ["***"]);
    assert_eq!(*sink.progress.lock().unwrap(), [(1, None, Some("***".to_owned()))]);
}

#[tokio::test]
async fn a_secret_in_an_error_is_hidden_even_where_the_text_is_cut() {
    // The message has 4,000 characters before it is cut; the secret lies across the end.
    for before in [10, 3_985, 3_990] {
        let items = format!(
            "(data (i32.const 1024) \"TOKEN\")
             (func $broken (param $at i32) (param $len i32) (result i32)
               (local $i i32)
               (memory.fill (i32.const 30000) (i32.const 120) (i32.const {before}))
               (memory.copy (i32.add (i32.const 30000) (i32.const {before})) (local.get $at) (local.get $len))
               (i32.store8 (i32.const 0) (i32.const 1))
               (i32.store8 (i32.const 8) (i32.const 3))
               (i32.store (i32.const 16) (i32.const 512))
               (i32.store (i32.const 20) (i32.const 6))
               (i32.store (i32.const 24) (i32.const 30000))
               (i32.store (i32.const 28) (i32.add (i32.const {before}) (local.get $len)))
               (i32.const 0))"
        );
        let guest = job_with(&items, &format!("{READ} (call $broken (local.get $args) (local.get $len))"));
        let plugin = sandbox().load(&guest, &knowing(SecretAs::Config)).unwrap();
        let (report, _) = run(&plugin, "null").await;
        let reason = report.reason.unwrap();
        assert_eq!(report.outcome, Outcome::Failed, "{reason}");
        assert!(reason.starts_with("broken: xxx") && !reason.contains('h'), "{reason}");
    }
}

#[tokio::test]
async fn a_secret_in_the_environment_is_hidden_on_stdout_however_it_is_written() {
    // Prints the environment byte by byte, and again behind a line that is almost too long to stay one.
    let items = "(func $byte (param $at i32) (call $say (i32.const 1) (local.get $at) (i32.const 1)))";
    let body = "(local $i i32)
        (drop (call $env_sizes (i32.const 16) (i32.const 20)))
        (drop (call $env (i32.const 1024) (i32.const 8192)))
        (loop
          (call $byte (i32.add (i32.const 8192) (local.get $i)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if 0 (i32.lt_u (local.get $i) (i32.load (i32.const 20)))))
        (memory.fill (i32.const 20000) (i32.const 120) (i32.const 16375))
        (call $say (i32.const 1) (i32.const 20000) (i32.const 16375))
        (call $say (i32.const 1) (i32.const 8192) (i32.load (i32.const 20)))";
    let plugin = sandbox().load(command(items, body).as_bytes(), &knowing(SecretAs::Env)).unwrap();
    let (report, sink) = run(&plugin, "null").await;
    assert_eq!(report.outcome, Outcome::Succeeded, "{report:?}");
    let said = sink.texts(LogStream::Stdout).join("");
    assert_eq!(said.matches("TOKEN=***").count(), 2, "{said}");
    assert!(!said.contains("hunter"), "{said}");
}

#[tokio::test]
async fn a_guest_that_was_not_given_a_secret_finds_none() {
    let guest = job_with(
        "(data (i32.const 1024) \"TOKEN\")",
        "(call $config (i32.const 1024) (i32.const 5) (i32.const 256))
         (if (result i32) (i32.load8_u (i32.const 256)) (then (unreachable)) (else (call $none)))",
    );
    let plugin = sandbox().load(&guest, &knowing(SecretAs::Env)).unwrap();
    assert_eq!(run(&plugin, "null").await.0.outcome, Outcome::Succeeded);
    assert_eq!(
        run(&sandbox().load(&job("(call $none)"), &spec("test")).unwrap(), "null").await.0.outcome,
        Outcome::Succeeded
    );
}
