//! What can be asked, and what can be changed.

mod bulk;
mod events;
mod health;
mod job_fires;
mod job_state;
mod jobs;
mod metrics;
mod plugins;
mod pools;
mod run_logs;
mod runs;
mod scheduler;
mod settings;
mod upcoming;
mod webhooks;

use std::sync::Arc;

use axum::{Router, response::IntoResponse, routing::get};
use http::header::CONTENT_TYPE;
use utoipa::{OpenApi, openapi::PathItem};
use utoipa_axum::router::OpenApiRouter;

pub(crate) use self::{
    bulk::Added,
    job_fires::{Fires, Recorded},
    job_state::StateView,
    jobs::{JobPage, Removed},
    plugins::Plugins,
    pools::PoolList,
    run_logs::Lines,
    runs::RunPage,
    scheduler::Reloaded,
    settings::SettingsView,
    webhooks::WebhookList,
};
use super::{app::App, openapi::Description};

/// All of it, with its own description.
pub(super) fn router(app: App) -> Router {
    let described = OpenApiRouter::with_openapi(Description::openapi())
        .merge(jobs::routes())
        .merge(job_fires::routes())
        .merge(bulk::routes())
        .merge(job_state::routes())
        .merge(runs::routes())
        .merge(run_logs::routes())
        .merge(plugins::routes())
        .merge(pools::routes())
        .merge(scheduler::routes())
        .merge(settings::routes())
        .merge(upcoming::routes())
        .merge(events::routes())
        .merge(webhooks::routes())
        .merge(health::routes())
        .merge(metrics::routes());
    let (router, mut api) = described.split_for_parts();
    name_operations(&mut api);
    let text: Arc<str> = api.to_json().unwrap_or_default().into();
    let description =
        move || async move { ([(CONTENT_TYPE, "application/json")], text.to_string()).into_response() };
    router.route("/v1/openapi.json", get(description)).with_state(app)
}

/// Gives each operation a name of its own, for clients that are generated: `get_jobs_name_state`.
fn name_operations(api: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut api.paths.paths {
        let words: Vec<&str> =
            path.split(['/', '{', '}']).filter(|word| !word.is_empty() && *word != "v1").collect();
        let name = |method: &str| Some(format!("{method}_{}", words.join("_")));
        let PathItem { get, put, post, delete, patch, .. } = item;
        let operations = [("get", get), ("put", put), ("post", post), ("delete", delete), ("patch", patch)];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id = name(method);
            }
        }
    }
}
