//! Real files and folders.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::manifest::load;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

fn load_in(dir: &TempDir, name: &str) -> Result<Loaded, Problems> {
    load(&dir.path().join(name), &Overrides::default(), &|_| None)
}

#[test]
fn a_folder_is_read_with_its_plugins_and_sidecars() {
    let dir = folder(&[
        ("clockbox.toml", b"[jobs.greet]\nplugin = \"hello\"\n[plugins.lib]\npath = \"lib/l.wasm\"\n"),
        ("jobs/hello.wasm", b""),
        ("jobs/poll.wat", b""),
        ("jobs/poll.toml", b"trigger = { interval = \"2h\" }"),
        ("jobs/.hidden.wasm", b""),
        ("jobs/half.wasm.tmp", b""),
        ("jobs/old.wasm~", b""),
        ("jobs/notes.txt", b""),
        ("jobs/deeper/x.wasm", b""),
        ("lib/l.wasm", b""),
        ("lib/l.toml", b"config = { a = \"b\" }"),
    ]);
    let embedded =
        |path: &Path| path.ends_with("hello.wasm").then(|| "limits = { timeout = \"1s\" }".to_owned());
    let loaded = load(dir.path(), &Overrides::default(), &embedded).unwrap();
    let manifest = loaded.whole().unwrap();
    let names: Vec<_> = manifest.plugins.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["hello", "lib", "poll"]);
    let names: Vec<_> = manifest.jobs.keys().map(|id| id.as_str()).collect();
    assert_eq!(names, ["greet", "poll"]);
    assert_eq!(manifest.plugins["lib"].config["a"], "b");
    assert_eq!(manifest.plugins["hello"].limits.timeout.as_secs(), 1);
    assert_eq!(manifest.warnings, []);
    assert_eq!(manifest.path, dir.path().join("clockbox.toml"));
}

#[test]
#[cfg(unix)]
fn a_plugin_folder_that_cannot_be_read_hides_no_other_problem() {
    let dir = folder(&[("clockbox.toml", b"[scheduler]\nplugin_dir = \"loop\"\nx = 1\n")]);
    std::os::unix::fs::symlink("loop", dir.path().join("loop")).unwrap();
    let found = load_in(&dir, "").unwrap_err().0;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].key, "scheduler.x");
    assert!(found[1].message.starts_with("the plugin folder cannot be read: "), "{}", found[1]);
}

#[test]
fn a_missing_manifest_says_how_to_make_one() {
    let dir = folder(&[]);
    let text = load_in(&dir, "").unwrap_err().to_string();
    assert!(text.contains("clockbox.toml: there is no clockbox.toml in "), "{text}");
    assert!(text.contains("\n        [jobs.hello]\n"), "{text}");
    let text = load_in(&dir, "other.toml").unwrap_err().to_string();
    assert!(text.contains("other.toml: there is no such manifest"), "{text}");
}

#[test]
fn a_manifest_that_is_not_utf8_is_placed_at_its_first_bad_byte() {
    let dir = folder(&[("m.toml", b"# caf\xe9\n"), ("n.toml", b"a = 1\n\xff")]);
    let problem = load_in(&dir, "m.toml").unwrap_err().0.remove(0);
    assert_eq!(problem.place.position(), Some((1, 6)));
    assert_eq!(problem.hint.as_deref(), Some("save the file with the encoding UTF-8"));
    assert_eq!(load_in(&dir, "n.toml").unwrap_err().0[0].place.position(), Some((2, 1)));
}

#[test]
fn a_huge_file_is_not_read_to_its_end() {
    let dir = folder(&[("m.toml", b"")]);
    // Without a byte of it on the disk.
    fs::File::options().write(true).open(dir.path().join("m.toml")).unwrap().set_len((64 << 20) + 1).unwrap();
    assert_eq!(load_in(&dir, "m.toml").unwrap_err().0[0].message, "is larger than 64 MiB");
}

#[test]
fn what_is_passed_over_is_remarked_upon() {
    let dir = folder(&[
        ("clockbox.toml", b""),
        ("jobs/a.wasm", b""),
        ("jobs/a.wat", b""),
        ("jobs/orphan.toml", b"trigger = { interval = \"2h\" }"),
    ]);
    let manifest = load_in(&dir, "").unwrap().whole().unwrap();
    let messages: Vec<_> = manifest.warnings.iter().map(|warning| warning.message.clone()).collect();
    assert_eq!(messages.len(), 2);
    assert!(messages[0].ends_with("a.wasm has the same name"), "{}", messages[0]);
    assert_eq!(messages[1], "is passed over, because it belongs to no plugin");
    assert!(manifest.plugins["a"].path.ends_with("a.wasm"));
}

#[test]
fn an_unreadable_sidecar_refuses_its_plugin() {
    let dir = folder(&[("clockbox.toml", b""), ("jobs/a.wasm", b""), ("jobs/a.toml", b"\xff\xfe")]);
    let loaded = load_in(&dir, "").unwrap();
    assert!(loaded.manifest.plugins.is_empty());
    let text = loaded.refused[0].problems.to_string();
    assert!(text.contains("a.toml:1:1: is not UTF-8 text from here on"), "{text}");
}

#[test]
fn a_manifest_beside_its_plugins_is_no_sidecar() {
    let dir = folder(&[
        ("clockbox.toml", b"[scheduler]\nplugin_dir = \".\"\n"),
        ("clockbox.wasm", b""),
        ("other.toml", b"not = { a = sidecar }"),
    ]);
    let manifest = load_in(&dir, "").unwrap().whole().unwrap();
    assert!(manifest.plugins.contains_key("clockbox"));
    assert_eq!(manifest.warnings, []);
}

#[test]
fn a_plugin_file_that_is_not_there_is_named() {
    let dir =
        folder(&[("clockbox.toml", b"[plugins.a]\npath = \"a.wasm\"\n[jobs.hello]\nplugin = \"hello\"\n")]);
    let found: Vec<_> = load_in(&dir, "").unwrap_err().0.iter().map(|problem| problem.key.clone()).collect();
    assert_eq!(found, ["plugins.a.path", "jobs.hello.plugin"]);
}
