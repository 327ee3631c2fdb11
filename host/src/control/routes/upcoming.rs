//! What fires next on the whole host.

use axum::{Json as Answer, extract::State};
use clockbox_core::{model::JobRecord, timetable::Timetable};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::jobs::{JobPage, limit_of};
use crate::control::{app::App, extract::Params, problem::Problem, view::JobView};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(next))
}

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct NextParams {
    /// At most so many; 100 if nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The jobs that fire next, in order. Those that are paused are not among them.
#[utoipa::path(get, path = "/v1/next", tag = "scheduler", params(NextParams), responses(
    (status = 200, description = "The jobs; `next` is always nothing", body = JobPage),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn next(State(app): State<App>, Params(asked): Params<NextParams>) -> Result<Answer<JobPage>, Problem> {
    let most = usize::try_from(limit_of(asked.limit)?).unwrap_or(usize::MAX);
    let soonest = move |timetable: &Timetable| timetable.soonest(most).into_iter().cloned().collect();
    let records: Vec<JobRecord> = app.scheduler.ask(soonest).await?;
    Ok(Answer(JobPage { jobs: records.iter().map(JobView::new).collect(), next: None }))
}
