//! The smallest job.

use clockbox_sdk::{JobError, job};

#[derive(serde::Deserialize)]
struct Args {
    name: String,
}

fn run(args: Args) -> Result<String, JobError> {
    Ok(format!("hello {}", args.name))
}

job!(run);
