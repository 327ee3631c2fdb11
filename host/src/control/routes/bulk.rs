//! Very many jobs at once: import and export.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono_tz::Tz;
use clockbox_core::model::{Job, JobDefaults, KeyProblem, WhenDone};
use clockbox_store::JobFilter;
use http::{StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::jobs::{AddParams, SourceKind, put_jobs, take_name};
use crate::control::{
    app::App,
    extract::{Params, Written},
    problem::Problem,
    toml_jobs,
    view::NewJob,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import)).routes(routes!(export))
}

/// Jobs to be added together.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batch {
    /// The jobs.
    #[schema(value_type = Vec<NewJob>)]
    jobs: Vec<Map<String, Value>>,
}

/// How many were added.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Added {
    /// Jobs that are there now as they were given.
    pub(crate) jobs: usize,
    /// Jobs that were not added, as their names were taken: with `on_conflict=ignore`.
    pub(crate) ignored: usize,
}

/// Add jobs in one transaction: all of them, or none. They are durable when the answer is there.
///
/// As JSON, or with `Content-Type: application/toml` as the sections `[jobs.NAME]` of a manifest.
#[utoipa::path(post, path = "/v1/import", tag = "jobs", params(AddParams),
    request_body(content((Batch = "application/json"), (String = "application/toml"))),
    responses(
        (status = 200, description = "They are there", body = Added),
        (status = "default", description = "None was added", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn import(
    State(app): State<App>,
    Params(asked): Params<AddParams>,
    written: Written,
) -> Result<Answer<Added>, Problem> {
    let jobs = match written {
        Written::Json(text) => {
            let batch: Batch = serde_json::from_str(&text)
                .map_err(|error| Problem::bad_request(format!("the body: {error}")))?;
            let named = |mut keys: Map<String, Value>| Ok((take_name(&mut keys)?, keys));
            batch.jobs.into_iter().map(named).collect::<Result<Vec<_>, Problem>>()?
        }
        Written::Toml(text) => {
            let read = tokio::task::spawn_blocking(move || toml_jobs::read(&text)).await;
            read.map_err(|error| Problem::broken(error.to_string()))?.map_err(|problems| {
                described("invalid-toml", "the jobs cannot be read as they are written", problems)
            })?
        }
    };
    let count = jobs.len();
    let added = put_jobs(&app, jobs, asked.on_conflict.unwrap_or_default().into()).await;
    let ignored = added.map_err(|problem| match problem.code() {
        "not-owner" => problem.hint("on_conflict=ignore leaves such jobs as they are"),
        _ => problem,
    })?;
    Ok(Answer(Added { jobs: count - ignored, ignored }))
}

fn described(kind: &str, detail: &str, problems: Vec<KeyProblem>) -> Problem {
    Problem { problems, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, kind, detail) }
}

/// Which jobs, and how they are written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ExportParams {
    /// `json`, as it is imported again, or `toml`, as a manifest has it; JSON if nothing is said.
    #[param(inline)]
    format: Option<Format>,
    /// Of this source.
    #[param(inline)]
    source: Option<SourceKind>,
}

/// How jobs are written.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Format {
    #[default]
    Json,
    Toml,
}

/// Every job, as it can be imported again or put into a manifest. How it stands, such as a pause, is not part of it.
#[utoipa::path(get, path = "/v1/export", tag = "jobs", params(ExportParams), responses(
    (status = 200, description = "The jobs", content((Batch = "application/json"), (String = "application/toml"))),
    (status = 422, description = "TOML cannot say all of it", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn export(State(app): State<App>, Params(asked): Params<ExportParams>) -> Result<Response, Problem> {
    let defaults = app.scheduler.defaults();
    let filter = JobFilter { source: asked.source.map(SourceKind::name), ..JobFilter::default() };
    let format = asked.format.unwrap_or_default();
    let is_text = matches!(format, Format::Toml);
    let jobs = app.read(move |store| {
        let jobs = store.jobs_matching(&filter)?;
        Ok(jobs
            .iter()
            .map(|record| {
                let mut keys = keys(&record.job, &defaults);
                if is_text && record.job.when_done() == WhenDone::Remove && keys.contains_key("trigger") {
                    // It goes without saying of a job that was added here, and not of one in a manifest.
                    keys.insert("when_done".to_owned(), "remove".into());
                }
                (record.job.id.clone(), keys)
            })
            .collect::<Vec<_>>())
    });
    let jobs = jobs.await?;
    match format {
        Format::Json => {
            let named = |(name, mut keys): toml_jobs::Described| {
                keys.insert("name".to_owned(), name.as_str().into());
                keys
            };
            Ok(Answer(Batch { jobs: jobs.into_iter().map(named).collect() }).into_response())
        }
        Format::Toml => {
            let text = tokio::task::spawn_blocking(move || toml_jobs::write(jobs)).await;
            let text = text.map_err(|error| Problem::broken(error.to_string()))?.map_err(|problems| {
                described("not-toml", "TOML cannot say all of it", problems).hint("say format=json")
            })?;
            Ok(([(CONTENT_TYPE, "application/toml")], text).into_response())
        }
    }
}

/// The keys of a job, its time zone always among them unless it is UTC here and is so where nothing is said: they go to
/// places that have others.
fn keys(job: &Job, defaults: &JobDefaults) -> Map<String, Value> {
    let is_usual = job.trigger.zone() == defaults.timezone;
    let timezone = if is_usual { Tz::UTC } else { defaults.timezone };
    job.keys(&JobDefaults { timezone, ..defaults.clone() })
}
