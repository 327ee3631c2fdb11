//! Plugins are compiled in a process of their own, which a hostile one cannot make take more than it may.
#![cfg(unix)]

use std::{path::PathBuf, time::Duration};

use clockbox::{
    PluginSpec,
    sandbox::{Compiler, CoreDumps, Plugin, PluginError, Sandbox, SandboxOptions},
};
use clockbox_core::model::CompileLimits;

const COMMAND: &[u8] = br#"(module (func (export "_start")))"#;

fn this_program() -> Compiler {
    Compiler::Process { program: env!("CARGO_BIN_EXE_clockbox").into(), args: vec!["compile-plugin".into()] }
}

/// Another program in the place of the compiler.
fn shell(script: &str) -> Compiler {
    Compiler::Process { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] }
}

fn sandbox(compiler: Compiler, compile: CompileLimits) -> Sandbox {
    Sandbox::new(SandboxOptions { compiler, compile, max_instances: 1, ..Default::default() }).unwrap()
}

fn load(sandbox: &Sandbox, bytes: &[u8]) -> Result<Plugin, PluginError> {
    sandbox.load(bytes, &PluginSpec::new("test".parse().unwrap(), PathBuf::from("test.wat")))
}

fn refusal(compiler: Compiler, compile: CompileLimits, bytes: &[u8]) -> PluginError {
    let refusal = load(&sandbox(compiler, compile), bytes).unwrap_err();
    assert!(refusal.hint().is_some(), "{refusal}");
    refusal
}

/// A module of many functions, each of many additions: small as a file, long to compile.
fn bomb(functions: usize) -> Vec<u8> {
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id][..], &length(content.len()), content].concat()
    }
    /// LEB128.
    fn length(mut n: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while n > 127 {
            bytes.push((n % 128) as u8 | 128);
            n /= 128;
        }
        bytes.push(n as u8);
        bytes
    }
    // local 0 = local 0 + local 1, again and again.
    let sums = [0x20, 0, 0x20, 1, 0x7c, 0x21, 0].repeat(20_000);
    let long = [&[0][..], &sums, &[0x0b]].concat();
    let long = [&length(long.len())[..], &long].concat();
    let code = [&length(functions + 1)[..], &[2, 0, 0x0b], &long.repeat(functions)].concat();
    let types = [2, 0x60, 0, 0, 0x60, 2, 0x7e, 0x7e, 0];
    let kinds = [&length(functions + 1)[..], &[0], &[1].repeat(functions)].concat();
    let export = b"\x01\x06_start\0\0";
    [
        &b"\0asm\x01\0\0\0"[..],
        &section(1, &types),
        &section(3, &kinds),
        &section(7, export),
        &section(10, &code),
    ]
    .concat()
}

#[test]
fn what_another_process_compiled_is_what_this_one_runs() {
    for fuel in [None, Some(1_000)] {
        let mut spec = PluginSpec::new("test".parse().unwrap(), "test.wat");
        spec.limits.fuel = fuel;
        let plugin = sandbox(this_program(), CompileLimits::default()).load(COMMAND, &spec).unwrap();
        assert!(!plugin.from_cache());
    }
}

#[test]
fn what_another_process_compiled_runs_on_an_engine_that_makes_core_dumps() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = |cores| SandboxOptions {
        compiler: this_program(),
        cache_dir: Some(cache.path().to_owned()),
        cores,
        max_instances: 1,
        ..Default::default()
    };
    let with = Sandbox::new(options(Some(CoreDumps::new(folder.path())))).unwrap();
    assert!(!load(&with, COMMAND).unwrap().from_cache());
    let without = Sandbox::new(options(None)).unwrap();
    assert!(load(&without, COMMAND).unwrap().from_cache(), "core dumps are no matter of code");
}

#[test]
fn a_plugin_that_does_not_validate_is_told_so_by_the_other_process() {
    let wrong = br#"(module (func (export "_start") (result i32) unreachable (i64.const 1)))"#;
    let refusal = refusal(this_program(), CompileLimits::default(), wrong);
    assert!(matches!(refusal, PluginError::Invalid(_)), "{refusal:?}");
}

#[test]
fn a_compile_bomb_is_stopped_when_its_time_is_over() {
    let limit = Duration::from_millis(200);
    let limits = CompileLimits { timeout: limit, ..Default::default() };
    let error = refusal(this_program(), limits, &bomb(200));
    assert_eq!(error, PluginError::CompileTimeout { limit });
    assert!(error.to_string().contains("scheduler.compile.timeout"), "{error}");
}

#[test]
fn what_was_too_dear_to_compile_is_not_tried_again_until_somebody_asks() {
    let folder = tempfile::tempdir().unwrap();
    let tried = folder.path().join("tried");
    // A compiler that counts, and never ends.
    let counting = format!("echo >> {}; exec sleep 3600", tried.display());
    let limit = Duration::from_millis(200);
    let sandbox = sandbox(shell(&counting), CompileLimits { timeout: limit, ..Default::default() });
    let times = || std::fs::read_to_string(&tried).unwrap().lines().count();
    let refuse = || assert_eq!(load(&sandbox, COMMAND).unwrap_err(), PluginError::CompileTimeout { limit });
    refuse();
    refuse();
    assert_eq!(times(), 1);
    sandbox.forget_refusals();
    refuse();
    assert_eq!(times(), 2);
}

