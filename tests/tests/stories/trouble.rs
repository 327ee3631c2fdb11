//! Trouble with the disk: told in words, survived where it passes, and never paid for with a record.

use std::{fs, os::unix::fs::PermissionsExt as _};

use clockbox_core::model::{Outcome, Run, RunState};
use clockbox_tests::{Answer, Running, SmallDisk, TestHost, guest, limit_file_size};
use rustix::process::Signal;

const STEP: i64 = 50;

/// A place whose job ticks, and whose database lies in a folder of its own.
fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest(&format!(
        "[store]\nurl = \"sqlite:disk/clockbox.db\"\n\
         [jobs.a]\nplugin = \"echo\"\ntrigger = {{ interval = \"{STEP}ms\" }}\n"
    ));
    place
}

/// While the store takes nothing and once it does again; each fire is on record or counted then.
#[track_caller]
fn endures(
    place: &TestHost,
    mut host: Running,
    spoil: impl FnOnce(&Running),
    remedy: &str,
    mend: impl FnOnce(&Running),
) {
    let before = host.hear_of("a", "succeeded").run().to_owned();
    spoil(&host);
    let trouble = host.hear_text("the store does not take what happened (1 times by now): ");
    assert!(trouble.message().contains("disk/clockbox.db: "), "{trouble}");
    assert!(trouble.message().contains(remedy), "{trouble}");
    // 50 ms, 100, 200, 400: long enough for more than ten fires.
    host.hear_text("the store does not take what happened (5 times by now): ");
    mend(&host);
    host.hear_text("the store works again, after ");
    let after = host.hear_of("a", "succeeded").run().to_owned();
    host.hear_of("a", "succeeded");
    let lines = host.stop();
    assert!(!lines.iter().any(|line| line.message().contains("panicked")), "{lines:?}");

    let history = clockbox_tests::History::open(&place.path("disk/clockbox.db"));
    let runs = history.of("a");
    for id in [before, after] {
        assert!(runs.iter().any(|run| run.id.to_string() == id), "{id} was told of and is not on record");
    }
    complete(&runs);
    // What came due meanwhile was decided together once it could be recorded. The run whose record had been waited for
    // may have kept it from starting; then it is said that they were noticed late.
    let stands = runs.iter().find(|run| run.coalesced >= 8).unwrap_or_else(|| panic!("{runs:?}"));
    let reason = stands.reason.as_deref().unwrap_or_default();
    let is_told = stands.state == RunState::Skipped && reason.contains(" before it were noticed together");
    assert!(is_told || stands.outcome == Some(Outcome::Succeeded), "{stands:?}");
    let skipped = runs.iter().filter(|run| run.state == RunState::Skipped).count();
    assert!(skipped <= 2, "{runs:?}");
    let answer = place.cli(&["store", "check"]).exits(0);
    answer.says(&["none: the store is in good order"]);
}

/// Each fire is on record, or counted on the next one.
#[track_caller]
fn complete(runs: &[Run]) {
    for two in runs.windows(2) {
        let fires = (two[1].scheduled_at - two[0].scheduled_at).num_milliseconds() / STEP;
        assert_eq!(fires, 1 + i64::from(two[1].coalesced), "a fire was lost between {two:?}");
    }
}

#[test]
fn a_full_disk_is_told_and_waited_for() {
    let place = place();
    // Where this user may not mount one, the next story is what can be had.
    let Some(disk) = SmallDisk::mount(&place.path("disk")) else { return };
    let mut host = place.start();
    host.ready();
    endures(&place, host, |_| disk.fill(), "full: make room on its file system", |_| disk.free());
}

