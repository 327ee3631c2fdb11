//! Signs of life.

use axum::{Json as Answer, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::control::{app::App, problem::Problem};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// A sign of life.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// Whether the scheduler answers.
#[utoipa::path(get, path = "/health/live", tag = "scheduler", responses(
    (status = 200, description = "It does", body = Health),
    (status = 503, description = "It does not", body = Problem, content_type = "application/problem+json"),
))]
async fn live(State(app): State<App>) -> Result<Answer<Health>, Problem> {
    app.scheduler.ping().await?;
    Ok(Answer(Health { status: "ok" }))
}

/// Whether jobs start: the store takes records, and the host is not about to stop.
#[utoipa::path(get, path = "/health/ready", tag = "scheduler", responses(
    (status = 200, description = "They do", body = Health),
    (status = 503, description = "They do not", body = Problem, content_type = "application/problem+json"),
))]
async fn ready(State(app): State<App>) -> Result<Answer<Health>, Problem> {
    let status = app.scheduler.status().await?;
    if status.draining {
        return Err(clockbox_core::timetable::Rejection::Draining.into());
    }
    if status.held {
        let detail = "the store does not keep up or fails: nothing starts until it does";
        return Err(Problem::new(http::StatusCode::SERVICE_UNAVAILABLE, "store-busy", detail));
    }
    Ok(Answer(Health { status: "ok" }))
}
