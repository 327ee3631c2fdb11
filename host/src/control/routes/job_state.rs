//! What jobs remember: list, get, put, delete, clear.

use std::sync::Arc;

use axum::{
    Json as Answer,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use clockbox_core::{
    model::{JobId, JobState, StateChanges, StateEntry, Timestamp, check_state_key, parse_duration},
    timetable::Rejection,
};
use http::{HeaderMap, StatusCode, header::ETAG};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    control::{
        app::App,
        extract::{Json, Name},
        problem::Problem,
        tag::{Condition, tag_of},
        view::{EntryView, bytes_of_hex},
    },
    manifest::suggest,
    scheduler::SchedulerError,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, clear)).routes(routes!(show, put, delete))
}

/// All that a job remembers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StateView {
    /// Its entries, by key.
    pub(crate) entries: Vec<EntryView>,
    /// What they count towards the limit, in bytes.
    pub(crate) size: u64,
    /// The limit: `limits.state` of the job's plugin.
    pub(crate) limit: u64,
}

impl StateView {
    pub(crate) fn new(state: &JobState, now: Timestamp, limit: u64) -> Self {
        let entries = state.0.iter().map(|(key, entry)| EntryView::new(key, entry)).collect();
        Self { entries, size: state.size(now), limit }
    }
}