#[test]
fn writes_that_fail_are_told_and_waited_for() {
    let place = place();
    fs::create_dir(place.path("disk")).unwrap();
    // Without the signal that would end the process, a write beyond its limit fails.
    let mut command = std::process::Command::new("sh");
    let inner = place.command();
    command.args(["-c", "trap '' XFSZ; exec \"$0\" run --log-format json"]).arg(inner.get_program());
    command.current_dir(place.folder());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut host = TestHost::start_as(command);
    host.ready();
    let spoil = |host: &Running| limit_file_size(host.pid(), Some(0));
    let mend = |host: &Running| limit_file_size(host.pid(), None);
    endures(&place, host, spoil, "see whether the disk is full or failing", mend);
}

#[test]
fn a_disk_that_is_full_at_the_start_is_told() {
    let place = place();
    let Some(disk) = SmallDisk::mount(&place.path("disk")) else { return };
    disk.fill();
    place.cli(&["run"]).exits(2).says(&["make room on its file system"]);
    disk.free();
    let mut host = place.start();
    host.hear_of("a", "succeeded");
    host.stop();
}

#[test]
fn a_host_that_is_stopped_on_a_full_disk_says_so_and_the_next_one_takes_up_what_it_could_not_record() {
    let place = place();
    let Some(disk) = SmallDisk::mount(&place.path("disk")) else { return };
    let mut host = place.start_with(&["--set", "scheduler.shutdown_grace=0s"]);
    host.hear_of("a", "succeeded");
    disk.fill();
    host.hear_text("the store does not take what happened (1 times by now): ");
    host.signal(Signal::TERM);
    assert_eq!(host.end().code(), Some(3), "{host}");
    assert!(
        host.heard().iter().any(|line| line.message().contains("the scheduler could not end in order: ")),
        "{host}"
    );
    disk.free();
    let mut host = place.start();
    host.hear_of("a", "succeeded");
    host.stop();
    complete(&clockbox_tests::History::open(&place.path("disk/clockbox.db")).of("a"));
}

