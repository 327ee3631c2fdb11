//! What is taken as a plugin, and what is refused and why.

use clockbox_core::model::{CompileLimits, Limits, Outcome, PluginSpec, Rights};
use clockbox_sandbox::{PluginError, PluginKind, Sandbox, SandboxError, SandboxOptions, inspect};

use crate::support::{command, command_component, job, run, sandbox, spec};

fn refusal(bytes: &[u8]) -> PluginError {
    let refusal = sandbox().load(bytes, &spec("test")).unwrap_err();
    assert!(refusal.hint().is_some_and(|hint| !hint.is_empty()), "{refusal}");
    refusal
}

/// A component that imports an empty instance of this name and exports an empty one of that name.
fn component(import: &str, export: &str) -> Vec<u8> {
    let text = format!(
        r#"(component (import "{import}" (instance $i)) (instance $e) (export "{export}" (instance $e)))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn each_kind_is_told_by_what_it_exports() {
    for (bytes, kind) in [
        (job("(call $none)"), PluginKind::Job),
        (command_component("", ""), PluginKind::Command),
        (wat::parse_str(command("", "")).unwrap(), PluginKind::Module),
        (command("", "").into_bytes(), PluginKind::Module),
    ] {
        assert_eq!(inspect(&bytes).unwrap().kind, Some(kind));
        assert_eq!(sandbox().load(&bytes, &spec("test")).unwrap().kind(), kind);
    }
}

#[test]
fn what_is_no_webassembly_is_refused_by_what_it_is() {
    assert_eq!(refusal(b""), PluginError::Empty);
    assert!(matches!(refusal(b"\0as"), PluginError::Truncated { size: 3 }));
    let PluginError::NotWasm { start } = refusal(b"#!/bin/sh\necho hello") else { panic!() };
    assert!(start.contains("a script"), "{start}");
    assert!(matches!(refusal(b"\x7fELF\x02\x01\x01\0\0\0\0"), PluginError::NotWasm { .. }));
    assert!(matches!(refusal(b"(hello)"), PluginError::NotWasm { .. }));
    let PluginError::Text(mistake) = refusal(b";; note\n(module (func $a (call $b)))") else { panic!() };
    assert!(mistake.contains("$b"), "{mistake}");
    assert!(matches!(refusal(b"\0asm\x07\0\0\0"), PluginError::Invalid(_)));
}

#[test]
fn native_code_is_never_loaded() {
    let engine = wasmtime::Engine::default();
    let native = engine.precompile_module(b"(module)").unwrap();
    assert_eq!(refusal(&native), PluginError::NativeCode);
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused_without_a_panic() {
    let whole = command_component("", "");
    let mut truncated = 0;
    for size in (1..whole.len()).step_by(97) {
        match sandbox().load(&whole[..size], &spec("test")).unwrap_err() {
            PluginError::Truncated { .. } => truncated += 1,
            // A cut between two sections leaves a component that is whole and lacks its exports.
            PluginError::WrongWorld { .. } => {}
            other => panic!("cut at {size}: {other:?}"),
        }
    }
    assert!(truncated > 100);
}

#[test]
fn a_damaged_file_is_refused_without_a_panic() {
    let whole = command_component("", "");
    for at in (8..whole.len()).step_by(211) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        // Some damage hits a name or a constant and does no harm; what matters is that nothing panics.
        let _ = inspect(&damaged);
    }
    let mut damaged = whole;
    damaged[8..72].fill(0xff);
    assert!(matches!(refusal(&damaged), PluginError::Invalid(_)));
}

#[test]
fn a_file_beyond_the_size_cap_is_refused_before_it_is_read() {
    let options = SandboxOptions {
        compile: CompileLimits { max_size: 1000, ..Default::default() },
        max_instances: 1,
        ..Default::default()
    };
    let small = Sandbox::new(options).unwrap();
    let refusal = small.load(&vec![0; 1001], &spec("test")).unwrap_err();
    assert_eq!(refusal, PluginError::TooLarge { size: 1001, max: 1000 });
}

#[test]
fn the_wrong_world_is_told_with_what_it_exports() {
    let refusal_of = |bytes: &[u8]| refusal(bytes);
    let library = refusal_of(br#"(module (func (export "add")) (func (export "sub")))"#);
    assert_eq!(
        library,
        PluginError::WrongWorld { what: "module", exports: vec!["add".to_owned(), "sub".to_owned()] }
    );
    assert!(library.to_string().contains("add, sub"));
    let proxy = refusal_of(&component("wasi:io/error@0.2.0", "wasi:http/incoming-handler@0.2.0"));
    assert!(matches!(proxy, PluginError::WrongWorld { what: "component", .. }), "{proxy:?}");
    assert!(proxy.hint().unwrap().contains("clockbox:job/runner"));
    assert!(matches!(refusal_of(b"(component)"), PluginError::WrongWorld { .. }));
}

#[test]
fn wrong_versions_are_told_with_the_right_ones() {
    let other = refusal(&component("wasi:io/error@0.2.0", "clockbox:job/runner@0.2.0"));
    let expected = PluginError::WrongVersion {
        import: false,
        name: "clockbox:job/runner@0.2.0".to_owned(),
        supported: "clockbox:job/runner@0.1.x".to_owned(),
    };
    assert_eq!(other, expected);
    let newer = refusal(&component("wasi:cli/stdout@0.3.0", "wasi:cli/run@0.2.0"));
    assert!(matches!(newer, PluginError::WrongVersion { import: true, .. }), "{newer:?}");
    let old = refusal(br#"(module (import "wasi_unstable" "fd_write" (func)) (func (export "_start")))"#);
    assert!(matches!(old, PluginError::WrongVersion { .. }), "{old:?}");
}

#[test]
fn imports_that_nobody_provides_are_named() {
    for import in ["wasi:nn/graph@0.2.0-rc-2024-06-25", "acme:db/query@1.0.0", "clockbox:state/kv@0.1.0"] {
        let refusal = refusal(&component(import, "clockbox:job/runner@0.1.0"));
        assert_eq!(refusal, PluginError::UnknownImport { import: import.to_owned() });
    }
    let env = refusal(br#"(module (import "env" "now" (func)) (func (export "_start")))"#);
    assert_eq!(env, PluginError::UnknownImport { import: "env.now".to_owned() });
}

#[test]
fn a_module_of_a_job_that_no_tool_made_a_component_is_told_what_to_do() {
    let command =
        refusal(br#"(module (import "clockbox:job/log@0.1.0" "write" (func)) (func (export "_start")))"#);
    let name = "clockbox:job/log@0.1.0.write".to_owned();
    assert_eq!(command, PluginError::BareJob { import: true, name });
    assert!(command.hint().unwrap().contains("clockbox build"));
    let reactor = refusal(br#"(module (func (export "clockbox:job/runner@0.1.0#run")))"#);
    let name = "clockbox:job/runner@0.1.0#run".to_owned();
    assert_eq!(reactor, PluginError::BareJob { import: false, name });
}

#[test]
fn outgoing_http_must_be_granted_to_load() {
    let bytes = component("wasi:http/outgoing-handler@0.2.4", "wasi:cli/run@0.2.0");
    let refusal = refusal(&bytes);
    assert!(matches!(refusal, PluginError::NotGranted { right: "http", .. }), "{refusal:?}");
    assert!(refusal.to_string().contains("allow.http"));
    assert_eq!(inspect(&bytes).unwrap().wants, ["http"]);
    let rights = Rights {
        http: vec![clockbox_core::model::HttpGrant::to("https://a.example".parse().unwrap())],
        ..Rights::default()
    };
    assert!(inspect(&bytes).unwrap().check(&rights).is_ok());
}

#[test]
fn what_does_not_fit_its_interface_is_refused_when_it_is_loaded() {
    let empty = component("wasi:io/error@0.2.0", "clockbox:job/runner@0.1.0");
    assert!(matches!(refusal(&empty), PluginError::Link(_)));
    let start = refusal(br#"(module (func (export "_start") (param i32)))"#);
    assert!(matches!(start, PluginError::Link(_)), "{start:?}");
    let odd = br#"(module (import "wasi_snapshot_preview1" "no_such" (func)) (func (export "_start")))"#;
    assert!(matches!(refusal(odd), PluginError::Link(_)));
}

#[test]
fn a_pin_that_does_not_match_names_both_digests() {
    let bytes = job("(call $none)");
    let actual = inspect(&bytes).unwrap().sha256;
    let pinned = |digest: &str| PluginSpec { sha256: Some(digest.to_owned()), ..spec("test") };
    assert_eq!(sandbox().load(&bytes, &pinned(&actual)).unwrap().digest(), actual);
    assert!(sandbox().load(&bytes, &pinned(&actual.to_uppercase())).is_ok());
    let expected = "0".repeat(64);
    let refusal = sandbox().load(&bytes, &pinned(&expected)).unwrap_err();
    assert_eq!(refusal, PluginError::DigestMismatch { expected: expected.clone(), actual: actual.clone() });
    let plugin = sandbox().load(&bytes, &spec("test")).unwrap();
    assert!(matches!(plugin.with_spec(&pinned(&expected)), Err(PluginError::DigestMismatch { .. })));
}

#[tokio::test]
async fn other_limits_take_the_same_code_and_leave_the_old_plugin_as_it_is() {
    let plugin = sandbox().load(&job("(call $some (i32.const 0) (i32.const 100))"), &spec("test")).unwrap();
    let limits = Limits { output: 10, ..Limits::default() };
    let tight = plugin.with_spec(&PluginSpec { limits, ..spec("test") }).unwrap();
    assert!(tight.from_cache());
    assert_eq!(run(&tight, "null").await.0.outcome, Outcome::Failed);
    assert_eq!(run(&plugin, "null").await.0.outcome, Outcome::Succeeded);
    let fuelled = PluginSpec { limits: Limits { fuel: Some(1), ..Limits::default() }, ..spec("test") };
    assert_eq!(plugin.with_spec(&fuelled).unwrap_err(), PluginError::OtherEngine);
}

#[test]
fn the_same_bytes_are_compiled_once_while_they_are_in_use() {
    let bytes = job("(call $some (i32.const 1) (i32.const 2))");
    let first = sandbox().load(&bytes, &spec("one")).unwrap();
    let second = sandbox().load(&bytes, &spec("two")).unwrap();
    assert!(!first.from_cache());
    assert!(second.from_cache());
    assert_eq!(second.spec().name.as_str(), "two");
}

#[test]
fn a_second_start_takes_the_code_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache_dir = folder.path().join("made/here");
    let start = || {
        let options =
            SandboxOptions { cache_dir: Some(cache_dir.clone()), max_instances: 1, ..Default::default() };
        Sandbox::new(options).unwrap()
    };
    for bytes in [job("(call $none)"), command("", "").into_bytes()] {
        assert!(!start().load(&bytes, &spec("test")).unwrap().from_cache());
        assert!(start().load(&bytes, &spec("test")).unwrap().from_cache());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(cache_dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[cfg(unix)]
#[test]
fn a_cache_that_others_may_write_to_is_not_trusted() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let options = SandboxOptions { cache_dir: Some(folder.path().to_owned()), ..Default::default() };
    let Err(SandboxError::Cache { reason, .. }) = Sandbox::new(options) else { panic!() };
    assert!(reason.contains("chmod go-w"), "{reason}");
}

#[test]
fn an_inspection_tells_what_a_plugin_says_of_itself() {
    let text = r#"(component
        (@custom "version" "1.2.3") (@custom "description" "says hello") (@custom "licenses" "MIT")
        (@custom "clockbox:job" "name = \"hello\"")
        (core module (@producers (language "Rust" "2024") (processed-by "rustc" "1.96.0")))
        (import "wasi:filesystem/types@0.2.6" (instance))
        (import "wasi:cli/environment@0.2.6" (instance)))"#;
    let found = inspect(text.as_bytes()).unwrap();
    assert_eq!((found.kind, found.component, found.size), (None, true, text.len() as u64));
    assert_eq!(found.wants, ["env", "read"]);
    assert_eq!(found.version.as_deref(), Some("1.2.3"));
    assert_eq!(found.description.as_deref(), Some("says hello"));
    assert_eq!(found.licenses.as_deref(), Some("MIT"));
    assert_eq!(found.job.as_deref(), Some("name = \"hello\""));
    let producers: Vec<_> = found.producers.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(producers, ["Rust", "rustc"]);
    assert_eq!(inspect(b"(module $named)").unwrap().name.as_deref(), Some("named"));
}
