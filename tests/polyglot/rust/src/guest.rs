//! The table's cases in Rust: see ../README.md.

use std::time::Duration;

use clockbox_sdk::{JobError, context, http, job, jobs, log, progress, state};
use serde_json::{Value, json};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    #[serde(rename = "do")]
    deed: Deed,
    #[serde(default)]
    name: String,
    #[serde(default = "one")]
    times: u32,
    #[serde(default)]
    value: Value,
}

fn one() -> u32 {
    1
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    Greet,
    Nothing,
    Echo,
    Retry,
    RetryAfter,
    Fatal,
    Refuse,
    Log,
    Progress,
    Facts,
    Count,
    CountAndFail,
    Swap,
    Bytes,
    Churn,
    BadKey,
    AddJob,
    ReplaceJob,
    RunJob,
    PauseJob,
    ResumeJob,
    RemoveJob,
    RemoveAndFail,
    NoSuchJob,
    Get,
    Post,
    Large,
    Late,
    Wait,
}

fn run(args: Args) -> Result<Value, JobError> {
    let Args { deed, name, times, value } = args;
    match deed {
        Deed::Greet => Ok(json!({ "greeting": format!("hello {name}"), "times": times })),
        Deed::Nothing => Ok(Value::Null),
        Deed::Echo => Ok(value),
        Deed::Retry => again(JobError::retry("busy", "try again")),
        Deed::RetryAfter => again(JobError::retry_after(Duration::from_millis(20), "busy", "try again soon")),
        Deed::Fatal => Err(JobError::fatal("broken", "no use – ever")),
        Deed::Refuse => Err(JobError::invalid_args("not these")),
        Deed::Log => {
            log::trace!("one");
            log::debug!("two");
            log::info!(name, times, "three");
            log::warn!("four");
            log::error!("fünf");
            Ok(Value::Null)
        }
        Deed::Progress => {
            progress::report(1, 4, "a quarter");
            Ok(Value::Null)
        }
        Deed::Facts => Ok(json!({
            "job": context::job_id(),
            "cause": context::cause().as_str(),
            "attempt": context::attempt(),
            "config": [context::config("colour"), context::config("none")],
            "ids": !context::run_id().is_empty() && !context::idempotency_key().is_empty(),
            "time": !context::deadline().is_zero() && context::scheduled_at().starts_with("20"),
            "cancelled": context::is_cancelled(),
        })),
        Deed::Count => Ok(count_up()?.into()),
        Deed::CountAndFail => {
            count_up()?;
            Err(JobError::fatal("told", "to fail"))
        }
        Deed::Swap => swap(),
        Deed::Bytes => {
            state::set_for(Duration::from_secs(3600), "bytes", (0..=255).collect::<Vec<u8>>())?;
            let kept = state::get("bytes")?.unwrap_or_default();
            Ok(kept.into_iter().map(u64::from).sum::<u64>().into())
        }
        Deed::Churn => churn(),
        Deed::BadKey => Ok(state::set("", "").map(|()| Value::Null)?),
        Deed::AddJob => add_job(&name),
        Deed::ReplaceJob => {
            let job = json!({ "trigger": { "date": "2099-01-01" }, "args": value });
            Ok(jobs::add(&name, &job, jobs::Conflict::Replace).map(|()| Value::Null)?)
        }
        Deed::RunJob if value.is_null() => Ok(jobs::run(&name).map(|()| Value::Null)?),
        Deed::RunJob => Ok(jobs::run_with(&name, &value).map(|()| Value::Null)?),
        Deed::PauseJob => Ok(jobs::pause(&name, "für heute").map(|()| Value::Null)?),
        Deed::ResumeJob => Ok(jobs::resume(&name).map(|()| Value::Null)?),
        Deed::RemoveJob => {
            jobs::remove(&name)?;
            Ok(jobs::get(&name)?.into())
        }
        Deed::RemoveAndFail => {
            jobs::remove(&name)?;
            Err(JobError::fatal("told", "to fail"))
        }
        Deed::NoSuchJob => Ok(jobs::pause("nobody", "for ever").map(|()| Value::Null)?),
        Deed::Get => {
            let response = http::Request::get(name).header("x-asked", "yes").send()?;
            let ok = response.is_success();
            let body = if ok { response.json()? } else { Value::from(response.text()) };
            Ok(
                json!({ "status": response.status, "ok": ok, "kind": response.header("X-Kind"), "body": body }),
            )
        }
        Deed::Post => Ok(http::Request::post(name).json(&value)?.send()?.json()?),
        Deed::Large => {
            let mut request = http::Request::get(name);
            request.max_body = 1000;
            Ok(request.send()?.body.len().into())
        }
        Deed::Late => Ok(http::Request::get(name).timeout(Duration::from_millis(100)).send()?.status.into()),
        Deed::Wait => {
            log::info!("waiting");
            while !context::is_cancelled() {}
            Err(JobError::cancelled("stopped when asked"))
        }
    }
}

fn again(failure: JobError) -> Result<Value, JobError> {
    match context::attempt() {
        1 => Err(failure),
        attempt => Ok(json!({ "attempt": attempt })),
    }
}

fn count_up() -> Result<u64, JobError> {
    let count = state::get_json::<u64>("count")?.unwrap_or(0) + 1;
    state::set_json("count", &count)?;
    Ok(count)
}

fn swap() -> Result<Value, JobError> {
    let [none, zero, one, two]: [Option<&[u8]>; 4] = [None, Some(b"0"), Some(b"1"), Some(b"2")];
    let first = state::compare_and_swap("swap", none, one)?;
    let second = state::compare_and_swap("swap", zero, two)?;
    let third = state::compare_and_swap("swap", one, two)?;
    state::set("swept", "x")?;
    let keys = state::keys("sw")?;
    let (had, again) = (state::delete("swept")?, state::delete("swept")?);
    let last = state::get("swap")?.map(|value| String::from_utf8_lossy(&value).into_owned());
    Ok(json!([first, second, third, keys, had, again, last]))
}

/// Makes garbage between calls of the host, and in them.
fn churn() -> Result<Value, JobError> {
    let mut kept = 0;
    for number in 0..2000 {
        let value = number.to_string().repeat(500);
        state::set("churn", &value)?;
        kept += u32::from(state::get("churn")?.as_deref() == Some(value.as_bytes()));
    }
    Ok(kept.into())
}

fn add_job(name: &str) -> Result<Value, JobError> {
    jobs::add(
        name,
        &json!({ "trigger": { "date": "2099-01-01" }, "args": { "do": "nothing" } }),
        jobs::Conflict::Error,
    )?;
    jobs::add(name, &json!({}), jobs::Conflict::Ignore)?;
    jobs::modify(name, &json!({ "args": { "do": "greet", "name": "you" } }))?;
    jobs::pause(name, "not yet")?;
    jobs::resume(name)?;
    let listed = jobs::list()?.iter().any(|each| each == name);
    let args = jobs::get(name)?.map(|job| job["args"].clone());
    Ok(json!({ "listed": listed, "args": args, "none": jobs::get("nobody")? }))
}

job!(run);
