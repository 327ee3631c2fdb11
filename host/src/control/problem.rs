//! What went wrong, as `application/problem+json` (RFC 9457).

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use clockbox_core::{
    model::{KeyProblem, Refusal},
    timetable::Rejection,
};
use clockbox_store::StoreError;
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::scheduler::SchedulerError;

/// Why a request was not done: RFC 9457, with what to do and, where a description was refused, every problem of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, for programs: `urn:clockbox:problem:no-such-job`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Box<str>,
    /// The status in words.
    #[schema(value_type = String)]
    pub title: Box<str>,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Every problem of a description that was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<KeyProblemSchema>)]
    pub problems: Vec<KeyProblem>,
}

/// What is wrong with one key of a description.
#[derive(ToSchema)]
#[schema(as = KeyProblem)]
#[expect(dead_code, reason = "it describes the type of the manifest, which knows nothing of the API")]
struct KeyProblemSchema {
    /// The key, such as `trigger.interval`; empty for the description as a whole.
    key: String,
    /// What is wrong.
    message: String,
    /// What to do.
    hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:clockbox:problem:{kind}").into(),
            title: status.canonical_reason().unwrap_or_default().into(),
            status: status.as_u16(),
            detail: detail.into(),
            hint: None,
            problems: Vec::new(),
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The request itself cannot be understood.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// There is nothing of that name.
    pub(crate) fn not_found(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, kind, detail)
    }

    /// Something in the host broke down.
    pub(crate) fn broken(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", detail)
    }

    /// The last part of its kind.
    #[must_use]
    pub fn code(&self) -> &str {
        self.kind.rsplit(':').next().unwrap_or_default()
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let detail = rejection.to_string();
        match rejection {
            Rejection::NoSuchJob(_) => Self::not_found("no-such-job", detail),
            Rejection::NoSuchRun(_) => Self::new(StatusCode::CONFLICT, "run-not-under-way", detail),
            Rejection::JobExists(job) => {
                let detail = format!("there is a job {:?} already", job.as_str());
                let hint = "choose another name, or say on_conflict=replace or on_conflict=ignore";
                Self::new(StatusCode::CONFLICT, "job-exists", detail).hint(hint)
            }
            Rejection::NotOwner { .. } => Self::new(StatusCode::CONFLICT, "not-owner", detail),
            Rejection::WrongSource(_) => Self::broken(detail),
            Rejection::Draining => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::NoSuchJob => Self::not_found("no-such-job", detail),
            Refusal::NoSuchRun => Self::not_found("no-such-run", detail),
            Refusal::StateFull { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "state-full", detail),
            Refusal::StateConflict { .. } => Self::new(StatusCode::CONFLICT, "state-conflict", detail),
            Refusal::AlreadyRecorded => Self::new(StatusCode::CONFLICT, "refused", detail),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Transient(_) => "store-busy",
            _ => "store",
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, format!("the store: {error}"))
    }
}

impl From<SchedulerError> for Problem {
    fn from(error: SchedulerError) -> Self {
        let detail = error.to_string();
        match error {
            SchedulerError::Rejected(rejection) => rejection.into(),
            SchedulerError::Store(error) => error.into(),
            SchedulerError::Changed(_) => Self::new(StatusCode::PRECONDITION_FAILED, "changed", detail)
                .hint("get it again: its ETag is what If-Match is to say"),
            SchedulerError::Invalid(problems) => Self {
                problems: problems.0,
                ..Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid-job",
                    "the job cannot be read as it is written",
                )
            },
            SchedulerError::State(refusal) => refusal.into(),
            SchedulerError::Job(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-job", detail),
            SchedulerError::Stopped | SchedulerError::Lost(_) | SchedulerError::Signals(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", detail)
            }
            SchedulerError::Refused => Self::new(StatusCode::CONFLICT, "refused", detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_and_what_to_do() {
        let problem = Problem::from(Rejection::JobExists("a".parse().unwrap()));
        assert_eq!((problem.status, problem.code()), (409, "job-exists"));
        assert!(problem.hint.is_some());
        let again: Problem = serde_json::from_str(&serde_json::to_string(&problem).unwrap()).unwrap();
        assert_eq!(again, problem);
    }
}
