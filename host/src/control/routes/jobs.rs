//! Jobs: list, get, add, modify, reschedule, pause, resume, remove.

use std::{collections::HashSet, sync::Arc};

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use clockbox_core::{
    model::{
        Conflict, Job, JobId, JobPatch, JobRecord, KeyProblem, KeyProblems, PluginName, Pool, Running, Source,
    },
    timetable::{Input, Rejection, Timetable},
};
use clockbox_store::JobFilter;
use http::{HeaderMap, StatusCode, header::ETAG};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    control::{
        app::App,
        extract::{Json, Name, Params, Text},
        problem::Problem,
        tag::Condition,
        view::{JobKeys, JobView, NewJob},
    },
    manifest::{self, Terms, suggest},
    scheduler::SchedulerError,
};

/// Jobs in one answer, if nothing is said.
const PAGE: u32 = 100;
/// The most in one answer.
const LARGEST_PAGE: u32 = 1000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add, remove_all))
        .routes(routes!(show, put, modify, remove))
        .routes(routes!(reschedule))
        .routes(routes!(pause))
        .routes(routes!(resume))
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// Whose names come after this one: `next` of the page before.
    after: Option<String>,
    /// At most so many; 100 if nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Whose names begin so.
    prefix: Option<String>,
    /// Of this plugin.
    plugin: Option<String>,
    /// In this pool.
    pool: Option<String>,
    /// Paused, or not.
    paused: Option<bool>,
    /// Of this source.
    #[param(example = "api", inline)]
    source: Option<SourceKind>,
}

/// Where a job comes from.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SourceKind {
    Manifest,
    Folder,
    Api,
    Job,
}

impl SourceKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Folder => "folder",
            Self::Api => "api",
            Self::Job => "job",
        }
    }
}

/// A page of jobs, by name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct JobPage {
    /// The jobs.
    pub(crate) jobs: Vec<JobView>,
    /// What `after` is to say for the next page; nothing on the last one.
    pub(crate) next: Option<String>,
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    key: &str,
    text: Option<String>,
) -> Result<Option<T>, Problem> {
    let parse =
        |text: String| text.parse().map_err(|error: T::Err| Problem::bad_request(format!("{key}: {error}")));
    text.map(parse).transpose()
}

/// The number of things in one answer.
pub(super) fn limit_of(said: Option<u32>) -> Result<u32, Problem> {
    let limit = said.unwrap_or(PAGE);
    if (1..=LARGEST_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::bad_request(format!("limit: {limit} is out of range 1-{LARGEST_PAGE}")))
}

/// List jobs, by name.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(ListParams), responses(
    (status = 200, description = "A page of jobs", body = JobPage),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn list(State(app): State<App>, Params(asked): Params<ListParams>) -> Result<Answer<JobPage>, Problem> {
    let limit = limit_of(asked.limit)?;
    let filter = JobFilter {
        after: parsed("after", asked.after)?,
        prefix: asked.prefix,
        plugin: parsed("plugin", asked.plugin)?,
        pool: parsed("pool", asked.pool)?,
        paused: asked.paused,
        source: asked.source.map(SourceKind::name),
        limit: Some(limit),
    };
    let page = app
        .read(move |store| {
            let jobs = store.jobs_matching(&filter)?;
            let is_full = u32::try_from(jobs.len()).is_ok_and(|found| found == limit);
            let next = jobs.last().filter(|_| is_full).map(|record| record.job.id.to_string());
            Ok(JobPage { jobs: jobs.iter().map(JobView::new).collect(), next })
        })
        .await?;
    Ok(Answer(page))
}

/// What becomes of names that are taken.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AddParams {
    /// `error` (nothing is added), `replace`, or `ignore` (the other stays).
    #[param(inline)]
    pub(super) on_conflict: Option<OnConflict>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnConflict {
    #[default]
    Error,
    Replace,
    Ignore,
}

impl From<OnConflict> for Conflict {
    fn from(said: OnConflict) -> Self {
        match said {
            OnConflict::Error => Self::Error,
            OnConflict::Replace => Self::Replace,
            OnConflict::Ignore => Self::Ignore,
        }
    }
}

