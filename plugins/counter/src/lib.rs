//! Counts its runs: the smallest job that remembers something.

use std::time::Duration;

use clockbox_sdk::{JobError, context, job, log, state};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Args {
    /// The key that the number is kept under.
    key: String,
    /// How many milliseconds the run holds between counting and its end.
    hold_ms: u64,
    /// Whether it fails in the end, so that it has not counted.
    fail: bool,
}

impl Default for Args {
    fn default() -> Self {
        Self { key: "runs".into(), hold_ms: 0, fail: false }
    }
}

fn run(args: Args) -> Result<u64, JobError> {
    let runs = state::get_json::<u64>(&args.key)?.unwrap_or(0).saturating_add(1);
    state::set_json(&args.key, &runs)?;
    log::info!(attempt = context::attempt(), "run {runs}");
    std::thread::sleep(Duration::from_millis(args.hold_ms));
    if args.fail {
        return Err(JobError::fatal("told-to-fail", "args.fail is set"));
    }
    Ok(runs)
}

job!(run, description = include_str!("../job.toml"));

#[cfg(test)]
mod tests {
    use clockbox_sdk::testing;

    use super::run;

    #[test]
    fn it_counts_what_succeeds() {
        assert_eq!(testing::call(run, "null"), Ok(Some(1.into())));
        assert!(testing::call(run, r#"{"fail":true}"#).is_err());
        assert_eq!(testing::call(run, "null"), Ok(Some(2.into())));
        assert_eq!(testing::state()["runs"], b"2");
    }

    #[test]
    fn what_is_kept_and_is_no_number_is_left_alone() {
        testing::set_state([("runs".to_owned(), b"many".to_vec())].into());
        let error = testing::call(run, "null").unwrap_err();
        assert!(error.to_string().contains("\"runs\""), "{error}");
        assert_eq!(testing::state()["runs"], b"many");
    }
}
