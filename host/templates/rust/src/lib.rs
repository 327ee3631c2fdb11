//! Greets somebody, and counts how often.

use clockbox_sdk::{JobError, job, log, state};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    /// Whom to greet.
    name: String,
}

fn run(args: Args) -> Result<String, JobError> {
    let times = state::get_json::<u64>("times")?.unwrap_or(0) + 1;
    state::set_json("times", &times)?;
    log::info!(times, "greeting {}", args.name);
    Ok(format!("hello {}, for the {times}. time", args.name))
}

job!(run, description = include_str!("../job.toml"));

#[cfg(test)]
mod tests {
    use clockbox_sdk::{JobError, testing};

    use super::run;

    #[test]
    fn it_greets_and_counts() {
        testing::set_state([("times".to_owned(), b"6".to_vec())].into());
        let greeting = testing::call(run, r#"{ "name": "Ada" }"#);
        assert_eq!(greeting, Ok(Some("hello Ada, for the 7. time".into())));
        assert_eq!(testing::lines()[0].message, "greeting Ada");
    }

    #[test]
    fn it_is_not_run_without_a_name() {
        assert!(matches!(testing::call(run, "{}"), Err(JobError::InvalidArgs(_))));
    }
}
