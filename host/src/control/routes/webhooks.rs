//! Webhooks: list.

use axum::{Json as Answer, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::control::{app::App, view::WebhookView};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Webhooks, by name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct WebhookList {
    /// The webhooks.
    pub(crate) webhooks: Vec<WebhookView>,
}

/// List webhooks with how many messages they took. They are changed in the manifest.
#[utoipa::path(get, path = "/v1/webhooks", tag = "events", responses(
    (status = 200, description = "The webhooks", body = WebhookList),
))]
async fn list(State(app): State<App>) -> Answer<WebhookList> {
    let states = match &app.hooks.webhooks {
        Some(asker) => asker.states().await,
        None => Default::default(),
    };
    let view = |(name, state): (_, crate::webhooks::State)| {
        WebhookView::new(&name, &state.settings, Some(state.counts))
    };
    Answer(WebhookList { webhooks: states.into_iter().map(view).collect() })
}
