//! What Prometheus reads.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::CONTENT_TYPE;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::control::{app::App, metrics, problem::Problem};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(page))
}

/// Metrics in the text format of Prometheus (0.0.4): what has happened since the host started, and how it stands.
///
/// Of `[server] metrics_jobs` jobs each has series of its own (200 if nothing is said); the others share the label `*`.
#[utoipa::path(get, path = "/metrics", tag = "scheduler", responses(
    (status = 200, description = "The metrics", body = String, content_type = "text/plain; version=0.0.4; charset=utf-8"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn page(State(app): State<App>) -> Result<Response, Problem> {
    let text = app.metrics.page(&app).await?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}
