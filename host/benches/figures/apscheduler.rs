//! The peer: APScheduler 3.x, calling a Python function that does nothing, with its memory and its SQLite job store.
//!
//! It is found by `CLOCKBOX_BENCH_PYTHON`, the interpreter of a virtual environment that has it, else by `python3`.

use std::{ffi::OsString, process::Command, sync::OnceLock};

use serde::Deserialize;

use crate::{
    options::Options,
    report::{Figure, Limit, Report},
    support,
};

const HOW: &str = "python3 -m venv target/apscheduler && target/apscheduler/bin/pip install 'apscheduler==3.11.*' \
                   sqlalchemy, then set CLOCKBOX_BENCH_PYTHON=$PWD/target/apscheduler/bin/python";

/// What the peer does in a second.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Function calls with the memory job store.
    pub(crate) memory: f64,
    /// Function calls with the SQLite job store.
    pub(crate) sqlite: f64,
    /// Jobs added to the SQLite job store, one by one: it has no other way.
    pub(crate) adding: f64,
    /// What to call it in a figure.
    pub(crate) name: String,
    answer: Option<Answer>,
}

#[derive(Debug, Clone, Deserialize)]
struct Answer {
    apscheduler: String,
    python: String,
    memory: Store,
    sqlite: Store,
}

#[derive(Debug, Clone, Deserialize)]
struct Store {
    jobs: usize,
    adding: f64,
    running: f64,
    late_p99_ms: f64,
}

/// The peer as it is on this machine, measured once; where it is not installed, what it did on another machine, which
/// its name says.
pub(crate) fn peer(options: &Options) -> &'static Peer {
    static PEER: OnceLock<Peer> = OnceLock::new();
    PEER.get_or_init(|| match installed() {
        Ok(_) => measured(options),
        // On two cores, SQLite on a local disk.
        Err(_) => Peer {
            memory: 16_500.0,
            sqlite: 141.0,
            adding: 149.0,
            name: "APScheduler (measured elsewhere)".to_owned(),
            answer: None,
        },
    })
}

fn python() -> OsString {
    std::env::var_os("CLOCKBOX_BENCH_PYTHON").unwrap_or_else(|| "python3".into())
}

/// The version of APScheduler that the interpreter has, and its own.
fn installed() -> Result<String, String> {
    let ask = "import sys, apscheduler, sqlalchemy; print(apscheduler.version, sys.version.split()[0])";
    let output = Command::new(python()).args(["-c", ask]).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.split_once(' ') {
        Some((apscheduler, python)) if output.status.success() => {
            Ok(format!("APScheduler {apscheduler}, Python {}", python.trim()))
        }
        _ => {
            let problem = String::from_utf8_lossy(&output.stderr);
            Err(problem.lines().last().unwrap_or("it says nothing").to_owned())
        }
    }
}

/// The peer in a line, for the description of the machine.
pub(crate) fn describe() -> String {
    installed().unwrap_or_else(|problem| {
        format!("APScheduler is NOT there ({problem}): its figures are from another machine; {HOW}")
    })
}

fn measured(options: &Options) -> Peer {
    let folder = support::folder();
    let (memory, sqlite) = if options.quick { ("5000", "200") } else { ("10000", "2000") };
    let output = Command::new(python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/figures/apscheduler.py"))
        .args([memory, sqlite])
        .arg(folder.path())
        .output()
        .expect("the interpreter");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "apscheduler.py ended with {}: {said}", output.status);
    let answer: Answer = serde_json::from_slice(&output.stdout).expect("an answer in JSON");
    Peer {
        memory: answer.memory.running,
        sqlite: answer.sqlite.running,
        adding: answer.sqlite.adding,
        name: format!("APScheduler {}", answer.apscheduler),
        answer: Some(answer),
    }
}

pub(crate) fn run(report: &mut Report, options: &Options) {
    let peer = peer(options);
    let Some(answer) = &peer.answer else {
        report.note(format!(
            "NOT measured: APScheduler is not installed. Elsewhere it did {:.0} calls/s with its memory store, {:.0} with \
             SQLite, and added {:.0} jobs/s there. To measure it: {HOW}",
            peer.memory, peer.sqlite, peer.adding
        ));
        return;
    };
    report.note(format!("APScheduler {}, Python {}, 20 threads", answer.apscheduler, answer.python));
    for (store, figures) in [("memory", &answer.memory), ("SQLite", &answer.sqlite)] {
        let alone = |what: &str, beside: String| Figure {
            name: format!("{}, {store} store: {what}", peer.name),
            ours: "–".to_owned(),
            beside,
            ratio: None,
            limit: Limit::None,
        };
        let calls = format!("{} due no-op calls", figures.jobs);
        report.figure(alone(&calls, format!("{:.0} /s", figures.running)));
        report.figure(alone("start lateness p99 of these", format!("{:.0} ms", figures.late_p99_ms)));
        report.figure(alone("adding jobs", format!("{:.0} /s", figures.adding)));
    }
}
