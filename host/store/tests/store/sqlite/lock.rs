use std::fs;

use clockbox_store::{Access, JobStore, SqliteStore};

use super::{beside, host, place, refusal};
use crate::support::{as_host, at, commit, job, put};

#[test]
fn a_second_host_is_refused_naming_the_first() {
    let (_folder, path) = place();
    let first = host(&path);
    let message = refusal(&path, Access::ReadWrite { opened_at: at("13:00:00") });
    let pid = std::process::id();
    let expected = format!("clockbox.db is in use by another host (pid {pid}, on ");
    assert!(message.contains(", since 2030-01-01T12:00:00Z): end that one"), "{message}");
    assert!(message.contains(&expected), "{message}");
    // Asking did not disturb the first.
    commit(&first, &[put(&job("report"))]);
    assert!(refusal(&path, as_host()).contains(&expected));
}

#[test]
fn the_next_host_can_open_it_once_the_first_has_gone() {
    let (_folder, path) = place();
    for n in 0..3 {
        let store = host(&path);
        assert_eq!(store.jobs().unwrap().len(), n);
        commit(&store, &[put(&job(&format!("job-{n}")))]);
    }
}

#[cfg(unix)]
#[test]
fn another_way_to_the_same_file_is_the_same_database() {
    let (folder, path) = place();
    let linked = folder.path().join("linked");
    std::os::unix::fs::symlink(folder.path(), &linked).unwrap();
    // Before the database exists, by its folder; then by itself.
    let first = SqliteStore::open(&linked.join("clockbox.db"), as_host()).unwrap();
    assert_eq!(first.path(), fs::canonicalize(&path).unwrap());
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for path in [path, link, folder.path().join("./clockbox.db")] {
        assert!(refusal(&path, as_host()).contains("in use by another host"));
    }
}

#[test]
fn a_host_that_left_no_word_still_keeps_others_out() {
    let (_folder, path) = place();
    let file = fs::File::create(beside(&path, ".lock")).unwrap();
    file.try_lock().unwrap();
    let message = refusal(&path, as_host());
    assert!(message.contains("in use by another host (which left no word of itself): "), "{message}");
    assert!(!path.exists());
    drop(file);
    host(&path);
}

#[test]
fn a_lock_file_that_nobody_holds_is_no_obstacle() {
    let (_folder, path) = place();
    fs::write(
        beside(&path, ".lock"),
        "pid 1\non elsewhere\nsince 2020-01-01T00:00:00Z\nand more lines than ours\n",
    )
    .unwrap();
    let _first = host(&path);
    assert!(!refusal(&path, as_host()).contains("elsewhere"));
}
