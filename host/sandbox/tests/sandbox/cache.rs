//! The compile cache: what lies on the disk is used only if it is what was put there.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use clockbox_core::model::{CompileLimits, Limits, Outcome, PluginSpec, Timestamp};
use clockbox_sandbox::{CacheUse, Sandbox, SandboxOptions};

use crate::support::{job, noon, run, spec};

/// A sandbox as a start makes it.
fn start(folder: &Path) -> Sandbox {
    start_with(folder, CompileLimits::default(), None)
}

fn start_with(folder: &Path, compile: CompileLimits, clock: Option<fn() -> Timestamp>) -> Sandbox {
    let cache_dir = Some(folder.to_owned());
    Sandbox::new(SandboxOptions { cache_dir, compile, clock, max_instances: 1, ..Default::default() })
        .unwrap()
}

/// Different plugins of one size.
fn guest(n: u8) -> Vec<u8> {
    job(&format!("(drop (i32.const {})) (call $none)", 10 + n))
}

fn fuelled() -> PluginSpec {
    PluginSpec { limits: Limits { fuel: Some(1_000_000), ..Limits::default() }, ..spec("test") }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut entries: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "code")).collect();
    entries.sort();
    entries
}

fn the_entry(folder: &Path) -> PathBuf {
    let mut entries = entries(folder);
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

/// Loads the plugin after its entry was tampered with: it is compiled again, runs, and the entry is good again.
async fn heals(folder: &Path, bytes: &[u8], what: &str) {
    let plugin = start(folder).load(bytes, &spec("test")).unwrap();
    assert!(!plugin.from_cache(), "{what}");
    assert_eq!(run(&plugin, "null").await.0.outcome, Outcome::Succeeded, "{what}");
    assert!(start(folder).load(bytes, &spec("test")).unwrap().from_cache(), "{what}: replaced");
}

#[tokio::test]
async fn a_poisoned_entry_is_compiled_again_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let bytes = guest(0);
    start(folder).load(&bytes, &spec("test")).unwrap();
    let entry = the_entry(folder);
    let good = fs::read(&entry).unwrap();

    let flip = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let code = good.len() - 1000;
    for (what, poison) in [
        ("a byte of the code", flip(code)),
        ("the last byte", flip(good.len() - 1)),
        ("the magic", flip(0)),
        ("the digest", flip(8)),
        ("the time it took", flip(90)),
        ("what vouches for it", flip(100)),
        ("cut in the code", good[..code].to_vec()),
        ("cut in the header", good[..50].to_vec()),
        ("nothing", Vec::new()),
        ("something else", b"#!/bin/sh\nexit".to_vec()),
        ("longer", [&good[..], b"more"].concat()),
    ] {
        fs::write(&entry, poison).unwrap();
        heals(folder, &bytes, what).await;
    }
}

#[tokio::test]
async fn native_code_without_the_header_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = guest(0);
    start(folder.path()).load(&bytes, &spec("test")).unwrap();
    let native = wasmtime::Engine::default().precompile_component(&bytes).unwrap();
    fs::write(the_entry(folder.path()), native).unwrap();
    heals(folder.path(), &bytes, "bare native code").await;
}

#[tokio::test]
async fn entries_cannot_be_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (one, other) = (guest(1), guest(2));
    start(folder).load(&one, &spec("test")).unwrap();
    start(folder).load(&other, &spec("test")).unwrap();
    let entries = entries(folder);
    let [a, b] = &entries[..] else { panic!("{entries:?}") };
    let spare = folder.join("spare");
    fs::rename(a, &spare).unwrap();
    fs::rename(b, a).unwrap();
    fs::rename(&spare, b).unwrap();
    heals(folder, &one, "swapped").await;
    heals(folder, &other, "swapped").await;
}

#[tokio::test]
async fn code_of_another_engine_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let bytes = guest(0);
    start(folder).load(&bytes, &spec("test")).unwrap();
    let plain = the_entry(folder);
    assert!(!start(folder).load(&bytes, &fuelled()).unwrap().from_cache(), "its code counts fuel");
    let entries = entries(folder);
    let fuelled = entries.iter().find(|path| **path != plain).unwrap();
    fs::copy(fuelled, &plain).unwrap();
    heals(folder, &bytes, "code that counts fuel").await;
}

#[tokio::test]
async fn another_key_vouches_for_nothing() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bytes = guest(0);
    for folder in [&folder, &elsewhere] {
        start(folder.path()).load(&bytes, &spec("test")).unwrap();
    }
    // The entry of another user's cache.
    fs::copy(the_entry(elsewhere.path()), the_entry(folder.path())).unwrap();
    heals(folder.path(), &bytes, "another user's").await;
    fs::remove_file(folder.path().join("key")).unwrap();
    heals(folder.path(), &bytes, "the key is gone").await;
    fs::write(folder.path().join("key"), [0; 32]).unwrap();
    heals(folder.path(), &bytes, "the key is another").await;
}

