//! The database: refused in words where it cannot be used, and one host's at a time.

use std::{fs, os::unix::fs::PermissionsExt as _};

use clockbox_tests::{TestHost, guest};

/// A place with a job that waits for a far day, and the store at this URL.
fn place(url: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("exit-3"), "exit-3");
    let job = "[jobs.later]\nplugin = \"exit-3\"\ntrigger = { date = \"2100-01-01 00:00:00\" }\n";
    place.manifest(&format!("[store]\nurl = \"{url}\"\n{job}"));
    place
}

#[test]
fn a_store_in_a_missing_folder_is_refused() {
    let answer = place("sqlite:no/such/clockbox.db").cli(&["run"]).exits(2);
    answer.says(&["the folder ", "no/such does not exist: create it, or name another place for the store"]);
}

#[test]
fn a_store_in_a_folder_that_cannot_be_written_is_refused() {
    let place = place("sqlite:sealed/clockbox.db");
    fs::create_dir(place.path("sealed")).unwrap();
    fs::set_permissions(place.path("sealed"), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(place.path("sealed/probe"), "").is_ok() {
        // Root may write anywhere: then a file that is in the way of the lock does as well.
        fs::create_dir(place.path("sealed/clockbox.db.lock")).unwrap();
    }
    place.cli(&["run"]).exits(2).says(&["sealed/clockbox.db", "let this user write"]);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let place = place("sqlite:clockbox.db");
    let text = "this is a diary, and nobody may overwrite it\n".repeat(100);
    place.put("clockbox.db", text.as_bytes());
    place.cli(&["run"]).exits(2).says(&["clockbox.db", "is not a SQLite database"]);
    place.cli(&["runs"]).exits(1).says(&["is not a SQLite database"]);
    assert_eq!(fs::read_to_string(place.path("clockbox.db")).unwrap(), text);
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let place = place("sqlite:clockbox.db");
    let mut host = place.start();
    host.ready();
    host.stop();
    assert!(!place.path("clockbox.db-wal").exists(), "a host that stopped leaves one file");
    // The version is the number that SQLite keeps for programs, at byte 60 of the file.
    let mut bytes = fs::read(place.path("clockbox.db")).unwrap();
    bytes[60..64].copy_from_slice(&1000_u32.to_be_bytes());
    place.put("clockbox.db", &bytes);
    place.cli(&["run"]).exits(2).says(&["clockbox.db is of version 1000", "a newer clockbox wrote it"]);
    place.cli(&["runs"]).exits(1).says(&["a newer clockbox wrote it"]);
    assert_eq!(fs::read(place.path("clockbox.db")).unwrap(), bytes);
}

#[test]
fn a_second_host_on_one_database_is_refused_with_the_name_of_the_first() {
    let place = place("sqlite:clockbox.db");
    let mut first = place.start();
    first.ready();
    let holder = format!("is in use by another host (pid {}, on ", first.pid());
    place.cli(&["run"]).exits(2).says(&[&holder, "end that one, or name another store"]);
    // The first one goes on, and the second may follow once it is gone.
    first.stop();
    let mut second = place.start();
    second.ready();
    second.stop();
}

#[test]
fn a_store_in_memory_keeps_nothing_and_says_so() {
    let place = place("memory:");
    let mut host = place.start();
    let ready = host.ready();
    assert!(ready.message().contains("store memory:"), "{ready}");
    // The host that runs is asked; without one there is nothing.
    place.cli(&["runs"]).exits(0).says(&["no runs on record that match"]);
    host.stop();
    place.cli(&["runs"]).exits(1).says(&["the store is memory: and ends with its host"]);
}

#[test]
fn asking_for_the_history_before_the_first_run_creates_nothing() {
    let place = place("sqlite:clockbox.db");
    place.cli(&["runs"]).exits(1).says(&["no database at ", "has the host run yet?"]);
    assert!(!place.path("clockbox.db").exists());
}
