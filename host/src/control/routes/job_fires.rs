//! When a job fires: the fires to come, and one by hand.

use axum::{Json as Answer, extract::State};
use chrono::{DateTime, Utc};
use clockbox_core::{model::JobId, timetable::Rejection};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::control::{
    app::App,
    extract::{Json, Name, Params},
    problem::Problem,
};

/// The most next fires in one answer.
const MOST_FIRES: u32 = 1000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(run)).routes(routes!(next))
}

/// How it is run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RunBody {
    /// Arguments in the place of the job's own: any JSON.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Value>)]
    args: Option<Value>,
}

/// A key that is there, were it `null`.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A run that was recorded.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Recorded {
    /// Its id.
    pub(crate) run: String,
}

/// Run a job now, once, without moving its schedule. The answer comes once the run is on record.
#[utoipa::path(post, path = "/v1/jobs/{name}/run", tag = "jobs", request_body = RunBody, params(
    ("name" = String, Path, description = "The job"),
), responses(
    (status = 202, description = "The run", body = Recorded),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn run(
    State(app): State<App>,
    Name(name): Name<JobId>,
    Json(RunBody { args }): Json<RunBody>,
) -> Result<(StatusCode, Answer<Recorded>), Problem> {
    let run = app.scheduler.run_now(name, args.map(|args| args.to_string())).await?;
    Ok((StatusCode::ACCEPTED, Answer(Recorded { run: run.to_string() })))
}

/// How many fires.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct NextParams {
    /// At most so many; 10 if nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The fires to come.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Fires {
    /// Their nominal times, jitter apart, in order.
    pub(crate) fires: Vec<DateTime<Utc>>,
    /// Set while the job is paused: then none of them happens.
    pub(crate) paused: bool,
}

/// The next fires of a job.
#[utoipa::path(get, path = "/v1/jobs/{name}/next", tag = "jobs", params(
    ("name" = String, Path, description = "The job"),
    NextParams,
), responses(
    (status = 200, description = "Its fires to come", body = Fires),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn next(
    State(app): State<App>,
    Name(name): Name<JobId>,
    Params(asked): Params<NextParams>,
) -> Result<Answer<Fires>, Problem> {
    let most = asked.limit.unwrap_or(10);
    if !(1..=MOST_FIRES).contains(&most) {
        return Err(Problem::bad_request(format!("limit: {most} is out of range 1-{MOST_FIRES}")));
    }
    let record =
        app.scheduler.job(name.clone()).await?.ok_or_else(|| Problem::from(Rejection::NoSuchJob(name)))?;
    let now = app.scheduler.clock().now();
    let fires = tokio::task::spawn_blocking(move || {
        let fires = record.fires_from(now).take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
        Fires { fires, paused: record.paused.is_some() }
    });
    Ok(Answer(fires.await.map_err(|error| Problem::broken(error.to_string()))?))
}
