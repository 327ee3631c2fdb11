//! The command line of a program that does a number of runs in a named way: shared by the benches `instructions` of
//! the host and of the sandbox.

use std::process::ExitCode;

/// Runs as often as it is told, on the ground of the scenario's name and of what its runs go through.
pub(crate) struct Scenario {
    /// What it is called on the command line and in `baseline.toml`.
    pub(crate) name: &'static str,
    /// What each of its runs goes through.
    pub(crate) what: &'static str,
    /// Does so many runs, in an order of events that is the same each time.
    pub(crate) run: fn(usize),
}

/// Does what the command line asks for. Without arguments, as `cargo bench` calls it, it says what it is for.
pub(crate) fn main(scenarios: &[Scenario]) -> ExitCode {
    // `cargo bench` adds a word of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let Some(name) = words.first() else {
        print!("{}", usage(scenarios));
        return ExitCode::SUCCESS;
    };
    let scenario = scenarios.iter().find(|scenario| scenario.name == name);
    match (scenario, words.get(1).map(|count| count.parse())) {
        (Some(scenario), Some(Ok(runs))) if words.len() == 2 => {
            (scenario.run)(runs);
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("error: {words:?} is not a scenario and a number of runs\n\n{}", usage(scenarios));
            ExitCode::from(2)
        }
    }
}

fn usage(scenarios: &[Scenario]) -> String {
    let lines: String =
        scenarios.iter().map(|scenario| format!("  {:<8} {}\n", scenario.name, scenario.what)).collect();
    format!(
        "Does runs to be counted, not timed: `.ci/instructions.sh` has valgrind count the instructions of each\n\
         scenario and holds them against host/benches/instructions/baseline.toml. By hand: SCENARIO RUNS, with\n\n{lines}"
    )
}
