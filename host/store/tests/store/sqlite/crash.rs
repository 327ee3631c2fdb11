//! A host that is killed leaves a history without holes, and lets go of the database.

use std::{
    env,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use clockbox_core::model::Outcome;
use clockbox_store::{Access, JobStore, RunFilter, SqliteStore};

use super::{host, place, refusal};
use crate::support::{
    as_host, commit, finished, fire, job, line, log, numbers, put, run_id, second, update, waiting,
};

/// Names the database to the process that is to be killed.
const DATABASE: &str = "CLOCKBOX_TEST_CRASHING_DATABASE";

/// Runs this test program again, as a host that commits until it is killed, saying so after each commit.
fn spawn(database: &std::path::Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "sqlite::crash::the_host_that_is_killed"])
        .env(DATABASE, database)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test of its own: what [`spawn`] runs.
#[test]
fn the_host_that_is_killed() {
    let Some(database) = env::var_os(DATABASE) else { return };
    let store = SqliteStore::open(&PathBuf::from(database), as_host()).unwrap();
    let first = store.load().unwrap().last_run.map_or(1, |run| run.as_i64() + 1);
    commit(&store, &[put(&job("report"))]);
    for n in first.. {
        let run = waiting(n, "report", second(u32::try_from(n).unwrap()));
        commit(&store, &[fire(&run), log(n, 1, &[line("started")])]);
        commit(&store, &[update(&finished(&run, Outcome::Succeeded)), log(n, 1, &[line("ended")])]);
        println!("\ncommitted {n}");
    }
}

/// Lets the host commit until run `last`, and kills it wherever it then is; returns the last run it spoke of.
fn kill_after(mut child: Child, last: i64) -> i64 {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut spoken = || -> Option<i64> {
        lines.by_ref().find_map(|line| line.unwrap().strip_prefix("committed ")?.parse().ok())
    };
    let mut latest = 0;
    while latest < last {
        latest = spoken().unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    std::iter::from_fn(spoken).last().unwrap_or(latest)
}

#[test]
fn what_was_committed_survives_a_kill_again_and_again() {
    let (_folder, path) = place();
    for last in [1, 20, 21, 60] {
        let spoken = kill_after(spawn(&path), last);
        let store = host(&path);
        let runs = store.runs(&RunFilter::default()).unwrap();
        let newest = runs[0].id.as_i64();
        // All that was spoken of, and at most the run under way beyond it; no hole.
        assert!(newest == spoken || newest == spoken + 1, "{newest} after {spoken}");
        assert_eq!(numbers(&runs), (1..=newest).rev().collect::<Vec<_>>());
        for run in &runs {
            // A record and its log were one commit: both or neither.
            let ended = run.state.is_final();
            assert!(ended || run.id.as_i64() == newest, "run {} is not ended", run.id.as_i64());
            assert_eq!(store.logs(run.id, None).unwrap().len(), if ended { 2 } else { 1 });
        }
        // As a host would: it marks what was interrupted.
        for run in store.load().unwrap().unfinished {
            commit(
                &store,
                &[
                    update(&finished(&run, Outcome::Interrupted)),
                    log(run.id.as_i64(), 1, &[line("interrupted")]),
                ],
            );
        }
    }
}

#[test]
fn a_host_in_another_process_is_named_and_its_end_lets_go_of_the_database() {
    let (_folder, path) = place();
    let child = spawn(&path);
    let pid = child.id();
    let mut child = child;
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "committed 1"));
    let message = refusal(&path, as_host());
    assert!(message.contains(&format!("in use by another host (pid {pid}, on ")), "{message}");
    // Looking at the history needs no such right.
    let reader = SqliteStore::open(&path, Access::ReadOnly).unwrap();
    assert!(reader.run(run_id(1)).unwrap().is_some());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(host(&path).load().unwrap().last_run.is_some());
}
