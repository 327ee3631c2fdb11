//! The host as a whole: status, pause, resume, drain, shutdown, reload.

use std::time::Duration;

use axum::{Json as Answer, extract::State};
use clockbox_core::model::{KeyProblem, parse_duration};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::jobs::PauseBody;
use crate::{
    control::{app::App, extract::Json, problem::Problem, view::StatusView},
    reload_answer,
    scheduler::SchedulerError,
};

/// How long a reload may take until its answer: a large plugin is compiled meanwhile.
pub(super) const RELOAD_PATIENCE: Duration = Duration::from_secs(300);
/// A grace without an end.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(status))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(drain))
        .routes(routes!(shutdown))
        .routes(routes!(reload))
}

/// How the host stands.
#[utoipa::path(get, path = "/v1/status", tag = "scheduler", responses(
    (status = 200, description = "How it stands", body = StatusView),
))]
async fn status(State(app): State<App>) -> Result<Answer<StatusView>, Problem> {
    Ok(Answer(status_of(&app).await?))
}

async fn status_of(app: &App) -> Result<StatusView, Problem> {
    let status = app.scheduler.status().await?;
    Ok(StatusView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started_at: app.started_at,
        now: app.scheduler.clock().now(),
        timezone: app.scheduler.defaults().timezone.name().to_owned(),
        jobs: status.jobs,
        paused_jobs: status.paused_jobs,
        running: status.running,
        waiting: status.waiting,
        next_wake: status.next_wake,
        paused: status.paused.as_ref().map(Into::into),
        draining: status.draining,
        store: app.hooks.settings.as_ref().map(|settings| settings.store().to_owned()),
        pools: app.scheduler.pools().await?.into_iter().map(Into::into).collect(),
    })
}

/// Let nothing start until it is resumed, over restarts too.
#[utoipa::path(post, path = "/v1/pause", tag = "scheduler", request_body = PauseBody, responses(
    (status = 200, description = "How it stands", body = StatusView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn pause(
    State(app): State<App>,
    Json(PauseBody { by, note }): Json<PauseBody>,
) -> Result<Answer<StatusView>, Problem> {
    app.scheduler.pause(by, note).await?;
    Ok(Answer(status_of(&app).await?))
}

/// Let jobs fire again.
#[utoipa::path(post, path = "/v1/resume", tag = "scheduler", responses(
    (status = 200, description = "How it stands", body = StatusView),
))]
async fn resume(State(app): State<App>) -> Result<Answer<StatusView>, Problem> {
    app.scheduler.resume().await?;
    Ok(Answer(status_of(&app).await?))
}

/// Start nothing more, let all that runs end, however long it takes, and stop.
#[utoipa::path(post, path = "/v1/drain", tag = "scheduler", responses(
    (status = 202, description = "It has begun"),
))]
async fn drain(State(app): State<App>) -> StatusCode {
    drop(app.scheduler.shutdown(FOREVER));
    StatusCode::ACCEPTED
}

/// How it stops.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShutdownBody {
    /// How long what runs may go on; 30s if nothing is said.
    #[schema(example = "30s")]
    grace: Option<String>,
}

/// Stop the host: nothing more starts, what runs gets the grace to end, then it is stopped.
#[utoipa::path(post, path = "/v1/shutdown", tag = "scheduler", request_body = ShutdownBody, responses(
    (status = 202, description = "It has begun"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn shutdown(State(app): State<App>, Json(body): Json<ShutdownBody>) -> Result<StatusCode, Problem> {
    let grace = body.grace.as_deref().unwrap_or("30s");
    let grace = parse_duration(grace).map_err(|error| Problem::bad_request(format!("grace: {error}")))?;
    drop(app.scheduler.shutdown(grace));
    Ok(StatusCode::ACCEPTED)
}

/// What a reload came to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reloaded {
    /// Jobs that are new.
    pub(crate) added: usize,
    /// Jobs that are others now.
    pub(crate) changed: usize,
    /// Jobs that are gone.
    pub(crate) removed: usize,
    /// What was refused, plugin by plugin, while the rest took effect.
    pub(crate) problems: Vec<String>,
}

/// Read the manifest and the plugins again, now.
#[utoipa::path(post, path = "/v1/reload", tag = "scheduler", responses(
    (status = 200, description = "It took effect", body = Reloaded),
    (status = 422, description = "The manifest was refused, and the last good one stays in force", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn reload(State(app): State<App>) -> Result<Answer<Reloaded>, Problem> {
    let Some(reload) = app.hooks.reload.clone() else {
        let detail = "this scheduler has no manifest to read";
        return Err(Problem::new(StatusCode::CONFLICT, "no-manifest", detail));
    };
    match tokio::time::timeout(RELOAD_PATIENCE, reload()).await {
        Ok(Ok(Ok(reloaded))) => Ok(Answer(reloaded.into())),
        Ok(Ok(Err(problems))) => Err(refused(problems)),
        Ok(Err(_)) => Err(SchedulerError::Stopped.into()),
        Err(_) => {
            let detail = "the reload goes on; what comes of it is told by an event";
            Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "slow", detail))
        }
    }
}

impl From<reload_answer::Reloaded> for Reloaded {
    fn from(reloaded: reload_answer::Reloaded) -> Self {
        let reload_answer::Reloaded { added, changed, removed, problems } = reloaded;
        Self { added, changed, removed, problems }
    }
}

pub(super) fn refused(problems: Vec<String>) -> Problem {
    let whole = |message| KeyProblem { key: String::new(), message, hint: None };
    Problem {
        problems: problems.into_iter().map(whole).collect(),
        ..Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "reload-refused",
            "the manifest or a plugin was refused; the last good one stays in force",
        )
    }
}
