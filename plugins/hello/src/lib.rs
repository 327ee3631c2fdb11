//! Greets somebody: the smallest job worth running.

use clockbox_sdk::{JobError, context, job, log};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Args {
    /// Whom to greet.
    name: String,
}

impl Default for Args {
    fn default() -> Self {
        Self { name: "world".into() }
    }
}

fn run(args: Args) -> Result<String, JobError> {
    let greeting = format!("hello {}", args.name);
    log::info!(scheduled = context::scheduled_at(), "{greeting}");
    Ok(greeting)
}

job!(run, description = include_str!("../job.toml"));

#[cfg(test)]
mod tests {
    use clockbox_sdk::{JobError, testing};

    use super::run;

    #[test]
    fn it_greets_by_name_and_says_so_in_the_log() {
        assert_eq!(testing::call(run, r#"{"name":"ada"}"#), Ok(Some("hello ada".into())));
        assert_eq!(testing::lines()[0].message, "hello ada");
    }

    #[test]
    fn without_args_it_greets_the_world() {
        assert_eq!(testing::call(run, "null"), Ok(Some("hello world".into())));
    }

    #[test]
    fn an_unknown_argument_is_refused() {
        assert!(matches!(testing::call(run, r#"{"nam":"ada"}"#), Err(JobError::InvalidArgs(_))));
    }
}