/// Add a job. It is durable when the answer is there.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", params(AddParams), request_body = NewJob, responses(
    (status = 201, description = "The job as it is now", body = JobView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn add(
    State(app): State<App>,
    Params(asked): Params<AddParams>,
    Json(mut keys): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let name = take_name(&mut keys)?;
    put_jobs(&app, vec![(name.clone(), keys)], asked.on_conflict.unwrap_or_default().into()).await?;
    let shown = shown(&app, name).await?;
    Ok((StatusCode::CREATED, shown).into_response())
}

pub(super) fn take_name(keys: &mut Map<String, Value>) -> Result<JobId, Problem> {
    match keys.remove("name") {
        Some(Value::String(name)) => name
            .parse()
            .map_err(|error: clockbox_core::model::IdError| Problem::bad_request(format!("name: {error}"))),
        Some(_) => Err(Problem::bad_request("name: expected a string")),
        None => Err(Problem::bad_request("the key `name` is missing").hint("write \"name\": \"…\"")),
    }
}

/// Reads descriptions and adds what they say; answers how many of them found their names taken and were ignored.
pub(super) async fn put_jobs(
    app: &App,
    described: Vec<(JobId, Map<String, Value>)>,
    conflict: Conflict,
) -> Result<usize, Problem> {
    let pools: Vec<Pool> = app.scheduler.pools().await?.into_iter().map(|load| load.pool).collect();
    let defaults = app.scheduler.defaults();
    let plugins = app.scheduler.plugin_names();
    // Very many take their time, and the other requests are not to wait for it.
    let read = tokio::task::spawn_blocking(move || {
        let terms = Terms { pools: &pools, defaults: &defaults };
        let mut problems = Vec::new();
        let is_one = described.len() == 1;
        let mut jobs = Vec::with_capacity(described.len());
        for (name, keys) in described {
            let read = manifest::read_job(&name, None, Source::Api, &Value::Object(keys).to_string(), terms);
            match read.and_then(|job| known_plugin(&job.plugin, &plugins).map(|()| job)) {
                Ok(job) => jobs.push(job),
                Err(KeyProblems(found)) => problems.extend(found.into_iter().map(|mut problem| {
                    if !is_one {
                        let dot = if problem.key.is_empty() { "" } else { "." };
                        problem.key = format!("{name}{dot}{}", problem.key);
                    }
                    problem
                })),
            }
        }
        if problems.is_empty() { Ok(jobs) } else { Err(SchedulerError::Invalid(KeyProblems(problems))) }
    });
    let jobs = read.await.map_err(|error| Problem::broken(error.to_string()))??;
    let jobs: Vec<Arc<Job>> = jobs.into_iter().map(Arc::new).collect();
    let (tell, told) = oneshot::channel();
    let decision = move |timetable: &Timetable| {
        let ignored = taken(timetable, &jobs, conflict)?;
        // Nobody waits any more where the connection is gone.
        _ = tell.send(ignored);
        Ok(Input::AddJobs { jobs, conflict })
    };
    app.scheduler.decide(decision).await?;
    told.await.map_err(|_| SchedulerError::Stopped.into())
}

/// How many of these jobs are ignored, as their names are taken. A job of the manifest cannot be replaced, so whoever meets
/// one is told that, and not to replace it.
fn taken(timetable: &Timetable, jobs: &[Arc<Job>], conflict: Conflict) -> Result<usize, SchedulerError> {
    let owner = |job: &Job| timetable.job(&job.id).map(|record| &record.job.source);
    match conflict {
        Conflict::Replace => Ok(0),
        Conflict::Error => match jobs.iter().find(|job| owner(job).is_some_and(Source::is_reloaded)) {
            Some(job) => {
                let owner = owner(job).cloned().unwrap_or(Source::Manifest);
                Err(Rejection::NotOwner { job: job.id.clone(), owner }.into())
            }
            None => Ok(0),
        },
        Conflict::Ignore => {
            let mut names = HashSet::new();
            Ok(jobs.iter().filter(|job| owner(job).is_some() || !names.insert(&job.id)).count())
        }
    }
}

/// Refuses a plugin that is not there.
fn known_plugin(plugin: &PluginName, known: &[PluginName]) -> Result<(), KeyProblems> {
    if known.contains(plugin) {
        return Ok(());
    }
    let hint = suggest::hint("plugins", plugin.as_str(), known.iter().map(PluginName::as_str));
    Err(KeyProblems(vec![KeyProblem {
        key: "plugin".to_owned(),
        message: format!("there is no plugin {:?}", plugin.as_str()),
        hint: Some(hint),
    }]))
}

/// One job.
#[utoipa::path(get, path = "/v1/jobs/{name}", tag = "jobs", params(("name" = String, Path, description = "The job")), responses(
    (status = 200, description = "The job", body = JobView, headers(("ETag", description = "Its version"))),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(app): State<App>, Name(name): Name<JobId>) -> Result<Response, Problem> {
    shown(&app, name).await
}

/// A job as it is now, with its tag.
async fn shown(app: &App, name: JobId) -> Result<Response, Problem> {
    let record = app.scheduler.job(name.clone()).await?;
    let record = record.ok_or_else(|| Problem::from(Rejection::NoSuchJob(name)))?;
    let view = JobView::new(&record);
    Ok(([(ETAG, view.etag.clone())], Answer(view)).into_response())
}