#[test]
fn what_the_disk_does_is_never_fatal() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let bytes = guest(0);
    let sandbox = start(folder);
    sandbox.load(&bytes, &spec("test")).unwrap();
    let entry = the_entry(folder);
    fs::remove_file(&entry).unwrap();
    fs::create_dir(&entry).unwrap();
    assert!(!start(folder).load(&bytes, &spec("test")).unwrap().from_cache(), "a folder in its place");
    fs::remove_dir_all(folder).unwrap();
    assert!(!sandbox.load(&guest(1), &spec("test")).unwrap().from_cache(), "the folder is gone");
}

#[test]
fn nobody_else_can_read_what_the_cache_holds() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("cache");
    start(&folder).load(&guest(0), &spec("test")).unwrap();
    #[cfg(unix)]
    for (path, mode) in [(folder.clone(), 0o700), (folder.join("key"), 0o600), (the_entry(&folder), 0o600)] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing unfinished is left");
}

#[test]
fn what_a_killed_host_left_unfinished_goes_at_the_next_start_and_what_is_being_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    start(folder).load(&guest(0), &spec("test")).unwrap();
    let whole = fs::read(the_entry(folder)).unwrap();
    let put = |name: &str| {
        let path = folder.join(name);
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        path
    };
    let (left, written, other) = (put(".new-left"), put(".new-written"), put("notes"));
    let writer = fs::File::open(&written).unwrap();
    writer.lock().unwrap();
    let link = folder.join(".new-link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&other, &link).unwrap();
    assert!(start(folder).load(&guest(0), &spec("test")).unwrap().from_cache());
    let exist = [&left, &written, &other].map(|path| path.exists());
    assert_eq!(exist, [false, true, true]);
    drop(writer);
    start(folder);
    assert_eq!([&written, &other].map(|path| path.exists()), [false, true]);
}

#[test]
fn what_was_not_used_for_the_longest_time_goes_first() {
    static SECOND: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        noon() + Duration::from_secs(SECOND.fetch_add(1, Ordering::Relaxed).unsigned_abs())
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let load = |n, cache| {
        let compile = CompileLimits { cache, ..Default::default() };
        start_with(folder, compile, Some(clock)).load(&guest(n), &spec("test")).unwrap()
    };
    assert!(!load(0, u64::MAX).from_cache());
    let size = the_entry(folder).metadata().unwrap().len();
    assert!(!load(1, u64::MAX).from_cache());
    let room = size * 2 + size / 2;
    assert!(load(0, room).from_cache(), "used after the other one");
    assert!(!load(2, room).from_cache());
    assert_eq!(entries(folder).len(), 2);
    assert!(load(0, room).from_cache());
    assert!(!load(1, room).from_cache(), "it went");
    assert!(!load(3, size / 2).from_cache());
    assert_eq!(entries(folder).len(), 2, "one that is larger than the cache is not kept, and costs no other");
}

#[test]
fn when_and_how_long_it_was_compiled_is_kept_with_the_code() {
    static CALLS: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        noon() + Duration::from_secs(CALLS.fetch_add(1, Ordering::Relaxed).unsigned_abs())
    }
    let folder = tempfile::tempdir().unwrap();
    let start = || start_with(folder.path(), CompileLimits::default(), Some(clock));
    let first = start().load(&guest(0), &spec("test")).unwrap().compilation();
    assert_eq!((first.at, first.took), (Some(noon() + Duration::from_secs(1)), Some(Duration::from_secs(1))));
    let second = start().load(&guest(0), &spec("test")).unwrap();
    assert!(second.from_cache());
    assert_eq!(second.compilation(), first);
}

#[tokio::test]
async fn what_the_cache_was_good_for_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = start(folder);
    let loaded = [0, 1].map(|n| first.load(&guest(n), &spec("test")).unwrap());
    let size: u64 = entries(folder).iter().map(|entry| entry.metadata().unwrap().len()).sum();
    assert!(size > 0);
    assert_eq!(first.cache_use().unwrap(), Some(CacheUse { hits: 0, misses: 2, bytes: size }));
    // Code that is in use is not looked for.
    first.load(&guest(0), &spec("test")).unwrap();
    assert_eq!(first.cache_use().unwrap().map(|seen| (seen.hits, seen.misses)), Some((0, 2)));
    drop(loaded);
    let second = start(folder);
    second.load(&guest(0), &spec("test")).unwrap();
    assert_eq!(second.cache_use().unwrap(), Some(CacheUse { hits: 1, misses: 0, bytes: size }));
    let none = Sandbox::new(SandboxOptions { max_instances: 1, ..Default::default() }).unwrap();
    none.load(&guest(0), &spec("test")).unwrap();
    assert_eq!(none.cache_use().unwrap(), None);
}
