//! What of its manifest a host goes by.

use std::collections::BTreeMap;

use axum::{Json as Answer, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::control::{app::App, problem::Problem};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(settings))
}

/// The settings of the manifest that are in force, beside jobs, plugins, pools and defaults.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SettingsView {
    /// Keys and values by section. `scheduler` follows a reload; `start` (the other keys of `[scheduler]`), `store` and `server`
    /// are as they were when the host started. Paths are as in the manifest; of tokens it is told whether there is one.
    #[schema(value_type = Object)]
    pub(crate) settings: BTreeMap<String, Map<String, Value>>,
}

/// The settings of the manifest that are in force.
#[utoipa::path(get, path = "/v1/settings", tag = "scheduler", responses(
    (status = 200, description = "The settings", body = SettingsView),
    (status = 404, description = "There is no manifest", body = Problem, content_type = "application/problem+json"),
))]
async fn settings(State(app): State<App>) -> Result<Answer<SettingsView>, Problem> {
    let settings = app.hooks.settings.as_ref().map(|settings| settings.sections());
    let settings =
        settings.ok_or_else(|| Problem::not_found("no-manifest", "this scheduler has no manifest"))?;
    Ok(Answer(SettingsView { settings }))
}
