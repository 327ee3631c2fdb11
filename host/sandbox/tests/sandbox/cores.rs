//! Core dumps: there where they are asked for, whole, private and bounded; and never another outcome.

use std::{fs, path::Path, sync::Arc};

use clockbox_core::model::{Limits, LogStream, Outcome, PluginSpec, Report, RunId, Secret, SecretAs};
use clockbox_sandbox::{CancelToken, CoreDumps, RunRequest, Sandbox, SandboxError, SandboxOptions};
use wasmparser::{KnownCustom, Parser, Payload};

use crate::support::{Memory, command, job, job_with, load, noon, request, run, spec};

/// Traps three functions deep, with a text in its memory.
const DEEP: (&str, &str) = (
    r#"(data (i32.const 4096) "the ledger of accounts")
       (func $audit (drop (i32.load (i32.const -4))))
       (func $ledger (call $audit))"#,
    "(call $ledger) (unreachable)",
);

fn sandbox(cores: CoreDumps) -> Sandbox {
    Sandbox::new(SandboxOptions { cores: Some(cores), max_instances: 4, ..Default::default() }).unwrap()
}

async fn run_in(sandbox: &Sandbox, bytes: &[u8], limits: Limits) -> (Report, Arc<Memory>) {
    run(&sandbox.load(bytes, &PluginSpec { limits, ..spec("test") }).unwrap(), "null").await
}

fn files(folder: &Path) -> Vec<String> {
    let name = |file: fs::DirEntry| file.file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|file| name(file.unwrap())).collect();
    names.sort();
    names
}

/// What a debugger reads from a dump.
#[derive(Default)]
struct Core {
    program: String,
    modules: usize,
    instances: usize,
    /// Instance and function of each frame.
    frames: Vec<(u32, u32)>,
    memories: Vec<u64>,
    data: Vec<u8>,
    about: serde_json::Value,
}

fn read(path: &Path) -> Core {
    let (bytes, mut core) = (fs::read(path).unwrap(), Core::default());
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::MemorySection(memories) => {
                core.memories = memories.into_iter().map(|memory| memory.unwrap().initial).collect();
            }
            Payload::DataSection(segments) => {
                core.data = segments.into_iter().flat_map(|segment| segment.unwrap().data.to_vec()).collect();
            }
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::CoreDump(it) => core.program = it.name.to_owned(),
                KnownCustom::CoreDumpModules(it) => core.modules = it.modules.len(),
                KnownCustom::CoreDumpInstances(it) => core.instances = it.instances.len(),
                KnownCustom::CoreDumpStack(it) => {
                    core.frames = it.frames.iter().map(|frame| (frame.instanceidx, frame.funcidx)).collect();
                }
                _ if section.name() == "clockbox:run" => {
                    core.about = serde_json::from_slice(section.data()).unwrap();
                }
                _ => {}
            },
            _ => {}
        }
    }
    core
}

