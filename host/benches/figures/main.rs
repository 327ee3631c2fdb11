//! The figures of a whole host, each beside its floor, peer or limit, in one run on one machine. See `../README.md`.
//!
//! `cargo bench -p clockbox --bench figures -- [SECTION…] [--quick] [--markdown] [--plots FOLDER]`

mod api;
mod apscheduler;
mod bare;
mod guests;
mod idle;
mod lateness;
mod machine;
mod options;
mod parked;
mod plot;
mod processes;
mod raw_rows;
mod reload;
mod report;
mod runs;
mod start;
mod support;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

use options::{Asked, Options};
use report::Report;
use serde_json::Value;

/// A part of the bench.
struct Section {
    name: &'static str,
    what: &'static str,
    run: fn(&mut Report, &Options),
    /// What it measures in processes of its own, asked for by [`support::child`].
    child: Option<fn(&[String]) -> Value>,
}

const SECTIONS: [Section; 9] = [
    Section { name: "runs", what: "one run from end to end, and runs a second", run: runs::run, child: None },
    Section {
        name: "apscheduler",
        what: "the peer: APScheduler calling plain functions",
        run: apscheduler::run,
        child: None,
    },
    Section {
        name: "lateness",
        what: "1,000 jobs a second: how late they start, and what that costs",
        run: lateness::run,
        child: None,
    },
    Section {
        name: "idle",
        what: "many jobs that do not fire: adding, starting again, memory, and a fire among them",
        run: idle::run,
        child: Some(idle::child),
    },
    Section { name: "reload", what: "a reload that changes one job of many", run: reload::run, child: None },
    Section {
        name: "api",
        what: "the control API: adding jobs together and one by one, and listing many",
        run: api::run,
        child: None,
    },
    Section {
        name: "start",
        what: "a host with many plugins starts, and compilation",
        run: start::run,
        child: None,
    },
    Section {
        name: "parked",
        what: "the memory of instances that wait in a call of the host",
        run: parked::run,
        child: Some(parked::child),
    },
    Section {
        name: "processes",
        what: "for scale: a process for each run",
        run: processes::run,
        child: None,
    },
];

/// As in the program `clockbox`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let names = SECTIONS.map(|section| section.name);
    match options::read(&words, &names) {
        Ok(Asked::Figures(options)) => figures(&options),
        Ok(Asked::Child { section, words }) => {
            let child = SECTIONS.iter().find(|known| known.name == section).and_then(|known| known.child);
            println!("{}", child.expect("a section with children")(&words));
            ExitCode::SUCCESS
        }
        Ok(Asked::Help) => {
            println!("{}", options::usage(&names));
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}\n\n{}", options::usage(&names));
            ExitCode::from(2)
        }
    }
}

fn figures(options: &Options) -> ExitCode {
    println!("{}", machine::describe(options));
    let mut report = Report::default();
    for section in SECTIONS.iter().filter(|section| options.wants(section.name)) {
        report.section(section.name, section.what);
        // A section that breaks down costs the others nothing.
        let run = AssertUnwindSafe(|| (section.run)(&mut report, options));
        if catch_unwind(run).is_err() {
            report.broken(format!("section {} broke down; its message is above", section.name));
        }
    }
    let is_sound = report.summary(options.markdown);
    println!("\n{}", machine::describe(options));
    if let Some(folder) = &options.plots {
        plot::write(folder, report.points());
    }
    if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
