//! Outside a sandbox: state and jobs are those of `testing`, without limits.

use serde_json::{Value, json};

use crate::{
    jobs::{self, Conflict},
    state,
    testing::host,
};

fn check(key: &str) -> Result<(), state::Error> {
    if key.is_empty() || key.len() > 512 || key.contains(char::is_control) {
        let why = format!("{key:?} is not a key: it has 1 to 512 bytes and no control characters");
        return Err(state::Error::new(state::ErrorKind::InvalidKey, why));
    }
    Ok(())
}

pub(crate) fn state_get(key: &str) -> Result<Option<Vec<u8>>, state::Error> {
    check(key)?;
    Ok(host(|host| host.kept.state.get(key).cloned()))
}

pub(crate) fn state_set(key: &str, value: &[u8], _ttl_ms: Option<u64>) -> Result<(), state::Error> {
    check(key)?;
    host(|host| host.kept.state.insert(key.to_owned(), value.to_vec()));
    Ok(())
}

pub(crate) fn state_delete(key: &str) -> Result<bool, state::Error> {
    check(key)?;
    Ok(host(|host| host.kept.state.remove(key).is_some()))
}

pub(crate) fn state_keys(prefix: &str) -> Result<Vec<String>, state::Error> {
    Ok(host(|host| host.kept.state.keys().filter(|key| key.starts_with(prefix)).cloned().collect()))
}

pub(crate) fn state_compare_and_swap(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<bool, state::Error> {
    if state_get(key)?.as_deref() != expected {
        return Ok(false);
    }
    match value {
        Some(value) => state_set(key, value, None)?,
        None => _ = state_delete(key)?,
    }
    Ok(true)
}

fn object(text: &str) -> Result<Value, jobs::Error> {
    serde_json::from_str(text).ok().filter(Value::is_object).ok_or_else(|| {
        jobs::Error::new(
            jobs::ErrorKind::Invalid,
            "a job is an object such as {\"trigger\": {\"interval\": \"2h\"}}",
        )
    })
}

/// Changes a job that there is.
fn change(name: &str, how: impl FnOnce(&mut Value)) -> Result<(), jobs::Error> {
    host(|host| match host.kept.jobs.get_mut(name) {
        Some(job) => {
            how(job);
            Ok(())
        }
        None => Err(absent(name)),
    })
}

fn absent(name: &str) -> jobs::Error {
    jobs::Error::new(jobs::ErrorKind::NoSuchJob, format!("there is no job {name:?}"))
}

pub(crate) fn jobs_add(name: &str, job: &str, on_conflict: Conflict) -> Result<(), jobs::Error> {
    let job = object(job)?;
    host(|host| match (host.kept.jobs.contains_key(name), on_conflict) {
        (true, Conflict::Error) => {
            let why = format!("there is a job {name:?} already");
            Err(jobs::Error::new(jobs::ErrorKind::JobExists, why))
        }
        (true, Conflict::Ignore) => Ok(()),
        _ => {
            host.kept.jobs.insert(name.to_owned(), job);
            Ok(())
        }
    })
}

pub(crate) fn jobs_modify(name: &str, changes: &str) -> Result<(), jobs::Error> {
    let changes = object(changes)?;
    change(name, |job| {
        for (key, value) in changes.as_object().into_iter().flatten() {
            job[key] = value.clone();
        }
    })
}

pub(crate) fn jobs_pause(name: &str, note: Option<&str>) -> Result<(), jobs::Error> {
    change(name, |job| job["paused"] = json!({ "note": note }))
}

pub(crate) fn jobs_resume(name: &str) -> Result<(), jobs::Error> {
    change(name, |job| job["paused"] = Value::Null)
}

pub(crate) fn jobs_remove(name: &str) -> Result<(), jobs::Error> {
    host(|host| host.kept.jobs.remove(name)).map(|_| ()).ok_or_else(|| absent(name))
}

pub(crate) fn jobs_run(name: &str, args: Option<&str>) -> Result<(), jobs::Error> {
    let args = args.map(serde_json::from_str).transpose();
    let args = args.map_err(|_| jobs::Error::new(jobs::ErrorKind::Invalid, "the arguments are not JSON"))?;
    host(|host| {
        if !host.kept.jobs.contains_key(name) {
            return Err(absent(name));
        }
        host.kept.runs.push((name.to_owned(), args));
        Ok(())
    })
}

pub(crate) fn jobs_list() -> Result<Vec<String>, jobs::Error> {
    Ok(host(|host| host.kept.jobs.keys().cloned().collect()))
}

pub(crate) fn jobs_get(name: &str) -> Result<Option<String>, jobs::Error> {
    Ok(host(|host| host.kept.jobs.get(name).map(Value::to_string)))
}
