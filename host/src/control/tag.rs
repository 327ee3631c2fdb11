//! Entity tags: which version of a job somebody has looked at (RFC 9110, section 8.8.3).

use clockbox_core::model::{JobId, JobRecord};
use http::{HeaderMap, header::IF_MATCH};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::scheduler::SchedulerError;

/// The tag of some bytes.
pub(super) fn tag_of(bytes: &[u8]) -> String {
    finish(Sha256::new_with_prefix(bytes))
}

/// The tag of a job: another one after each modification, pause and resumption, but not after each fire.
pub(super) fn tag(record: &JobRecord) -> String {
    let mut hash = Sha256::new();
    // Keys come in order, so the same job always has the same text.
    hash.update(serde_json::to_vec(&*record.job).unwrap_or_default());
    hash.update(serde_json::to_vec(&record.paused).unwrap_or_default());
    finish(hash)
}

fn finish(hash: Sha256) -> String {
    let digits: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// The condition that a request sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Condition(Option<String>);

impl Condition {
    /// What `If-Match` says.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut said = headers.get_all(IF_MATCH).iter();
        let (Some(value), None) = (said.next(), said.next()) else {
            return if headers.contains_key(IF_MATCH) {
                Err(Problem::bad_request("If-Match was given twice"))
            } else {
                Ok(Self(None))
            };
        };
        let text = value.to_str().map_err(|_| Problem::bad_request("If-Match is not text"))?;
        Ok(Self((text.trim() != "*").then(|| text.trim().to_owned())))
    }

    /// Whether something with this tag is what was asked for.
    pub(super) fn holds(&self, now: Option<&str>) -> bool {
        let Some(wanted) = &self.0 else { return true };
        now.is_some_and(|now| wanted.split(',').any(|one| one.trim() == now))
    }

    /// Whether a job is as it is to be. A weak tag matches nothing, as the standard has it.
    pub(super) fn check(&self, id: &JobId, record: &JobRecord) -> Result<(), SchedulerError> {
        if self.0.is_none() || self.holds(Some(&tag(record))) {
            return Ok(());
        }
        Err(SchedulerError::Changed(id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn said(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_star_and_nothing_ask_for_nothing() {
        assert_eq!(Condition::of(&HeaderMap::new()).unwrap(), Condition(None));
        assert_eq!(Condition::of(&said("*")).unwrap(), Condition(None));
        assert_eq!(Condition::of(&said(" \"a\" ")).unwrap(), Condition(Some("\"a\"".to_owned())));
    }
}
