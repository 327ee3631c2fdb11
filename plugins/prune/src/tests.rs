use std::fs::File;

use clockbox_sdk::testing;
use serde_json::{Value, json};

use super::*;

const DAY: u64 = 86_400;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1000 * DAY)
}

/// A folder with files of these names, sizes and ages in days.
fn folder(files: &[(&str, usize, u64)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, size, days) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, vec![b'x'; *size]).unwrap();
        let changed = now() - Duration::from_secs(days * DAY);
        File::options().write(true).open(path).unwrap().set_modified(changed).unwrap();
    }
    folder
}

fn pruned(folder: &Path, mut args: Value) -> Result<Value, JobError> {
    args["folder"] = folder.to_str().unwrap().into();
    testing::call(|args: Args| prune(&args, now()), &args.to_string()).map(Option::unwrap_or_default)
}

fn left(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    collect(folder, "", "**", &mut found).unwrap();
    let mut left: Vec<_> = found.into_iter().map(|file| file.path).collect();
    left.sort();
    left
}

#[test]
fn a_dry_run_is_the_default_and_deletes_nothing() {
    let folder = folder(&[("a.log", 3, 10), ("b.log", 4, 1)]);
    let report = pruned(folder.path(), json!({"glob": "*.log", "older_than_days": 7})).unwrap();
    assert_eq!(report, json!({"dry_run": true, "files": 1, "bytes": 3, "paths": ["a.log"]}));
    assert_eq!(left(folder.path()), ["a.log", "b.log"]);
    assert_eq!(testing::lines()[0].to_string(), "INFO would delete a.log bytes=3");
}

#[test]
fn only_old_files_that_fit_the_pattern_are_deleted_oldest_first() {
    let folder = folder(&[("a.log", 3, 10), ("x/y/b.log", 4, 20), ("c.txt", 1, 30), ("d.log", 1, 6)]);
    let args = json!({"glob": "**/*.log", "older_than_days": 7, "dry_run": false});
    let report = pruned(folder.path(), args).unwrap();
    assert_eq!(report, json!({"dry_run": false, "files": 2, "bytes": 7, "paths": ["x/y/b.log", "a.log"]}));
    assert_eq!(left(folder.path()), ["c.txt", "d.log"]);
}

#[test]
fn a_pattern_without_a_slash_stays_in_the_folder_itself() {
    let folder = folder(&[("a.log", 1, 10), ("x/b.log", 1, 10)]);
    pruned(folder.path(), json!({"glob": "*.log", "older_than_days": 7, "dry_run": false})).unwrap();
    assert_eq!(left(folder.path()), ["x/b.log"]);
}

#[test]
fn the_newest_are_kept_whatever_their_age() {
    let folder = folder(&[("a", 1, 40), ("b", 1, 30), ("c", 1, 20)]);
    let args = json!({"glob": "*", "older_than_days": 7, "keep": 2, "dry_run": false});
    assert_eq!(pruned(folder.path(), args).unwrap()["files"], 1);
    assert_eq!(left(folder.path()), ["b", "c"]);
}

#[test]
fn a_file_of_exactly_that_age_is_kept() {
    let folder = folder(&[("a", 1, 7)]);
    assert_eq!(pruned(folder.path(), json!({"glob": "*", "older_than_days": 7})).unwrap()["files"], 0);
}

#[test]
fn a_cancelled_run_stops_before_the_next_file() {
    let folder = folder(&[("a", 1, 10)]);
    testing::set_facts(testing::Facts { cancelled: true, ..Default::default() });
    let args = json!({"glob": "*", "older_than_days": 7, "dry_run": false});
    assert!(matches!(pruned(folder.path(), args), Err(JobError::Cancelled(_))));
    assert_eq!(left(folder.path()), ["a"]);
}

#[test]
fn a_folder_that_is_not_there_is_fatal_and_says_what_to_do() {
    let error = pruned(Path::new("/no/such"), json!({"glob": "*", "older_than_days": 1})).unwrap_err();
    assert!(matches!(&error, JobError::Fatal(failure) if failure.message.contains("allow.write")), "{error}");
}

#[test]
fn an_impossible_age_is_refused() {
    let folder = folder(&[("a", 1, 10)]);
    for days in [-1.0, 1.5e14, 1e300] {
        let error = pruned(folder.path(), json!({"glob": "*", "older_than_days": days})).unwrap_err();
        assert!(matches!(error, JobError::InvalidArgs(_)), "{days}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_neither_followed_nor_deleted() {
    let other = folder(&[("precious", 1, 100)]);
    let folder = folder(&[("a", 1, 10)]);
    std::os::unix::fs::symlink(other.path(), folder.path().join("link")).unwrap();
    let args = json!({"glob": "**", "older_than_days": 0, "dry_run": false});
    assert_eq!(pruned(folder.path(), args).unwrap()["files"], 1);
    assert_eq!(left(other.path()), ["precious"]);
    assert!(folder.path().join("link").symlink_metadata().is_ok());
}

#[test]
fn a_pattern_that_can_never_match_is_refused() {
    let folder = folder(&[("old.log", 1, 90)]);
    for glob in ["[", "/old/*.log", "./old.log", "{a,b"] {
        let args = json!({ "glob": glob, "older_than_days": 30 });
        assert!(matches!(pruned(folder.path(), args), Err(JobError::InvalidArgs(_))), "{glob}");
    }
    assert!(pruned(folder.path(), json!({ "glob": "[a-z]*.{log,txt}", "older_than_days": 30 })).is_ok());
}
