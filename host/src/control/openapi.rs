//! The description of the API.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// What the routes add themselves to.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "clockbox",
        description = "Asks and changes a running clockbox host. Errors are problem+json (RFC 9457).",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    modifiers(&Tokens),
    security((), ("token" = [])),
    tags(
        (name = "jobs", description = "What runs, and when"),
        (name = "runs", description = "What ran, runs and waits"),
        (name = "plugins", description = "What does the work"),
        (name = "pools", description = "How much runs at one time"),
        (name = "scheduler", description = "The host as a whole"),
        (name = "events", description = "What happens"),
    )
)]
pub(super) struct Description;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("Over TCP: a token of [server] in the manifest. The unix socket needs none."))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}
