//! The `clockbox` command.
fn main() {}
