//! The `clockbox` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    clockbox::cli::main()
}
