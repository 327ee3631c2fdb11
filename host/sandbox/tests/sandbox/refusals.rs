//! Reasons name what the run was refused, and the caps that no key raises.

use clockbox_core::model::{Limits, Outcome, PluginSpec};
use clockbox_sandbox::PluginError;

use crate::support::{command, load, load_limited, run, sandbox, spec};

const SOCKETS: &[u8] = include_bytes!("../../../../tests/guests/hostile/sockets.wat");
const HOARD: &[u8] = include_bytes!("../../../../tests/guests/hostile/request-hoard.wat");
const INSTANCES: &[u8] = include_bytes!("../../../../tests/guests/hostile/many-instances.wat");
const POLLABLES: &[u8] = include_bytes!("../../../../tests/guests/hostile/pollable-leak.wat");

async fn reason(guest: &[u8], limits: Limits) -> (Outcome, String) {
    let (report, _) = run(&load_limited(guest, limits), "null").await;
    (report.outcome, report.reason.unwrap_or_default())
}

#[tokio::test]
async fn an_exit_code_comes_with_the_first_thing_that_was_refused() {
    let (outcome, said) = reason(SOCKETS, Limits::default()).await;
    assert_eq!(outcome, Outcome::Failed);
    assert!(
        said.starts_with("exit code 1; during the run: TCP socket refused: the right allow.tcp"),
        "{said}"
    );
    let (outcome, said) = reason(HOARD, Limits::default()).await;
    assert_eq!(outcome, Outcome::Failed);
    assert!(said.contains("method of an HTTP request refused: it has 1.0 MiB and may have 64 B"), "{said}");
}

#[tokio::test]
async fn an_exit_code_without_a_refusal_says_nothing_of_one() {
    let (report, _) = run(&load(command("", "(call $exit (i32.const 3))").as_bytes()), "null").await;
    assert_eq!(report.reason.as_deref(), Some("exit code 3"));
}

#[tokio::test]
async fn too_many_random_bytes_in_a_call_are_told_with_the_cap() {
    let greedy = command("", "(drop (call $random (i32.const 0) (i32.const 12582912)))");
    let (outcome, said) = reason(greedy.as_bytes(), Limits::default()).await;
    assert_eq!(outcome, Outcome::Trapped);
    assert!(said.contains("more than 1.0 MiB of random bytes in one call"), "{said}");
}

#[tokio::test]
async fn handles_of_every_kind_are_bounded_by_the_one_limit() {
    let (outcome, said) = reason(POLLABLES, Limits { handles: 100_000, ..Limits::default() }).await;
    assert_eq!(outcome, Outcome::Trapped);
    assert!(said.contains("100000") && said.contains("raise limits.handles"), "{said}");
    // A resource of the guest's own takes no handle of the host's.
    let own = br#"(component
      (type $thing (resource (rep i32)))
      (core func $new (canon resource.new $thing))
      (core module $guest
        (import "host" "new" (func $new (param i32) (result i32)))
        (func (export "run") (result i32)
          (loop $again (drop (call $new (i32.const 1))) (br $again)) unreachable))
      (core instance $guest (instantiate $guest (with "host" (instance (export "new" (func $new))))))
      (func $run (result (result)) (canon lift (core func $guest "run")))
      (instance $command (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $command)))"#;
    let (outcome, said) = reason(own, Limits { handles: 50, ..Limits::default() }).await;
    assert_eq!(outcome, Outcome::Trapped);
    assert!(said.contains("held 500 handles") && said.contains("raise limits.handles"), "{said}");
}

#[test]
fn what_no_instance_has_room_for_is_told_with_the_caps() {
    for guest in [INSTANCES, &br#"(module (memory i64 0x1000000000) (func (export "_start")))"#[..]] {
        let refusal = sandbox().load(guest, &PluginSpec { ..spec("vast") }).unwrap_err();
        assert!(matches!(refusal, PluginError::NoRoom(_)), "{refusal:?}");
        let said = refusal.to_string();
        assert!(said.contains("64 core modules, 4 memories of 4 GiB"), "{said}");
        assert!(!said.contains("pooling") && refusal.hint().is_some(), "{said}");
    }
}

#[tokio::test]
async fn a_way_out_of_a_granted_folder_is_told() {
    const PATHS: &[u8] = include_bytes!("../../../../tests/guests/hostile/paths.wat");
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(outside.path().join("secret.txt"), "hidden").unwrap();
    let mut spec = spec("paths");
    spec.rights.read.insert("/data".to_owned(), folder.path().to_owned());
    let (report, _) = run(&sandbox().load(PATHS, &spec).unwrap(), "null").await;
    let said = report.reason.unwrap_or_default();
    assert_eq!(report.outcome, Outcome::Failed, "{said}");
    assert!(said.contains("; during the run: opening "), "{said}");
    assert!(said.contains("refused: it leads out of the folder that was granted"), "{said}");
}
