//! What happens, as it happens: server-sent events.

use std::{
    collections::{BTreeSet, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event as Told, KeepAlive, Sse},
    },
};
use clockbox_core::model::{Event, JobId};
use futures_util::stream;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::control::{
    app::App,
    extract::Params,
    list::several,
    problem::Problem,
    ring::{Entry, Heard, Place},
};

/// A comment goes out where nothing has happened for so long, so that it shows when the other end is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Events that are taken from the ring at one time.
const AT_ONCE: usize = 64;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EventParams {
    /// About this job, or one of several: `a,b`.
    job: Option<String>,
    /// Of this kind, or one of several: `run-finished,missed`.
    event: Option<String>,
}

/// Listen to what happens, from now on or from where the header `Last-Event-ID` says: server-sent events.
///
/// Each has an `id`, the name of what happened as its `event`, and as its `data` a JSON object: its number `seq`, the time
/// `at`, the `event`, and what belongs to it. A listener that is too slow, comes back too late or comes back to a host that
/// has started anew is told by an event `lost`, with how many events that were: `{"lost": 3}`, or `{"lost": null}` where
/// nobody knows.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(
    EventParams,
    ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was heard"),
), responses(
    (status = 200, description = "The events, as they happen", body = String, content_type = "text/event-stream"),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn events(
    State(app): State<App>,
    Params(asked): Params<EventParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let jobs: BTreeSet<String> =
        several::<JobId>("job", asked.job)?.into_iter().map(|job| job.to_string()).collect();
    let kinds: BTreeSet<String> = several::<String>("event", asked.event)?.into_iter().collect();
    kinds.iter().try_for_each(|kind| known(kind))?;
    let ring = Arc::clone(&app.ring);
    ring.fill(&app.scheduler);
    let mut lost_unknown = false;
    let place = match headers.get("last-event-id") {
        None => ring.now(),
        Some(id) => id.to_str().ok().and_then(|id| ring.behind(id)).unwrap_or_else(|| {
            lost_unknown = true;
            Place::First
        }),
    };
    let ready = lost_unknown.then(|| lost(None)).into_iter().collect();
    let news = ring.news();
    let listener = Listener { app, jobs, kinds, place, news, ready, is_over: false };
    let told = stream::unfold(listener, |mut listener| async {
        let told = listener.next().await?;
        Some((Ok::<Told, Infallible>(told), listener))
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Refuses names that no event has: nobody is to wait for one in vain.
fn known(name: &str) -> Result<(), Problem> {
    let read = serde_json::from_value::<Event>(json!({ "event": name }));
    // Of those that there are, what belongs to them is missing.
    match read.map_err(|error| error.to_string()) {
        Err(message) if message.starts_with("unknown variant") => {
            Err(Problem::bad_request(format!("event: {message}")))
        }
        _ => Ok(()),
    }
}

fn lost(how_many: Option<u64>) -> Told {
    Told::default().event("lost").data(json!({ "lost": how_many }).to_string())
}

/// Somebody who listens, and how far he has come.
struct Listener {
    app: App,
    jobs: BTreeSet<String>,
    kinds: BTreeSet<String>,
    place: Place,
    news: watch::Receiver<()>,
    /// What was taken from the ring and is not sent yet.
    ready: VecDeque<Told>,
    is_over: bool,
}

impl Listener {
    /// The next event; `None` once there will be none.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Some(told);
            }
            if self.is_over {
                return None;
            }
            self.news.mark_unchanged();
            let ring = Arc::clone(&self.app.ring);
            let Heard { lost: gone, entries, is_over } = ring.read(&mut self.place, AT_ONCE);
            if gone > 0 {
                let before = entries.first().map_or(0, |entry| entry.seq().saturating_sub(1));
                self.ready.push_back(lost(Some(gone)).id(ring.id(before)));
            }
            for entry in &entries {
                if !self.wants(entry) {
                    continue;
                }
                let text = entry.text();
                let told = Told::default().id(ring.id(entry.seq())).event(&text.event).data(&text.json);
                self.ready.push_back(told);
            }
            self.is_over = is_over;
            if entries.is_empty() && !is_over && self.ready.is_empty() {
                self.wait().await;
            }
        }
    }

    fn wants(&self, entry: &Entry) -> bool {
        let text = entry.text();
        (self.kinds.is_empty() || self.kinds.contains(&text.event))
            && (self.jobs.is_empty() || text.job.as_ref().is_some_and(|job| self.jobs.contains(job)))
    }

    /// Waits until there may be more.
    async fn wait(&mut self) {
        tokio::select! {
            // An error means that the ring is gone, and it is not before this is.
            _ = self.news.changed() => {}
            // A scheduler that has stopped says so last, and then the ring is over.
            () = self.app.stopping(), if !self.app.scheduler.is_stopped() => {
                self.is_over = !self.app.scheduler.is_stopped();
            }
        }
    }
}
