//! A look into the compile cache sees what a host would take, and leaves no trace.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use clockbox_core::model::{CompileLimits, Limits, Timestamp};
use clockbox_sandbox::{CacheView, PluginKind, Sandbox, SandboxOptions, inspect};

use crate::support::{job, noon, spec};

const MOST: u64 = 1 << 30;

fn start(folder: &Path) -> Sandbox {
    let (cache_dir, clock): (_, Option<fn() -> Timestamp>) = (Some(folder.to_owned()), Some(noon));
    let compile = CompileLimits::default();
    Sandbox::new(SandboxOptions { cache_dir, compile, clock, max_instances: 1, ..Default::default() })
        .unwrap()
}

fn guest() -> Vec<u8> {
    job("(call $none)")
}

fn view(folder: &Path) -> CacheView {
    CacheView::open(folder, MOST).unwrap()
}

/// Every file with its content and the time of its last change.
fn trace(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| (path.clone(), (fs::read(&path).unwrap(), path.metadata().unwrap().modified().unwrap())))
        .collect()
}

#[test]
fn what_a_host_would_take_is_found_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = guest();
    let compiled = start(folder.path()).load(&bytes, &spec("test")).unwrap();
    let before = trace(folder.path());

    let digest = inspect(&bytes).unwrap().sha256;
    let mut view = view(folder.path());
    let found = view.find(&digest, PluginKind::Job, &Limits::default()).unwrap().expect("it is there");
    assert_eq!(found.compilation, compiled.compilation());
    assert_eq!(found.used_at, Some(noon()));
    let sizes: Vec<u64> = before.values().map(|(bytes, _)| bytes.len() as u64).collect();
    assert!(sizes.contains(&found.size), "{found:?} {sizes:?}");

    let fuelled = Limits { fuel: Some(1), ..Limits::default() };
    assert_eq!(
        view.find(&digest, PluginKind::Job, &fuelled).unwrap(),
        None,
        "code that counts fuel is other code"
    );
    let deep = Limits { stack: Some(1 << 20), ..Limits::default() };
    assert!(view.find(&digest, PluginKind::Job, &deep).unwrap().is_some(), "a stack is no matter of code");
    assert_eq!(view.find(&"0".repeat(64), PluginKind::Job, &Limits::default()).unwrap(), None);
    assert_eq!(view.find("no digest", PluginKind::Job, &Limits::default()).unwrap(), None);
    assert_eq!(trace(folder.path()), before);
}

#[test]
fn a_cache_that_is_not_there_is_empty_and_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("cache");
    let found = view(&absent).find(&"0".repeat(64), PluginKind::Job, &Limits::default());
    assert_eq!(found.unwrap(), None);
    assert!(!absent.exists());
    // Nor is a key made where there is none.
    assert_eq!(view(folder.path()).find(&"0".repeat(64), PluginKind::Job, &Limits::default()).unwrap(), None);
    assert_eq!(trace(folder.path()), BTreeMap::new());
}

#[test]
fn what_a_host_would_not_use_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = guest();
    start(folder.path()).load(&bytes, &spec("test")).unwrap();
    let digest = inspect(&bytes).unwrap().sha256;
    let files = trace(folder.path());
    let (entry, (good, _)) = files.iter().find(|(path, _)| !path.ends_with("key")).unwrap();

    let find = |most| {
        let mut view = CacheView::open(folder.path(), most).unwrap();
        view.find(&digest, PluginKind::Job, &Limits::default()).map_err(|error| error.to_string())
    };
    let error = find(100).unwrap_err();
    assert!(error.contains("more than the whole cache may"), "{error}");
    let mut poisoned = good.clone();
    *poisoned.last_mut().unwrap() ^= 1;
    fs::write(entry, &poisoned).unwrap();
    let error = find(MOST).unwrap_err();
    assert!(error.contains("nothing vouches for it"), "{error}");
    assert_eq!(fs::read(entry).unwrap(), poisoned, "it is left for the host to replace");

    let key = folder.path().join("key");
    fs::write(&key, b"short").unwrap();
    let error = CacheView::open(folder.path(), MOST).unwrap_err().to_string();
    assert!(error.contains("its key is damaged"), "{error}");
    assert_eq!(fs::read(&key).unwrap(), b"short");
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_may_write_to_is_not_looked_into() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = CacheView::open(folder.path(), MOST).unwrap_err().to_string();
    assert!(error.contains("others may write to it"), "{error}");
}
