//! Inside a sandbox: the imports `clockbox:state` and `clockbox:jobs`.

use super::bindings::clockbox::{
    jobs::control::{self, Error as JobsError},
    state::store::{self, Error as StateError},
};
use crate::{
    jobs::{self, Conflict},
    state,
};

impl From<StateError> for state::Error {
    fn from(error: StateError) -> Self {
        use state::ErrorKind as K;
        match error {
            StateError::Denied(why) => Self::new(K::Denied, why),
            StateError::InvalidKey(why) => Self::new(K::InvalidKey, why),
            StateError::QuotaExceeded(why) => Self::new(K::QuotaExceeded, why),
            StateError::Unavailable(why) => Self::new(K::Unavailable, why),
            StateError::Other(why) => Self::new(K::Other, why),
        }
    }
}

impl From<JobsError> for jobs::Error {
    fn from(error: JobsError) -> Self {
        use jobs::ErrorKind as K;
        match error {
            JobsError::Denied(why) => Self::new(K::Denied, why),
            JobsError::NoSuchJob(why) => Self::new(K::NoSuchJob, why),
            JobsError::JobExists(why) => Self::new(K::JobExists, why),
            JobsError::Invalid(why) => Self::new(K::Invalid, why),
            JobsError::TooMany(why) => Self::new(K::TooMany, why),
            JobsError::Unavailable(why) => Self::new(K::Unavailable, why),
            JobsError::Other(why) => Self::new(K::Other, why),
        }
    }
}

pub(crate) fn state_get(key: &str) -> Result<Option<Vec<u8>>, state::Error> {
    Ok(store::get(key)?)
}

pub(crate) fn state_set(key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<(), state::Error> {
    Ok(store::set(key, value, ttl_ms)?)
}

pub(crate) fn state_delete(key: &str) -> Result<bool, state::Error> {
    Ok(store::delete(key)?)
}

pub(crate) fn state_keys(prefix: &str) -> Result<Vec<String>, state::Error> {
    Ok(store::keys(prefix)?)
}

pub(crate) fn state_compare_and_swap(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<bool, state::Error> {
    Ok(store::compare_and_swap(key, expected, value, None)?)
}

pub(crate) fn jobs_add(name: &str, job: &str, on_conflict: Conflict) -> Result<(), jobs::Error> {
    let on_conflict = match on_conflict {
        Conflict::Error => control::Conflict::Error,
        Conflict::Replace => control::Conflict::Replace,
        Conflict::Ignore => control::Conflict::Ignore,
    };
    Ok(control::add(name, job, on_conflict)?)
}

pub(crate) fn jobs_modify(name: &str, changes: &str) -> Result<(), jobs::Error> {
    Ok(control::modify(name, changes)?)
}

pub(crate) fn jobs_pause(name: &str, note: Option<&str>) -> Result<(), jobs::Error> {
    Ok(control::pause(name, note)?)
}

pub(crate) fn jobs_resume(name: &str) -> Result<(), jobs::Error> {
    Ok(control::resume(name)?)
}

pub(crate) fn jobs_remove(name: &str) -> Result<(), jobs::Error> {
    Ok(control::remove(name)?)
}

pub(crate) fn jobs_run(name: &str, args: Option<&str>) -> Result<(), jobs::Error> {
    Ok(control::run(name, args)?)
}

pub(crate) fn jobs_list() -> Result<Vec<String>, jobs::Error> {
    Ok(control::list()?)
}

pub(crate) fn jobs_get(name: &str) -> Result<Option<String>, jobs::Error> {
    Ok(control::get(name)?)
}