#[test]
fn a_database_that_may_not_be_written_is_read_and_refused_to_a_host() {
    let place = place();
    let disk = SmallDisk::mount(&place.path("disk"));
    _ = fs::create_dir(place.path("disk"));
    let mut host = place.start();
    host.hear_of("a", "succeeded");
    host.stop();
    match &disk {
        Some(disk) => disk.seal(),
        None => {
            let seal = |name: &str, mode| {
                fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
            };
            seal("disk/clockbox.db", 0o444);
            seal("disk/clockbox.db.lock", 0o444);
            seal("disk", 0o555);
            if fs::OpenOptions::new().append(true).open(place.path("disk/clockbox.db")).is_ok() {
                // Root may write what nobody may, and this root may not mount.
                return;
            }
        }
    }
    let refused = place.cli(&["run"]).exits(2);
    refused.says(&["disk/clockbox.db", "name another place for the store"]);
    // Looking needs no right to write.
    place.cli(&["runs"]).exits(0).says(&["succeeded", "no host is running"]);
    place.cli(&["store", "check"]).exits(0).says(&["none is running", "in good order"]);
    if disk.is_none() {
        fs::set_permissions(place.path("disk"), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// A place with some history, and its database's bytes.
fn with_history() -> (TestHost, Vec<u8>) {
    let place = place();
    fs::create_dir(place.path("disk")).unwrap();
    let mut host = place.start();
    for _ in 0..5 {
        host.hear_of("a", "succeeded");
    }
    host.stop();
    let bytes = fs::read(place.path("disk/clockbox.db")).unwrap();
    (place, bytes)
}

/// The answers of `run` and `store check` to a spoilt database, which stays as it is.
#[track_caller]
fn spoilt(place: &TestHost, bytes: &[u8]) -> (Answer, Answer) {
    place.put("disk/clockbox.db", bytes);
    let (run, check) = (place.cli(&["run"]), place.cli(&["store", "check"]));
    for answer in [&run, &check] {
        assert!(!answer.stderr.contains("panicked"), "{answer}");
    }
    assert_eq!(fs::read(place.path("disk/clockbox.db")).unwrap(), bytes);
    (run, check)
}

#[test]
fn a_damaged_database_is_refused_with_a_way_out() {
    let (place, bytes) = with_history();
    let mut header = bytes.clone();
    header[..100].fill(0x5a);
    let mut page = bytes.clone();
    page[4096..].fill(0x5a);
    for damaged in [&bytes[..bytes.len() / 2], &header, &page] {
        let (run, check) = spoilt(&place, damaged);
        run.exits(2).says(&["disk/clockbox.db"]);
        let check = check.exits(1);
        check.says(&["problem    damaged: ", "error: the store is not in good order"]);
        check.says(&[
            "clockbox.db-wal",
            "put a backup in the place",
            "`clockbox store backup FILE`",
            ".recover | sqlite3 rescued.db",
            "start with an empty history",
        ]);
        let json = place.cli(&["store", "check", "--json"]).exits(1).json();
        assert_eq!((&json["ok"], &json["problems"][0]["kind"]), (&false.into(), &"damaged".into()), "{json}");
    }
    let mut foreign = bytes.clone();
    foreign[68..72].fill(0);
    let (run, check) = spoilt(&place, &foreign);
    for answer in [run, check] {
        answer.exits(2).says(&["is a SQLite database of another program: name another file as the store"]);
    }
    // The ways out lead out: a good file in its place, or none.
    place.put("disk/clockbox.db", &bytes);
    place.cli(&["store", "check"]).exits(0).says(&["in good order"]);
    place.remove("disk/clockbox.db");
    let mut host = place.start();
    host.hear_of("a", "succeeded");
    host.stop();
}

#[test]
fn damage_is_found_beside_a_running_host() {
    let (place, bytes) = with_history();
    let mut host = place.start();
    host.hear_of("a", "succeeded");
    // Over the file itself, as a failing disk would, and over what the host has not read yet.
    let file = fs::OpenOptions::new().write(true).open(place.path("disk/clockbox.db")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &vec![0x5a; bytes.len() - 4096], 4096).unwrap();
    let answer = place.cli(&["store", "check"]).exits(1);
    answer.says(&["problem    damaged: ", &format!("stop the host (pid {}, on ", host.pid())]);
}

#[test]
fn a_backup_of_a_running_host_takes_its_place() {
    let (place, _) = with_history();
    let mut host = place.start();
    host.hear_of("a", "succeeded");
    place.cli(&["store", "backup", "copy.db"]).exits(0).says(&["written to copy.db"]);
    place.cli(&["store", "backup", "copy.db"]).exits(2).says(&["copy.db exists already: name a new file"]);
    host.hear_of("a", "succeeded");
    host.stop();
    let copy = fs::read(place.path("copy.db")).unwrap();
    place.put("disk/clockbox.db", &copy);
    let mut host = place.start();
    host.hear_of("a", "succeeded");
    host.stop();
    place.cli(&["store", "check"]).exits(0).says(&["in good order"]);
}

#[test]
fn the_history_is_shown_without_a_manifest_and_a_mistyped_job_is_named() {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest("[jobs.report]\nplugin = \"echo\"\n");
    let mut host = place.start();
    host.hear_of("report", "succeeded");
    let answer = place.cli(&["runs", "--job", "report"]).exits(0);
    answer.says(&["report", "succeeded"]);
    assert!(!answer.stderr.contains("no host is running"), "{answer}");
    host.stop();
    place.cli(&["runs"]).exits(0).says(&["note: no host is running: this is what the last one left"]);
    let answer = place.cli(&["runs", "--job", "reprot"]).exits(1);
    answer.says(&["there is no job \"reprot\"", "did you mean \"report\"?"]);
    place.remove("clockbox.toml");
    let answer = place.cli(&["runs"]).exits(0);
    answer.says(&["there is no manifest", "clockbox.db beside it is read", "report", "succeeded"]);
}
