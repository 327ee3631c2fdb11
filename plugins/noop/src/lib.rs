//! Does nothing and succeeds: what a run costs, and whether a trigger, pool or policy does what was meant.

use clockbox_sdk::{JobError, job};

/// Takes no arguments.
type Args = ();

#[expect(clippy::unnecessary_wraps, reason = "every job may fail; this one does not")]
fn run((): Args) -> Result<(), JobError> {
    Ok(())
}

job!(run, description = include_str!("../job.toml"));

#[cfg(test)]
mod tests {
    use clockbox_sdk::testing;

    use super::run;

    #[test]
    fn it_succeeds_without_an_answer() {
        assert_eq!(testing::call(run, "null"), Ok(None));
        assert!(testing::lines().is_empty());
    }
}