/// WebAssembly text of about this many bytes: a command with a great many instructions that do nothing.
fn long_text(size: usize) -> Vec<u8> {
    format!("(module (func (export \"_start\") {}))", "nop ".repeat(size / 4)).into_bytes()
}

#[test]
fn a_long_text_is_assembled_by_the_other_process() {
    let plugin = load(&sandbox(this_program(), CompileLimits::default()), &long_text(200 << 10)).unwrap();
    assert_eq!(plugin.kind(), clockbox::sandbox::PluginKind::Module);
    let text = long_text(200 << 10);
    let error = refusal(this_program(), CompileLimits::default(), &text[..text.len() - 1]);
    assert!(matches!(&error, PluginError::Text(account) if account.len() < 3_000), "{error}");
    // A shell would not know what to do with it, so that it is not this process that assembles.
    let error = refusal(shell("exit 3"), CompileLimits::default(), &text);
    assert!(matches!(error, PluginError::Compiler(_)), "{error}");
    assert!(load(&sandbox(Compiler::InProcess, CompileLimits::default()), &text).is_ok());
}

/// Nested components that each import the outermost one's type: assembling takes a time that grows with the square of the
/// text.
fn slow_text(size: usize) -> Vec<u8> {
    let imports = r#"(import "a" (func (type $t)))"#.repeat(size / 29);
    format!("(component (type $t (func)) {}{imports}{})", "(component ".repeat(40), ")".repeat(40))
        .into_bytes()
}

#[test]
fn a_text_that_takes_too_long_is_stopped_when_its_time_is_over() {
    let limit = Duration::from_millis(500);
    let limits = CompileLimits { timeout: limit, ..Default::default() };
    let error = refusal(this_program(), limits, &slow_text(4 << 20));
    assert_eq!(error, PluginError::CompileTimeout { limit });
}

#[test]
fn a_text_that_nests_without_end_overflows_no_stack() {
    let deep = "(component ".repeat(1 << 20);
    for compiler in [this_program(), Compiler::InProcess] {
        let error = refusal(compiler, CompileLimits::default(), deep.as_bytes());
        assert!(matches!(&error, PluginError::Text(account) if account.contains("too deep")), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_text_that_takes_too_much_memory_is_stopped() {
    let limit = 256 << 20;
    let limits = CompileLimits { memory: limit, ..Default::default() };
    let text = format!("(module {})", "(func)".repeat((40 << 20) / 6)).into_bytes();
    assert_eq!(refusal(this_program(), limits, &text), PluginError::CompileMemory { limit });
}

#[cfg(target_os = "linux")]
#[test]
fn a_compiler_that_needs_more_memory_than_it_may_have_is_stopped() {
    let limit = 128 << 20;
    let limits = CompileLimits { memory: limit, ..Default::default() };
    let error = refusal(this_program(), limits, &bomb(400));
    assert_eq!(error, PluginError::CompileMemory { limit });
    assert!(error.to_string().contains("scheduler.compile.memory"), "{error}");
}

#[test]
fn a_program_that_is_no_compiler_is_a_plain_error() {
    for (script, words) in [
        ("exit 3", "exit status: 3"),
        ("echo broken >&2; exit 1", "broken"),
        ("echo hello", "ended without code"),
        ("kill -SEGV $$", "signal: 11"),
    ] {
        let error = refusal(shell(script), CompileLimits::default(), COMMAND);
        assert!(matches!(error, PluginError::Compiler(_)) && error.to_string().contains(words), "{error}");
    }
    let missing = Compiler::Process { program: "/nowhere/clockbox".into(), args: Vec::new() };
    let error = refusal(missing, CompileLimits::default(), COMMAND);
    assert!(error.to_string().contains("cannot be started"), "{error}");
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let limits = CompileLimits { timeout: Duration::from_millis(100), ..Default::default() };
    // The inner one holds the pipes: were it left running, this would not return.
    let error = refusal(shell("sleep 600 & sleep 600"), limits, COMMAND);
    assert!(matches!(error, PluginError::CompileTimeout { .. }), "{error:?}");
}

#[test]
fn a_compilation_in_this_process_is_given_up_and_keeps_its_place() {
    let limits = CompileLimits { timeout: Duration::from_millis(1), ..Default::default() };
    let here = sandbox(Compiler::InProcess, limits);
    let bomb = bomb(30);
    assert!(matches!(load(&here, &bomb), Err(PluginError::CompileTimeout { .. })));
    assert!(matches!(load(&here, COMMAND), Err(PluginError::CompilerBusy { at_once: 1 })));
}
