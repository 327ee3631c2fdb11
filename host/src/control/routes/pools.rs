//! Pools: list, get, resize.

use axum::{Json as Answer, extract::State};
use clockbox_core::model::{Pool, PoolName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::control::{
    app::App,
    extract::{Json, Name},
    problem::Problem,
    view::PoolView,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, resize))
}

/// Pools, by name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PoolList {
    /// The pools.
    pub(crate) pools: Vec<PoolView>,
}

/// List pools with how full they are.
#[utoipa::path(get, path = "/v1/pools", tag = "pools", responses(
    (status = 200, description = "The pools", body = PoolList),
))]
async fn list(State(app): State<App>) -> Result<Answer<PoolList>, Problem> {
    let loads = app.scheduler.pools().await?;
    Ok(Answer(PoolList { pools: loads.into_iter().map(PoolView::from).collect() }))
}

async fn find(app: &App, name: &PoolName) -> Result<PoolView, Problem> {
    let loads = app.scheduler.pools().await?;
    let load = loads.into_iter().find(|load| load.pool.name == *name);
    load.map(PoolView::from)
        .ok_or_else(|| Problem::not_found("no-such-pool", format!("there is no pool {:?}", name.as_str())))
}

/// One pool.
#[utoipa::path(get, path = "/v1/pools/{name}", tag = "pools", params(("name" = String, Path, description = "The pool")), responses(
    (status = 200, description = "The pool", body = PoolView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(app): State<App>, Name(name): Name<PoolName>) -> Result<Answer<PoolView>, Problem> {
    Ok(Answer(find(&app, &name).await?))
}

/// The size of a pool.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Size {
    /// The most instances at one time; as it was if nothing is said.
    #[schema(minimum = 1)]
    max_instances: Option<u32>,
    /// The most runs that wait for a place; as it was if nothing is said.
    queue: Option<u32>,
}

/// Resize a pool. What runs in a pool that shrinks runs on. The next reload of a changed manifest has the last word.
#[utoipa::path(patch, path = "/v1/pools/{name}", tag = "pools", request_body = Size, params(("name" = String, Path, description = "The pool")), responses(
    (status = 200, description = "The pool as it is now", body = PoolView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn resize(
    State(app): State<App>,
    Name(name): Name<PoolName>,
    Json(size): Json<Size>,
) -> Result<Answer<PoolView>, Problem> {
    let now = find(&app, &name).await?;
    let max_instances = size.max_instances.unwrap_or(now.max_instances);
    if max_instances == 0 {
        return Err(
            Problem::bad_request("max_instances: at least 1").hint("pause jobs to let none of them run")
        );
    }
    let queue = size.queue.unwrap_or(now.queue);
    app.scheduler.set_pool(Pool { name: name.clone(), max_instances, queue }).await?;
    Ok(Answer(find(&app, &name).await?))
}