#[tokio::test]
async fn the_dump_of_a_trap_holds_the_stack_the_memory_and_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let cores = folder.path().join("new").join("cores");
    let sandbox = sandbox(CoreDumps::new(&cores));
    let (items, body) = DEEP;
    for bytes in [job_with(items, body), command(items, "(call $ledger)").into_bytes()] {
        let (report, sink) = run_in(&sandbox, &bytes, Limits::default()).await;
        assert_eq!(report.outcome, Outcome::Trapped);
        let name = format!("{}-2.core", request("null").run);
        let path = cores.canonicalize().unwrap().join(&name);
        assert_eq!(files(&cores), [name]);
        let reason = report.reason.unwrap();
        assert!(reason.ends_with(&format!("core dump: {}", path.display())), "{reason}");
        assert_eq!(sink.texts(LogStream::Host), [format!("core dump: {}", path.display())]);
        let backtrace = report.backtrace.unwrap();
        assert!(backtrace.contains("audit") && backtrace.contains("ledger"), "{backtrace}");

        let core = read(&path);
        assert_eq!(core.program, "test.wasm");
        assert!(core.modules >= 1 && core.instances >= 1 && core.frames.len() >= 3, "{:?}", core.frames);
        assert!(core.frames.iter().all(|(instance, _)| (*instance as usize) < core.instances));
        // The first of the frames are the two that the guest defines in this order.
        assert_eq!(core.frames[0].1 + 1, core.frames[1].1);
        assert!(core.memories.contains(&2) || core.memories.contains(&1), "{:?}", core.memories);
        let text = b"the ledger of accounts";
        assert!(core.data.windows(text.len()).any(|bytes| bytes == text));
        let about = core.about;
        assert_eq!(about["job"], "nightly");
        assert_eq!((&about["run"], &about["attempt"]), (&request("null").run.to_string().into(), &2.into()));
        assert_eq!((&about["plugin"], &about["backtrace"]), (&"test".into(), &backtrace.into()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(&cores)), (0o600, 0o700));
        }
        fs::remove_file(path).unwrap();
    }
}

#[tokio::test]
async fn without_being_asked_for_there_is_no_dump() {
    let (report, sink) = run(&load(&job_with(DEEP.0, DEEP.1)), "null").await;
    assert_eq!(report.outcome, Outcome::Trapped);
    assert!(!report.reason.unwrap().contains("core"));
    assert!(sink.texts(LogStream::Host).is_empty());
}

#[tokio::test]
async fn every_way_to_trap_leaves_a_dump_and_other_ends_leave_none() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(CoreDumps::new(folder.path()));
    let exit = |code| command("", &format!("(call $exit (i32.const {code}))")).into_bytes();
    let greedy = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    let small = Limits { memory: 8 << 20, ..Limits::default() };
    let fuel = Limits { fuel: Some(100_000), ..Limits::default() };
    let stack = Limits { stack: Some(64 << 10), ..Limits::default() };
    let short = Limits { timeout: std::time::Duration::from_millis(60), ..Limits::default() };
    let deep = "(func $deep (param i32) (result i32) (call $deep (local.get 0)))";
    let spin = "(func $spin unreachable) (start $spin)";
    let trapped = Outcome::Trapped;
    for (bytes, limits, outcome, is_dumped) in [
        (job("(unreachable)"), Limits::default(), trapped, true),
        (job("(i32.div_u (i32.const 1) (i32.const 0))"), Limits::default(), trapped, true),
        (job_with(deep, "(call $deep (i32.const 0))"), stack, trapped, true),
        (job("(loop (br 0)) (unreachable)"), fuel, trapped, true),
        (job_with(spin, "(call $none)"), Limits::default(), trapped, true),
        (command(spin, "").into_bytes(), Limits::default(), trapped, true),
        (job(greedy), small, Outcome::OutOfMemory, true),
        (job("(loop (br 0)) (unreachable)"), short, Outcome::TimedOut, false),
        (job("(call $none)"), Limits::default(), Outcome::Succeeded, false),
        (job("(call $fail (i32.const 3))"), Limits::default(), Outcome::Failed, false),
        (exit(0), Limits::default(), Outcome::Succeeded, false),
        (exit(7), Limits::default(), Outcome::Failed, false),
    ] {
        let (report, sink) = run_in(&sandbox, &bytes, limits).await;
        let said = (report.reason.unwrap_or_default(), sink.texts(LogStream::Host));
        assert_eq!(report.outcome, outcome, "{said:?}");
        assert_eq!(!files(folder.path()).is_empty(), is_dumped, "{said:?}");
        assert_eq!(report.backtrace.is_some(), is_dumped, "{said:?}");
        for file in files(folder.path()) {
            assert!(!read(&folder.path().join(&file)).frames.is_empty(), "{said:?}");
            fs::remove_file(folder.path().join(file)).unwrap();
        }
    }
}

