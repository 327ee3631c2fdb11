//! Asks a web address for a page, and checks its status, its text and how long it took.

use std::{collections::BTreeMap, time::Duration};

use clockbox_sdk::{
    JobError, OrFail,
    http::{Request, Response},
    job, log,
};
use serde::{Deserialize, Serialize};
use template::Template;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    url: String,
    /// `GET` unless given.
    method: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The status wanted; any from 200 to 299 unless given.
    status: Option<Status>,
    /// Text that the body must have in it.
    contains: Option<String>,
    /// Text that the body must not have in it.
    lacks: Option<String>,
    /// The longest that the whole exchange may take before it counts as slow.
    max_ms: Option<u64>,
    /// When to give up; 10 s unless given.
    timeout_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    One(u16),
    Any(Vec<u16>),
}

#[derive(Serialize)]
struct Report {
    url: String,
    status: u16,
    first_byte_ms: u128,
    total_ms: u128,
    bytes: usize,
}

fn run(args: Args) -> Result<Report, JobError> {
    let timeout = Duration::from_millis(args.timeout_ms.unwrap_or(10_000));
    let mut request = Request::new(args.method.as_deref().unwrap_or("GET"), &args.url).timeout(timeout);
    let none = serde_json::Map::new();
    for (name, value) in &args.headers {
        request = request.header(name, Template::new(&none).fill_text(value).or_invalid_args()?);
    }
    let response = request.send()?;
    let (status, bytes) = (response.status, response.body.len());
    let (first_byte_ms, total_ms) = (response.first_byte.as_millis(), response.elapsed.as_millis());
    log::info!(status, first_byte_ms, total_ms, bytes, "{}", args.url);
    // What is wrong now may be right at the next attempt: whether there is one is the job's policy.
    check(&args, &response).or_retry("check-failed")?;
    Ok(Report { url: args.url, status, first_byte_ms, total_ms, bytes })
}

/// Every expectation that is not met, in one sentence.
fn check(args: &Args, response: &Response) -> Result<(), String> {
    let mut wrong = Vec::new();
    let status = response.status;
    match &args.status {
        None if !response.is_success() => wrong.push(format!("status {status} instead of 200 to 299")),
        Some(Status::One(wanted)) if status != *wanted => {
            wrong.push(format!("status {status} instead of {wanted}"))
        }
        Some(Status::Any(wanted)) if !wanted.contains(&status) => {
            wrong.push(format!("status {status} instead of one of {wanted:?}"));
        }
        _ => {}
    }
    let text = response.text();
    wrong.extend(
        args.contains.iter().filter(|t| !text.contains(*t)).map(|t| format!("{t:?} is not in the body")),
    );
    wrong.extend(args.lacks.iter().filter(|t| text.contains(*t)).map(|t| format!("{t:?} is in the body")));
    let took = response.elapsed.as_millis();
    wrong.extend(
        args.max_ms.filter(|max| took > u128::from(*max)).map(|max| format!("{took} ms instead of {max}")),
    );
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}: {}", args.url, wrong.join("; "))) }
}

job!(run, description = include_str!("../job.toml"));

#[cfg(test)]
mod tests;
