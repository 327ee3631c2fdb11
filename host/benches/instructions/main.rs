//! Runs whose instructions are counted, not timed: `.ci/instructions.sh` has valgrind count those of each scenario and
//! holds them against `baseline.toml`, so that a change that makes a run dearer is noticed on any machine, however busy.

#[path = "../figures/bare.rs"]
#[expect(dead_code, reason = "the floor here is a job component, made once")]
mod bare;
mod decisions;
mod guest;
mod whole;

use std::process::ExitCode;

/// Something that does so many runs, with as many instructions each time.
struct Scenario {
    name: &'static str,
    /// What each run goes through.
    what: &'static str,
    run: fn(usize),
}

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "core",
        what: "from a fire to the end on record, without a guest: timetable, pipeline and memory store",
        run: decisions::in_memory,
    },
    Scenario {
        name: "sqlite",
        what: "the same with a database, 100 runs to a commit",
        run: decisions::in_sqlite,
    },
    Scenario { name: "run", what: "a guest that does nothing, in the sandbox", run: guest::in_the_sandbox },
    Scenario { name: "bare", what: "the same guest in bare wasmtime", run: guest::in_bare_wasmtime },
    Scenario {
        name: "whole",
        what: "all of it: a scheduler in memory that runs that guest",
        run: whole::run,
    },
];

/// As in the program `clockbox`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // `cargo bench` adds a word of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [name, runs] = words.as_slice() else {
        print!("{}", usage());
        return if words.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) };
    };
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name);
    let (Some(scenario), Ok(runs)) = (scenario, runs.parse()) else {
        print!("{}", usage());
        return ExitCode::from(2);
    };
    (scenario.run)(runs);
    ExitCode::SUCCESS
}

fn usage() -> String {
    let lines: String =
        SCENARIOS.iter().map(|Scenario { name, what, .. }| format!("  {name:<8}{what}\n")).collect();
    format!(
        "These runs are counted, not timed: see .ci/instructions.sh. By hand: SCENARIO RUNS, with a scenario of\n\n{lines}"
    )
}