/// Put a job in the place of whatever has its name, or add it.
#[utoipa::path(put, path = "/v1/jobs/{name}", tag = "jobs", request_body = JobKeys, params(
    ("name" = String, Path, description = "The job"),
    ("If-Match" = Option<String>, Header, description = "Only where the job is this version"),
), responses(
    (status = 200, description = "The job as it is now", body = JobView),
    (status = 412, description = "It has changed meanwhile", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn put(
    State(app): State<App>,
    Name(name): Name<JobId>,
    headers: HeaderMap,
    Text(keys): Text,
) -> Result<Response, Problem> {
    let condition = Condition::of(&headers)?;
    let asks = headers.contains_key(http::header::IF_MATCH);
    let (defaults, plugins) = (app.scheduler.defaults(), app.scheduler.plugin_names());
    let id = name.clone();
    let decision = move |timetable: &Timetable| {
        let pools = pools_of(timetable);
        let job = read_new(&id, &keys, &Terms { pools: &pools, defaults: &defaults }, &plugins)?;
        match timetable.job(&id) {
            Some(record) => condition.check(&id, record)?,
            None if asks => return Err(Rejection::NoSuchJob(id).into()),
            None => {}
        }
        Ok(Input::AddJobs { jobs: vec![Arc::new(job)], conflict: Conflict::Replace })
    };
    app.scheduler.decide(decision).await?;
    shown(&app, name).await
}

fn read_new(
    id: &JobId,
    keys: &str,
    terms: &Terms<'_>,
    plugins: &[PluginName],
) -> Result<Job, SchedulerError> {
    let job = manifest::read_job(id, None, Source::Api, keys, *terms).map_err(SchedulerError::Invalid)?;
    known_plugin(&job.plugin, plugins).map_err(SchedulerError::Invalid)?;
    Ok(job)
}

fn pools_of(timetable: &Timetable) -> Vec<Pool> {
    timetable.pools().cloned().collect()
}

/// Change some keys of a job: a JSON merge patch (RFC 7396) of them.
///
/// Of a job of the manifest, that stays until the manifest says something new about it.
#[utoipa::path(patch, path = "/v1/jobs/{name}", tag = "jobs", request_body = JobKeys, params(
    ("name" = String, Path, description = "The job"),
    ("If-Match" = Option<String>, Header, description = "Only where the job is this version"),
), responses(
    (status = 200, description = "The job as it is now", body = JobView),
    (status = 412, description = "It has changed meanwhile", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn modify(
    State(app): State<App>,
    Name(name): Name<JobId>,
    headers: HeaderMap,
    Text(keys): Text,
) -> Result<Response, Problem> {
    change(&app, name.clone(), Condition::of(&headers)?, keys).await?;
    shown(&app, name).await
}

/// Give a job another trigger.
#[utoipa::path(put, path = "/v1/jobs/{name}/trigger", tag = "jobs", request_body(content = Object, example = json!({"cron": "0 5 * * *"})), params(
    ("name" = String, Path, description = "The job"),
    ("If-Match" = Option<String>, Header, description = "Only where the job is this version"),
), responses(
    (status = 200, description = "The job as it is now", body = JobView),
    (status = 412, description = "It has changed meanwhile", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn reschedule(
    State(app): State<App>,
    Name(name): Name<JobId>,
    headers: HeaderMap,
    Json(trigger): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let keys = serde_json::json!({ "trigger": trigger }).to_string();
    change(&app, name.clone(), Condition::of(&headers)?, keys).await?;
    shown(&app, name).await
}

/// Changes keys of a job, where it is the version that is asked for.
async fn change(app: &App, name: JobId, condition: Condition, keys: String) -> Result<(), Problem> {
    let (defaults, plugins) = (app.scheduler.defaults(), app.scheduler.plugin_names());
    let decision = move |timetable: &Timetable| {
        let record = timetable.job(&name).ok_or_else(|| Rejection::NoSuchJob(name.clone()))?;
        condition.check(&name, record)?;
        let pools = pools_of(timetable);
        let terms = Terms { pools: &pools, defaults: &defaults };
        let patch: JobPatch =
            manifest::read_changes(&record.job, &keys, terms).map_err(SchedulerError::Invalid)?;
        if let Some(plugin) = &patch.plugin {
            known_plugin(plugin, &plugins).map_err(SchedulerError::Invalid)?;
        }
        Ok(Input::ModifyJob { job: name, patch: Box::new(patch) })
    };
    Ok(app.scheduler.decide(decision).await?)
}

/// Which runs of a removed job go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct RemoveParams {
    /// `finish` (its runs under way end by themselves) or `cancel`.
    #[param(inline)]
    running: Option<WhatRuns>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum WhatRuns {
    Finish,
    Cancel,
}

impl From<WhatRuns> for Running {
    fn from(said: WhatRuns) -> Self {
        match said {
            WhatRuns::Finish => Self::Finish,
            WhatRuns::Cancel => Self::Cancel,
        }
    }
}

/// Remove a job. Its history stays. One of the manifest or folder is to be removed there.
#[utoipa::path(delete, path = "/v1/jobs/{name}", tag = "jobs", params(
    ("name" = String, Path, description = "The job"),
    ("If-Match" = Option<String>, Header, description = "Only where the job is this version"),
    RemoveParams,
), responses(
    (status = 204, description = "It is gone"),
    (status = 412, description = "It has changed meanwhile", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn remove(
    State(app): State<App>,
    Name(name): Name<JobId>,
    headers: HeaderMap,
    Params(asked): Params<RemoveParams>,
) -> Result<StatusCode, Problem> {
    let condition = Condition::of(&headers)?;
    let running = asked.running.map_or_else(Running::default, Running::from);
    let decision = move |timetable: &Timetable| {
        let record = timetable.job(&name).ok_or_else(|| Rejection::NoSuchJob(name.clone()))?;
        condition.check(&name, record)?;
        Ok(Input::RemoveJob { job: name, running })
    };
    app.scheduler.decide(decision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is meant by all of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct RemoveAllParams {
    /// `all`: so that nobody removes every job by a slip.
    confirm: Option<String>,
    /// `finish` (runs under way end by themselves) or `cancel`.
    #[param(inline)]
    running: Option<WhatRuns>,
}

/// How many went.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Removed {
    /// Jobs that were removed.
    pub(crate) jobs: usize,
}

/// Remove every job that was added while the host ran. Those of the manifest and folder stay.
#[utoipa::path(delete, path = "/v1/jobs", tag = "jobs", params(RemoveAllParams), responses(
    (status = 200, description = "They are gone", body = Removed),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn remove_all(
    State(app): State<App>,
    Params(asked): Params<RemoveAllParams>,
) -> Result<Answer<Removed>, Problem> {
    if asked.confirm.as_deref() != Some("all") {
        let hint = "say confirm=all to remove every job that was added while the host ran";
        return Err(Problem::bad_request("it is not confirmed").hint(hint));
    }
    let running = asked.running.map_or_else(Running::default, Running::from);
    let jobs = app.scheduler.remove_all_jobs(running).await?;
    Ok(Answer(Removed { jobs }))
}

/// Who pauses, and why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseBody {
    /// Who.
    pub(super) by: Option<String>,
    /// Why.
    pub(super) note: Option<String>,
}

/// Let a job not fire until it is resumed.
#[utoipa::path(post, path = "/v1/jobs/{name}/pause", tag = "jobs", request_body = PauseBody, params(
    ("name" = String, Path, description = "The job"),
    ("If-Match" = Option<String>, Header, description = "Only where the job is this version"),
), responses(
    (status = 200, description = "The job as it is now", body = JobView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn pause(
    State(app): State<App>,
    Name(name): Name<JobId>,
    headers: HeaderMap,
    Json(PauseBody { by, note }): Json<PauseBody>,
) -> Result<Response, Problem> {
    let job = name.clone();
    let pause = move |_: &JobRecord| Input::PauseJob { job, by, note };
    on_condition(&app, name, &headers, pause).await
}

/// Let a paused job fire again.
#[utoipa::path(post, path = "/v1/jobs/{name}/resume", tag = "jobs", params(
    ("name" = String, Path, description = "The job"),
    ("If-Match" = Option<String>, Header, description = "Only where the job is this version"),
), responses(
    (status = 200, description = "The job as it is now", body = JobView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn resume(
    State(app): State<App>,
    Name(name): Name<JobId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let job = name.clone();
    on_condition(&app, name, &headers, move |_: &JobRecord| Input::ResumeJob(job)).await
}

async fn on_condition(
    app: &App,
    name: JobId,
    headers: &HeaderMap,
    input: impl FnOnce(&JobRecord) -> Input + Send + 'static,
) -> Result<Response, Problem> {
    let (id, condition) = (name.clone(), Condition::of(headers)?);
    let decision = move |timetable: &Timetable| {
        let record = timetable.job(&id).ok_or_else(|| Rejection::NoSuchJob(id.clone()))?;
        condition.check(&id, record)?;
        Ok(input(record))
    };
    app.scheduler.decide(decision).await?;
    shown(app, name).await
}
