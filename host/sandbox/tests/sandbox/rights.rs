//! What a guest may reach, and that it reaches nothing else.

use std::time::Duration;

use clockbox_core::model::{ClockRight, LogStream, Outcome, PluginSpec, RandomRight, Rights};
use clockbox_sandbox::CancelToken;

use crate::support::{Memory, command, command_component, job, load, request, run, sandbox, spec};

/// Prints what a pair of preview-1 calls hands over: the strings, a line each.
fn prints_strings(sizes: &str, get: &str) -> String {
    let items = "(func $print (param $at i32) (param $len i32)
        (local $i i32)
        (loop
          (if (i32.eqz (i32.load8_u (i32.add (local.get $at) (local.get $i))))
            (then (i32.store8 (i32.add (local.get $at) (local.get $i)) (i32.const 10))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if 0 (i32.lt_u (local.get $i) (local.get $len))))
        (call $say (i32.const 1) (local.get $at) (local.get $len)))";
    let body = format!(
        "(drop (call {sizes} (i32.const 16) (i32.const 20)))
         (drop (call {get} (i32.const 1024) (i32.const 8192)))
         (if (i32.load (i32.const 20)) (then (call $print (i32.const 8192) (i32.load (i32.const 20)))))"
    );
    command(items, &body)
}

