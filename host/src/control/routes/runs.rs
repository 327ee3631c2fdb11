//! Runs: list, get, cancel, retry. Their logs are in `run_logs`.

use axum::{Json as Answer, extract::State};
use clockbox_core::{
    model::{Run, RunId},
    timetable::Rejection,
};
use clockbox_store::{RunDetail, RunFilter};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{job_fires::Recorded, jobs::limit_of};
use crate::{
    control::{
        app::App,
        extract::{Json, Name, Params},
        list::{cursor, read_cursor, several, time},
        problem::Problem,
        view::{RunDetailView, RunView},
    },
    scheduler::SchedulerError,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(cancel))
        .routes(routes!(retry))
}

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// Behind this one: `next` of the page before.
    after: Option<String>,
    /// At most so many; 100 if nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Whose ids begin so.
    prefix: Option<String>,
    /// Of this job.
    job: Option<String>,
    /// In this state, or one of several: `waiting,running`.
    state: Option<String>,
    /// With this outcome, or one of several: `failed,timed-out`.
    outcome: Option<String>,
    /// Of this cause: `trigger`, `manual`.
    cause: Option<String>,
    /// Scheduled at or after this time (RFC 3339), or within this long (`2h`).
    since: Option<String>,
    /// Scheduled before this time (RFC 3339), or longer than this ago.
    until: Option<String>,
}

/// A page of runs, newest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunPage {
    /// The runs.
    pub(crate) runs: Vec<RunView>,
    /// What `after` is to say for the next page; nothing on the last one.
    pub(crate) next: Option<String>,
}

/// List runs, newest first: by scheduled time.
#[utoipa::path(get, path = "/v1/runs", tag = "runs", params(ListParams), responses(
    (status = 200, description = "A page of runs", body = RunPage),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn list(State(app): State<App>, Params(asked): Params<ListParams>) -> Result<Answer<RunPage>, Problem> {
    let limit = limit_of(asked.limit)?;
    let now = app.scheduler.clock().now();
    let filter = RunFilter {
        job: super::jobs::parsed("job", asked.job)?,
        states: several("state", asked.state)?,
        outcomes: several("outcome", asked.outcome)?,
        causes: several("cause", asked.cause)?,
        since: time("since", asked.since, now)?,
        until: time("until", asked.until, now)?,
        ids: asked.prefix.as_deref().map(ids_from).transpose()?,
        after: asked.after.as_deref().map(read_cursor).transpose()?,
        limit: Some(limit),
    };
    let page = app.read(move |store| {
        let runs = store.runs(&filter)?;
        let is_full = u32::try_from(runs.len()).is_ok_and(|found| found == limit);
        let next = runs.last().filter(|_| is_full).map(cursor);
        Ok(RunPage { runs: runs.iter().map(RunView::new).collect(), next })
    });
    Ok(Answer(page.await?))
}

/// The ids that begin so.
fn ids_from(prefix: &str) -> Result<(RunId, RunId), Problem> {
    RunId::range_of_prefix(&prefix.to_ascii_lowercase())
        .ok_or_else(|| Problem::bad_request(format!("prefix: {prefix:?} is not the beginning of a run id")))
}

/// A run as it is on record.
pub(super) async fn find(app: &App, id: RunId) -> Result<RunDetail, Problem> {
    app.read(move |store| store.run(id)).await?.ok_or_else(|| no_such_run(id))
}

fn no_such_run(id: RunId) -> Problem {
    Problem::not_found("no-such-run", format!("there is no run {id} on record"))
}

/// One run, with its attempts.
#[utoipa::path(get, path = "/v1/runs/{id}", tag = "runs", params(("id" = String, Path, description = "The run")), responses(
    (status = 200, description = "The run", body = RunDetailView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(app): State<App>, Name(id): Name<RunId>) -> Result<Answer<RunDetailView>, Problem> {
    let RunDetail { run, attempts } = find(&app, id).await?;
    Ok(Answer(RunDetailView::new(&run, &attempts)))
}

/// Why a run is to stop.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelBody {
    /// Why, for the record.
    #[schema(example = "asked for by ada")]
    reason: Option<String>,
}

/// Stop a run: drop it where it waits, else ask its instance to stop, and stop it soon after. The answer shows it as it is
/// on record then; it may still be running.
#[utoipa::path(post, path = "/v1/runs/{id}/cancel", tag = "runs", request_body = CancelBody, params(
    ("id" = String, Path, description = "The run"),
), responses(
    (status = 202, description = "It was asked to stop", body = RunView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn cancel(
    State(app): State<App>,
    Name(id): Name<RunId>,
    Json(CancelBody { reason }): Json<CancelBody>,
) -> Result<(StatusCode, Answer<RunView>), Problem> {
    let why = reason.unwrap_or_else(|| "cancelled by hand".to_owned());
    match app.scheduler.cancel_run(id, why).await {
        // What has ended is told from what never was.
        Err(SchedulerError::Rejected(rejection @ Rejection::NoSuchRun(_))) => {
            find(&app, id).await?;
            Err(rejection.into())
        }
        Err(error) => Err(error.into()),
        Ok(()) => Ok((StatusCode::ACCEPTED, Answer(RunView::new(&find(&app, id).await?.run)))),
    }
}

/// Run the job of a run that is over once more, now, with the same arguments: a run of its own, of cause `manual`.
#[utoipa::path(post, path = "/v1/runs/{id}/retry", tag = "runs", params(
    ("id" = String, Path, description = "The run"),
), responses(
    (status = 202, description = "The new run", body = Recorded),
    (status = 409, description = "Its job is gone, or it is not over", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn retry(
    State(app): State<App>,
    Name(id): Name<RunId>,
) -> Result<(StatusCode, Answer<Recorded>), Problem> {
    let Run { job, args, state, .. } = find(&app, id).await?.run;
    if !state.is_final() {
        let detail = format!("run {id} is {state}, and not over yet");
        return Err(Problem::new(StatusCode::CONFLICT, "run-under-way", detail).hint("cancel it first"));
    }
    match app.scheduler.run_now(job, args).await {
        Ok(run) => Ok((StatusCode::ACCEPTED, Answer(Recorded { run: run.to_string() }))),
        Err(SchedulerError::Rejected(gone @ Rejection::NoSuchJob(_))) => {
            let detail = format!("run {id} has no job any more: {gone}");
            Err(Problem::new(StatusCode::CONFLICT, "job-gone", detail).hint("add the job again"))
        }
        Err(error) => Err(error.into()),
    }
}
