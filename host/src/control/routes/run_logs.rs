//! The log of a run, also as it is written.

use std::{io, time::Duration};

use axum::{
    Json as Answer,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use clockbox_core::model::{Event, RunId};
use clockbox_store::{LogPart, LogPlace};
use futures_util::stream;
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::runs;
use crate::{
    control::{
        app::App,
        extract::{Name, Params},
        problem::Problem,
        view::LogView,
    },
    scheduler::Subscription,
};

/// How often the store is asked for more lines while a run goes on: as often as what it says is written there.
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(logs))
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LogParams {
    /// Of this attempt; of all if nothing is said.
    #[param(minimum = 1)]
    attempt: Option<u32>,
    /// Whether to go on until the run is over: a line of JSON for each line of the log, as it comes.
    #[serde(default)]
    follow: bool,
}

/// The log of a run.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Lines {
    /// Its lines, attempt by attempt.
    pub(crate) logs: Vec<LogView>,
}

/// The log of a run. With `follow=true` its lines come as `application/x-ndjson`, those that are there and then each as it
/// is written, until the run is over.
#[utoipa::path(get, path = "/v1/runs/{id}/logs", tag = "runs", params(
    ("id" = String, Path, description = "The run"),
    LogParams,
), responses(
    (status = 200, description = "The lines", content(
        (Lines = "application/json"),
        (String = "application/x-ndjson"),
    )),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn logs(
    State(app): State<App>,
    Name(id): Name<RunId>,
    Params(asked): Params<LogParams>,
) -> Result<Response, Problem> {
    // From before the first look, so that nothing happens unheard between it and the next.
    let events = asked.follow.then(|| app.scheduler.subscribe());
    runs::find(&app, id).await?;
    let Some(events) = events else {
        let lines = app.read(move |store| store.logs(id, asked.attempt)).await?;
        return Ok(Answer(Lines { logs: lines.iter().map(LogView::new).collect() }).into_response());
    };
    let reader =
        Reader { app, id, attempt: asked.attempt, told: LogPlace::default(), events, is_over: false };
    // Nothing is read before the client has taken what came before; when it goes, so does all of this.
    let body = Body::from_stream(stream::unfold(reader, |mut reader| async {
        Some((reader.next().await?, reader))
    }));
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// Reads a log that grows.
struct Reader {
    app: App,
    id: RunId,
    attempt: Option<u32>,
    /// What was told.
    told: LogPlace,
    events: Subscription,
    is_over: bool,
}

impl Reader {
    /// More lines; `None` once there will be none.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        while !self.is_over {
            let more = match self.look().await {
                Ok(more) => more,
                Err(problem) => {
                    self.is_over = true;
                    return Some(Err(io::Error::other(problem.detail)));
                }
            };
            if !more.is_empty() {
                return Some(Ok(more));
            }
            if !self.is_over {
                self.wait().await;
            }
        }
        None
    }

    /// The lines that are new.
    async fn look(&mut self) -> Result<Bytes, Problem> {
        let (id, attempt, told) = (self.id, self.attempt, self.told);
        let (is_over, LogPart { lines, end }) = self
            .app
            .read(move |store| {
                // Asked first: what is written until the end is there when the end is.
                let run = store.run(id)?;
                let is_over = run.is_none_or(|detail| detail.run.state.is_final());
                Ok((is_over, store.logs_behind(id, attempt, told)?))
            })
            .await?;
        (self.is_over, self.told) = (is_over, end);
        let mut text = Vec::new();
        for line in &lines {
            serde_json::to_writer(&mut text, &LogView::new(line))
                .map_err(|error| Problem::broken(error.to_string()))?;
            text.push(b'\n');
        }
        Ok(text.into())
    }

    /// Waits until there may be more.
    async fn wait(&mut self) {
        let (id, events) = (self.id, &mut self.events);
        let changed = async {
            loop {
                match events.next().await {
                    // What is progress is no line.
                    Some(Ok(happening)) if happening.event.run() != Some(id) => {}
                    Some(Ok(happening)) if matches!(happening.event, Event::RunProgressed { .. }) => {}
                    Some(_) => return false,
                    None => return true,
                }
            }
        };
        tokio::select! {
            is_stopped = changed => self.is_over = is_stopped,
            () = tokio::time::sleep(LOOK) => {}
            () = self.app.stopping() => self.is_over = true,
        }
    }
}