#[tokio::test]
async fn a_command_gets_its_args_as_argv() {
    let plugin = load(prints_strings("$args_sizes", "$args").as_bytes());
    for (args, argv) in [
        ("null", vec!["test"]),
        (r#"["--days", 7, true]"#, vec!["test", "--days", "7", "true"]),
        (r#""plain text""#, vec!["test", "plain text"]),
        (r#"{"days":7}"#, vec!["test", r#"{"days":7}"#]),
    ] {
        assert_eq!(run(&plugin, args).await.1.texts(LogStream::Stdout), argv, "{args}");
    }
}

#[tokio::test]
async fn a_command_gets_its_args_as_json_on_stdin() {
    let body = "(i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const 1000))
        (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $say (i32.const 1) (i32.const 1024) (i32.load (i32.const 8)))";
    let (_, sink) = run(&load(command("", body).as_bytes()), r#"{"days":7}"#).await;
    assert_eq!(sink.texts(LogStream::Stdout), [r#"{"days":7}"#]);
}

#[tokio::test]
async fn a_command_sees_the_facts_and_the_granted_environment_and_nothing_of_the_hosts() {
    let text = prints_strings("$env_sizes", "$env");
    let rights = Rights { env: [("TOKEN".to_owned(), "abc=1".to_owned())].into(), ..Rights::default() };
    let plugin = sandbox().load(text.as_bytes(), &PluginSpec { rights, ..spec("test") }).unwrap();
    let (_, sink) = run(&plugin, "null").await;
    let mut seen = sink.texts(LogStream::Stdout);
    seen.sort();
    let id = crate::support::request("null").run;
    assert_eq!(
        seen,
        [
            "CLOCKBOX_ATTEMPT=2".to_owned(),
            "CLOCKBOX_CAUSE=manual".to_owned(),
            "CLOCKBOX_JOB_ID=nightly".to_owned(),
            "CLOCKBOX_PREVIOUS_SUCCESS=2030-01-01T11:00:00+00:00".to_owned(),
            format!("CLOCKBOX_RUN_ID={id}"),
            "CLOCKBOX_SCHEDULED_AT=2030-01-01T12:00:00+00:00".to_owned(),
            "TOKEN=abc=1".to_owned(),
        ]
    );
}

/// Opens `note.txt` in the first granted folder and prints it; exits with the number of the error. With `create` it
/// makes the file instead.
fn opens(create: bool, path: &str) -> Vec<u8> {
    let (items, body) = opening(create, path);
    command(&items, &body).into_bytes()
}

/// The items and the body of that.
fn opening(create: bool, path: &str) -> (String, String) {
    let (oflags, rights) = if create { (1, 64) } else { (0, 2) };
    let body = format!(
        "(local $errno i32)
         (local.set $errno (call $path_open
           (i32.const 3) (i32.const 0) (i32.const 1024) (i32.const {len}) (i32.const {oflags})
           (i64.const {rights}) (i64.const 0) (i32.const 0) (i32.const 16)))
         (if (local.get $errno) (then (call $exit (local.get $errno))))
         (i32.store (i32.const 0) (i32.const 2048))
         (i32.store (i32.const 4) (i32.const 100))
         (if (i32.eqz (i32.const {oflags})) (then
           (drop (call $fd_read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
           (call $say (i32.const 1) (i32.const 2048) (i32.load (i32.const 8)))))",
        len = path.len(),
    );
    (format!("(data (i32.const 1024) \"{path}\")"), body)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("inner/note.txt"), "from the host").unwrap();
        std::fs::write(folder.path().join("secret.txt"), "not for guests").unwrap();
        Self(folder)
    }

    fn grant(&self, write: bool) -> Rights {
        let folders = [("/data".to_owned(), self.0.path().join("inner"))].into();
        if write {
            Rights { write: folders, ..Rights::default() }
        } else {
            Rights { read: folders, ..Rights::default() }
        }
    }
}

async fn open(create: bool, path: &str, rights: Rights) -> (Outcome, Option<String>, Vec<String>) {
    let plugin = sandbox().load(&opens(create, path), &PluginSpec { rights, ..spec("test") }).unwrap();
    let (report, sink) = run(&plugin, "null").await;
    (report.outcome, report.reason, sink.texts(LogStream::Stdout))
}

#[tokio::test]
async fn without_a_grant_there_is_no_folder_at_all() {
    let (outcome, reason, _) = open(false, "note.txt", Rights::default()).await;
    assert_eq!((outcome, reason.as_deref()), (Outcome::Failed, Some("exit code 8")));
}

#[tokio::test]
async fn a_read_grant_opens_files_and_changes_nothing() {
    let folder = Folder::new();
    let (outcome, _, said) = open(false, "note.txt", folder.grant(false)).await;
    assert_eq!((outcome, said), (Outcome::Succeeded, vec!["from the host".to_owned()]));
    let (outcome, ..) = open(true, "new.txt", folder.grant(false)).await;
    assert_eq!(outcome, Outcome::Failed);
    assert!(!folder.0.path().join("inner/new.txt").exists());
}

#[tokio::test]
async fn a_write_grant_makes_files() {
    let folder = Folder::new();
    let (outcome, reason, _) = open(true, "new.txt", folder.grant(true)).await;
    assert_eq!(outcome, Outcome::Succeeded, "{reason:?}");
    assert!(folder.0.path().join("inner/new.txt").exists());
}

#[tokio::test]
async fn no_path_leads_out_of_a_granted_folder() {
    let folder = Folder::new();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret.txt", folder.0.path().join("inner/link.txt")).unwrap();
    for path in ["../secret.txt", "/etc/passwd", "link.txt"] {
        let (outcome, _, said) = open(false, path, folder.grant(true)).await;
        assert_eq!((outcome, said.len()), (Outcome::Failed, 0), "{path}");
    }
}

/// Opening a pipe waits for its other end, on a thread that nothing can stop: were it opened, this test would not end.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_neither_a_file_nor_a_folder_is_not_opened() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let folder = Folder::new();
    let inner = folder.0.path().join("inner");
    mknodat(CWD, inner.join("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    std::os::unix::fs::symlink("pipe", inner.join("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(inner.join("socket")).unwrap();
    let devices = Rights { read: [("/dev".to_owned(), "/dev".into())].into(), ..Rights::default() };
    for (create, path, rights) in [
        (false, "pipe", folder.grant(false)),
        (false, "pipe", folder.grant(true)),
        (true, "pipe", folder.grant(true)),
        (false, "./pipe", folder.grant(false)),
        (false, "socket", folder.grant(true)),
        (false, "null", devices),
    ] {
        let (items, body) = opening(create, path);
        for bytes in [opens(create, path), command_component(&items, &body)] {
            let plugin =
                sandbox().load(&bytes, &PluginSpec { rights: rights.clone(), ..spec("test") }).unwrap();
            let (report, sink) = run(&plugin, "null").await;
            assert_eq!(report.outcome, Outcome::Failed, "{path}: {report:?}");
            let remark = format!("opening {path:?} refused: it is a named pipe, a socket or a device");
            let said = sink.texts(LogStream::Host);
            assert!(said.len() == 1 && said[0].starts_with(&remark), "{path}: {said:?}");
        }
    }
    // Without following it a link is no pipe, and cannot be opened either.
    let (outcome, reason, _) = open(false, "link", folder.grant(true)).await;
    assert_eq!((outcome, reason.as_deref()), (Outcome::Failed, Some("exit code 32")));
    // What is there no more, or not yet, is as it was.
    let (outcome, reason, _) = open(false, "nothing", folder.grant(true)).await;
    assert_eq!((outcome, reason.as_deref()), (Outcome::Failed, Some("exit code 44")));
}

#[tokio::test]
async fn a_granted_folder_that_is_missing_is_named() {
    let folder = Folder::new();
    let rights =
        Rights { read: [("/data".to_owned(), folder.0.path().join("gone"))].into(), ..Rights::default() };
    let (outcome, reason, _) = open(false, "note.txt", rights).await;
    assert_eq!(outcome, Outcome::HostError);
    let reason = reason.unwrap();
    assert!(reason.contains("gone") && reason.contains("allow.read") && reason.contains("/data"), "{reason}");
}

#[tokio::test]
async fn arguments_of_the_plugin_come_before_those_of_the_job() {
    let text = prints_strings("$args_sizes", "$args");
    let rights = Rights { args: vec!["--fast".to_owned()], ..Rights::default() };
    let plugin = sandbox().load(text.as_bytes(), &PluginSpec { rights, ..spec("test") }).unwrap();
    assert_eq!(run(&plugin, "[1]").await.1.texts(LogStream::Stdout), ["test", "--fast", "1"]);
}

#[tokio::test]
async fn a_frozen_clock_shows_the_scheduled_time() {
    let nanos = crate::support::noon().timestamp_nanos_opt().unwrap();
    let body = format!(
        "(drop (call $clock (i32.const 0) (i64.const 1) (i32.const 64)))
         (if (i64.ne (i64.load (i32.const 64)) (i64.const {nanos})) (then (call $exit (i32.const 9))))"
    );
    let text = command("", &body);
    for (clock, outcome) in [(ClockRight::Frozen, Outcome::Succeeded), (ClockRight::Real, Outcome::Failed)] {
        let rights = Rights { clock, ..Rights::default() };
        let plugin = sandbox().load(text.as_bytes(), &PluginSpec { rights, ..spec("test") }).unwrap();
        assert_eq!(run(&plugin, "null").await.0.outcome, outcome, "{clock:?}");
    }
}

#[tokio::test]
async fn a_frozen_clock_is_not_taken_for_one_that_does_not_work() {
    let body = "(drop (call $clock (i32.const 1) (i64.const 1) (i32.const 64)))
         (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 72)))
         (if (i64.eqz (i64.load (i32.const 64))) (then (call $exit (i32.const 8))))
         (if (i64.ne (i64.load (i32.const 64)) (i64.load (i32.const 72))) (then (call $exit (i32.const 9))))";
    let rights = Rights { clock: ClockRight::Frozen, ..Rights::default() };
    let plugin =
        sandbox().load(command("", body).as_bytes(), &PluginSpec { rights, ..spec("test") }).unwrap();
    let report = run(&plugin, "null").await.0;
    assert_eq!(report.outcome, Outcome::Succeeded, "{report:?}");
}

#[tokio::test]
async fn before_a_frozen_clock_the_time_that_is_left_stands_still_too() {
    let guest = job("(drop (call $deadline_ms))
         (if (result i32) (i64.eq (call $deadline_ms) (i64.const 60000))
           (then (call $none))
           (else (call $fail (i32.const 3))))");
    for (clock, outcome) in [(ClockRight::Frozen, Outcome::Succeeded), (ClockRight::Real, Outcome::Failed)] {
        let rights = Rights { clock, ..Rights::default() };
        let plugin = sandbox().load(&guest, &PluginSpec { rights, ..spec("test") }).unwrap();
        let sink = Memory::stepping(Duration::from_millis(7));
        let report = plugin.run(request("null"), sink, CancelToken::new()).await;
        assert_eq!(report.outcome, outcome, "{clock:?}");
    }
}

#[tokio::test]
async fn a_failure_for_lack_of_a_folder_says_what_grants_one() {
    let text = "open /data/x: Bad file number";
    let items = format!("(data (i32.const 1024) {:?})", format!("{text}\n"));
    let body = format!(
        "(call $say (i32.const 2) (i32.const 1024) (i32.const {})) (call $exit (i32.const 1))",
        text.len() + 1
    );
    let report =
        run(&sandbox().load(command(&items, &body).as_bytes(), &spec("test")).unwrap(), "null").await.0;
    let reason = report.reason.unwrap();
    assert!(
        reason.starts_with(&format!("exit code 1: {text}; ")) && reason.contains("allow.read"),
        "{reason}"
    );
}

#[tokio::test]
async fn seeded_random_numbers_are_the_same_for_each_attempt() {
    let body = "(drop (call $random (i32.const 1024) (i32.const 64)))
        (call $say (i32.const 1) (i32.const 1024) (i32.const 64))";
    let text = command("", body);
    for (random, same) in [(RandomRight::Seeded, true), (RandomRight::Real, false)] {
        let rights = Rights { random, ..Rights::default() };
        let plugin = sandbox().load(text.as_bytes(), &PluginSpec { rights, ..spec("test") }).unwrap();
        let first = run(&plugin, "null").await.1.texts(LogStream::Stdout);
        let second = run(&plugin, "null").await.1.texts(LogStream::Stdout);
        assert_eq!(first == second, same, "{random:?}");
    }
}