/// What a job remembers from run to run.
#[utoipa::path(get, path = "/v1/jobs/{name}/state", tag = "jobs", params(("name" = String, Path, description = "The job")), responses(
    (status = 200, description = "What it remembers", body = StateView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn list(State(app): State<App>, Name(job): Name<JobId>) -> Result<Answer<StateView>, Problem> {
    let Desk { state, limit, now, .. } = Desk::open(&app, job).await?;
    Ok(Answer(StateView::new(&state, now, limit)))
}

/// Let a job forget everything that it remembers at this moment. A run that has compared one of its keys, and ends later,
/// fails for it.
#[utoipa::path(delete, path = "/v1/jobs/{name}/state", tag = "jobs", params(("name" = String, Path, description = "The job")), responses(
    (status = 204, description = "It is forgotten"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn clear(State(app): State<App>, Name(job): Name<JobId>) -> Result<StatusCode, Problem> {
    let Desk { job, state, limit, .. } = Desk::open(&app, job).await?;
    let put = state.0.into_keys().map(|key| (key, None)).collect();
    let changes = StateChanges { put, limit, ..StateChanges::default() };
    app.scheduler.change_state(job, changes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One value that a job remembers.
#[utoipa::path(get, path = "/v1/jobs/{name}/state/{key}", tag = "jobs", params(
    ("name" = String, Path, description = "The job"),
    ("key" = String, Path, description = "The key; a / in it is written %2F"),
), responses(
    (status = 200, description = "The value", body = EntryView, headers(("ETag", description = "Its version"))),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(app): State<App>, Place { job, key }: Place) -> Result<Response, Problem> {
    shown(&Desk::open(&app, job).await?, &key)
}

fn shown(desk: &Desk, key: &str) -> Result<Response, Problem> {
    let view = EntryView::new(key, desk.entry(key)?);
    Ok(([(ETAG, view.etag.clone())], Answer(view)).into_response())
}

/// A value to be remembered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EntryBody {
    /// The value, as text.
    value: Option<String>,
    /// The value, in hexadecimal digits.
    #[schema(example = "00ff")]
    hex: Option<String>,
    /// It expires after this long; never if nothing is said.
    #[schema(example = "2h")]
    ttl: Option<String>,
}

impl EntryBody {
    fn into_entry(self, now: Timestamp) -> Result<StateEntry, Problem> {
        let value: Arc<[u8]> = match (self.value, self.hex) {
            (Some(value), None) => value.into_bytes().into(),
            (None, Some(hex)) => bytes_of_hex(&hex)
                .map(Into::into)
                .ok_or_else(|| Problem::bad_request("hex: expected pairs of hexadecimal digits"))?,
            _ => return Err(Problem::bad_request("expected one of the keys `value` and `hex`")),
        };
        let Some(ttl) = self.ttl else { return Ok(StateEntry { value, expires_at: None }) };
        let ttl = parse_duration(&ttl).map_err(|error| Problem::bad_request(format!("ttl: {error}")))?;
        let later = TimeDelta::from_std(ttl).ok();
        let at = later.and_then(|later| now.checked_add_signed(later)).ok_or_else(|| {
            let problem = Problem::bad_request("ttl: that is beyond the calendar");
            problem.hint("leave it out: the value never expires")
        })?;
        Ok(StateEntry { value, expires_at: Some(at) })
    }
}

/// Let a job remember a value. A run that has compared this key, and ends later, fails for it.
#[utoipa::path(put, path = "/v1/jobs/{name}/state/{key}", tag = "jobs", request_body = EntryBody, params(
    ("name" = String, Path, description = "The job"),
    ("key" = String, Path, description = "The key; a / in it is written %2F"),
    ("If-Match" = Option<String>, Header, description = "Only where the value is this version"),
), responses(
    (status = 200, description = "The value as it is now", body = EntryView),
    (status = 409, description = "It changed in this very moment", body = Problem, content_type = "application/problem+json"),
    (status = 412, description = "It has changed meanwhile", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "The job would remember more than limits.state of its plugin", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn put(
    State(app): State<App>,
    Place { job, key }: Place,
    headers: HeaderMap,
    Json(body): Json<EntryBody>,
) -> Result<Response, Problem> {
    check_state_key(&key).map_err(|error| Problem::bad_request(error.to_string()))?;
    let desk = Desk::open(&app, job).await?;
    let entry = body.into_entry(desk.now)?;
    let view = EntryView::new(&key, &entry);
    desk.change(&app, key, Some(entry), &headers).await?;
    Ok(([(ETAG, view.etag.clone())], Answer(view)).into_response())
}

/// Let a job forget a value.
#[utoipa::path(delete, path = "/v1/jobs/{name}/state/{key}", tag = "jobs", params(
    ("name" = String, Path, description = "The job"),
    ("key" = String, Path, description = "The key; a / in it is written %2F"),
    ("If-Match" = Option<String>, Header, description = "Only where the value is this version"),
), responses(
    (status = 204, description = "It is forgotten"),
    (status = 409, description = "It changed in this very moment", body = Problem, content_type = "application/problem+json"),
    (status = 412, description = "It has changed meanwhile", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn delete(
    State(app): State<App>,
    Place { job, key }: Place,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let desk = Desk::open(&app, job).await?;
    desk.entry(&key)?;
    desk.change(&app, key, None, &headers).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key of a job, in the path.
struct Place {
    job: JobId,
    key: String,
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Place {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut http::request::Parts, state: &S) -> Result<Self, Problem> {
        let Path((job, key)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::bad_request(format!("the path: {error}")))?;
        let job = job
            .parse()
            .map_err(|error: clockbox_core::model::IdError| Problem::bad_request(error.to_string()))?;
        Ok(Self { job, key })
    }
}

/// One job's state, as it is in the store.
struct Desk {
    job: JobId,
    state: JobState,
    limit: u64,
    now: Timestamp,
}

impl Desk {
    async fn open(app: &App, job: JobId) -> Result<Self, Problem> {
        let record = app.scheduler.job(job.clone()).await?;
        let record = record.ok_or_else(|| Problem::from(Rejection::NoSuchJob(job.clone())))?;
        let limit = app.scheduler.state_limit(&record.job.plugin);
        let now = app.scheduler.clock().now();
        let id = job.clone();
        let state = app.read(move |store| store.state(&id, now)).await?;
        Ok(Self { job, state, limit, now })
    }

    fn entry(&self, key: &str) -> Result<&StateEntry, Problem> {
        self.state.get(key, self.now).ok_or_else(|| {
            let hint = suggest::hint("keys", key, self.state.0.keys().map(String::as_str));
            let detail = format!("job {:?} has no key {key:?}", self.job.as_str());
            Problem::not_found("no-such-key", detail).hint(hint)
        })
    }

    /// Changes a key, where its value is what is asked for: also if somebody else is about to change it.
    async fn change(
        self,
        app: &App,
        key: String,
        entry: Option<StateEntry>,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        let condition = Condition::of(headers)?;
        let now = self.state.get(&key, self.now).map(|entry| Arc::clone(&entry.value));
        let is_asked = headers.contains_key(http::header::IF_MATCH);
        if is_asked && (now.is_none() || !condition.holds(now.as_deref().map(tag_of).as_deref())) {
            let detail = format!("the value of {key:?} has changed meanwhile");
            let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "changed", detail);
            return Err(problem.hint("get it again: its ETag is what If-Match is to say"));
        }
        let expected = if is_asked { [(key.clone(), now)].into() } else { Default::default() };
        let changes = StateChanges { put: [(key, entry)].into(), expected, limit: self.limit };
        app.scheduler.change_state(self.job, changes).await.map_err(|error: SchedulerError| error.into())
    }
}
