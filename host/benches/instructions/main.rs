//! Runs whose instructions are counted: `.ci/instructions.sh` holds them against `baseline.toml`, so that a change that
//! makes a run dearer is noticed on any machine, however loaded. What happens inside the sandbox is counted by the
//! sandbox's own bench of this name.

mod decisions;
mod scenarios;
mod whole;

use std::process::ExitCode;

use scenarios::Scenario;

fn main() -> ExitCode {
    scenarios::main(&[
        Scenario {
            name: "core",
            what: "timetable, pipeline and memory store from a fire to its end, in batches of 100",
            run: decisions::in_memory,
        },
        Scenario { name: "sqlite", what: "the same with a database", run: decisions::in_sqlite },
        Scenario {
            name: "whole",
            what: "a whole scheduler in memory, with work that does nothing",
            run: whole::run,
        },
    ])
}
