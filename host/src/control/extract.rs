//! Parts of a request, with a [`Problem`] for whoever sends what cannot be read.

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use bytes::Bytes;
use http::{StatusCode, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// What follows the `?`.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(params) = Query::try_from_uri(&parts.uri)
            .map_err(|error| Problem::bad_request(format!("the query: {}", deepest(&error))))?;
        Ok(Self(params))
    }
}

/// A name in the path.
pub(super) struct Name<T>(pub(super) T);

impl<S: Send + Sync, T: std::str::FromStr<Err: std::fmt::Display>> FromRequestParts<S> for Name<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::bad_request(format!("the path: {error}")))?;
        text.parse().map(Self).map_err(|error: T::Err| Problem::bad_request(error.to_string()))
    }
}

/// A body of JSON.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Text(text) = Text::from_request(request, state).await?;
        // No body is an empty object: every key of the small bodies may be left out.
        let text = if text.trim().is_empty() { "{}" } else { &text };
        let value =
            serde_json::from_str(text).map_err(|error| Problem::bad_request(format!("the body: {error}")))?;
        Ok(Self(value))
    }
}

/// A body of JSON, as text.
pub(super) struct Text(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).cloned();
        let bytes = bytes_of(request, state).await?;
        let is_json = kind.as_ref().and_then(|kind| kind.to_str().ok()).is_some_and(|kind| {
            let essence = kind.split(';').next().unwrap_or_default().trim();
            essence == "application/json"
                || (essence.starts_with("application/") && essence.ends_with("+json"))
        });
        // A page in a browser can send a form to any host, but not JSON.
        let is_nothing = bytes.is_empty() && kind.is_none();
        if !is_json && !is_nothing {
            let problem = Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "the body is not said to be JSON",
            );
            return Err(problem.hint("send the header Content-Type: application/json"));
        }
        text_of(bytes).map(Self)
    }
}

async fn bytes_of<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|error| {
        let status = error.status();
        Problem::new(
            status,
            if status == StatusCode::PAYLOAD_TOO_LARGE { "too-large" } else { "bad-request" },
            error.body_text(),
        )
    })
}

fn text_of(bytes: Bytes) -> Result<String, Problem> {
    String::from_utf8(bytes.into()).map_err(|_| Problem::bad_request("the body is not UTF-8 text"))
}

/// A body of TOML or of JSON, as text.
pub(super) enum Written {
    Json(String),
    Toml(String),
}

impl<S: Send + Sync> FromRequest<S> for Written {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if essence == "application/toml" {
            return text_of(bytes_of(request, state).await?).map(Self::Toml);
        }
        Text::from_request(request, state).await.map(|Text(text)| Self::Json(text))
    }
}

/// The innermost reason, which is the one that says what is wrong.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
