//! The `clockbox` command.

use std::process::ExitCode;

/// What one thread makes, another drops here: the driver a run, a guest its report. This allocator takes that more lightly
/// than most C libraries' own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    clockbox::cli::main()
}