#[tokio::test]
async fn there_are_only_so_many_dumps() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(CoreDumps { most_files: 3, ..CoreDumps::new(folder.path()) });
    let plugin = sandbox.load(&job("(unreachable)"), &spec("test")).unwrap();
    let mut last = None;
    let mut names = Vec::new();
    for _ in 0..6 {
        let id = RunId::next(last, noon());
        last = Some(id);
        let request = RunRequest { run: id, attempt: 1, ..request("null") };
        plugin.run(request, Memory::new(), CancelToken::new()).await;
        names.push(format!("{id}-1.core"));
    }
    assert_eq!(files(folder.path()), names[3..]);
}

#[tokio::test]
async fn a_dump_that_would_be_too_large_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(CoreDumps { largest: 100_000, ..CoreDumps::new(folder.path()) });
    let (report, sink) = run_in(&sandbox, &job("(unreachable)"), Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Trapped);
    assert!(!report.reason.unwrap().contains("core"));
    let said = sink.texts(LogStream::Host).concat();
    assert!(said.starts_with("no core dump was written") && said.contains("97.7 KiB"), "{said}");
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told_at_once_and_one_that_is_lost_changes_no_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let cores = Some(CoreDumps::new(file.join("cores")));
    let refusal = Sandbox::new(SandboxOptions { cores, ..Default::default() }).unwrap_err();
    assert!(matches!(refusal, SandboxError::CoreDumps { .. }), "{refusal}");

    let lost = folder.path().join("lost");
    let sandbox = sandbox(CoreDumps::new(&lost));
    fs::remove_dir(&lost).unwrap();
    fs::write(&lost, "").unwrap();
    let (report, sink) = run_in(&sandbox, &job("(unreachable)"), Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Trapped);
    let said = sink.texts(LogStream::Host).concat();
    assert!(said.starts_with("no core dump was written: ") && said.contains("lost"), "{said}");
    fs::remove_file(&lost).unwrap();
    run_in(&sandbox, &job("(unreachable)"), Limits::default()).await;
    assert_eq!(files(&lost).len(), 1, "the folder is made again");
}

#[tokio::test]
async fn a_guest_whose_globals_the_engine_cannot_dump_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(CoreDumps::new(folder.path()));
    let odd = command("(global (mut exnref) (ref.null exn))", "(unreachable)");
    let (report, sink) = run_in(&sandbox, odd.as_bytes(), Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Trapped);
    let said = sink.texts(LogStream::Host).concat();
    assert!(said.contains("a global of a type"), "{said}");
    let known = "(type $s (struct)) (global (mut anyref) (ref.null any)) (global (mut i31ref) (ref.null i31))
                 (global externref (ref.null extern)) (global (mut funcref) (ref.null func))
                 (global (mut (ref null $s)) (struct.new $s)) (global f64 (f64.const 1))";
    let (report, _) = run_in(&sandbox, command(known, "(unreachable)").as_bytes(), Limits::default()).await;
    assert!(report.reason.unwrap().contains("core dump: "));
}

#[tokio::test]
async fn a_dump_holds_what_the_guest_held_and_that_may_be_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(CoreDumps::new(folder.path()));
    let mut spec = spec("test");
    spec.rights.secrets = [("TOKEN".to_owned(), Secret::new("hunter2-hunter2", SecretAs::Config))].into();
    let body = "(call $config (i32.const 1024) (i32.const 5) (i32.const 256)) (unreachable)";
    let bytes = job_with(r#"(data (i32.const 1024) "TOKEN")"#, body);
    let (report, _) = run(&sandbox.load(&bytes, &spec).unwrap(), "null").await;
    assert_eq!(report.outcome, Outcome::Trapped);
    let core = read(&folder.path().join(&files(folder.path())[0]));
    let text = b"hunter2-hunter2";
    assert!(core.data.windows(text.len()).any(|bytes| bytes == text), "that is why dumps are private");
}
