//! Sends JSON to a web address, with facts of the run and values of the arguments filled in.

use std::{collections::BTreeMap, time::Duration};

use clockbox_sdk::{
    JobError, OrFail, context,
    http::{Request, Response},
    job, log,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use template::Template;

#[derive(Deserialize)]
struct Args {
    url: String,
    #[serde(default = "post")]
    method: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What to send, with templates in its strings.
    #[serde(default = "facts")]
    payload: Value,
    #[serde(default = "thirty_seconds")]
    timeout_ms: u64,
    /// Everything else: the values of `{{args.…}}`.
    #[serde(flatten)]
    values: Map<String, Value>,
}

#[derive(Serialize)]
struct Report {
    status: u16,
    total_ms: u128,
    /// The beginning of the answer.
    answer: String,
}

fn post() -> String {
    "POST".into()
}

fn thirty_seconds() -> u64 {
    30_000
}

fn facts() -> Value {
    let names = ["job_id", "run_id", "attempt", "scheduled_at"];
    names
        .iter()
        .map(|name| ((*name).to_owned(), format!("{{{{{name}}}}}").into()))
        .collect::<Map<_, _>>()
        .into()
}

fn run(args: Args) -> Result<Report, JobError> {
    let mut template = Template::new(&args.values);
    let payload = template.fill(&args.payload).or_invalid_args()?;
    let mut request = Request::new(&args.method, &args.url).timeout(Duration::from_millis(args.timeout_ms));
    for (name, value) in &args.headers {
        request = request.header(name, template.fill_text(value).or_invalid_args()?);
    }
    template.check_all_used().or_invalid_args()?;
    // A receiver that knows the key can drop the repetition that a retry may be.
    let response = request.header("idempotency-key", context::idempotency_key()).json(&payload)?.send()?;
    let (status, total_ms) = (response.status, response.elapsed.as_millis());
    log::info!(status, total_ms, "{} {}", args.method, args.url);
    let answer: String = response.text().chars().take(1000).collect();
    match response.is_success() {
        true => Ok(Report { status, total_ms, answer }),
        false => Err(refused(&response, &answer)),
    }
}

/// The receiver said no: for now, or for good.
fn refused(response: &Response, answer: &str) -> JobError {
    let code = format!("status-{}", response.status);
    let message = format!("the receiver answered {}: {answer}", response.status);
    let after = response.header("retry-after").and_then(|seconds| seconds.trim().parse().ok());
    match (response.status, after) {
        (408 | 425 | 429 | 500.., Some(seconds)) => {
            JobError::retry_after(Duration::from_secs(seconds), code, message)
        }
        (408 | 425 | 429 | 500.., None) => JobError::retry(code, message),
        _ => JobError::fatal(code, message),
    }
}

job!(run, description = include_str!("../job.toml"));

#[cfg(test)]
mod tests;
