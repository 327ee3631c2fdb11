//! Connections: each on a task of its own, and none for longer than it is of use.

use std::{sync::Arc, time::Duration};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Semaphore, watch},
};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use super::brake::Peer;

/// The most connections of one door at one time. A further one is closed at once.
const MOST: u32 = 256;
/// How long a connection may take for the head of a request, or be idle between two.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// How long a client may let the host wait until it takes in what it asked for.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// The longest head of a request.
const LONGEST_HEAD: usize = 64 << 10;

/// Until the API is to end.
async fn asked(stopping: &mut watch::Receiver<bool>) {
    // An error means that whoever could ask is gone, which is the same.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

/// The places for connections, of each door.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) socket: Arc<Semaphore>,
    pub(super) tcp: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        let places = || Arc::new(Semaphore::new(MOST as usize));
        Self { socket: places(), tcp: places() }
    }
}

impl Places {
    /// How many of each are taken.
    pub(super) fn taken(&self) -> [(&'static str, usize); 2] {
        let taken = |places: &Semaphore| (MOST as usize).saturating_sub(places.available_permits());
        [("socket", taken(&self.socket)), ("tcp", taken(&self.tcp))]
    }
}

/// The connections of one door.
#[derive(Clone)]
pub(super) struct Connections {
    router: Router,
    places: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
}

impl Connections {
    pub(super) fn new(router: Router, places: Arc<Semaphore>, stopping: watch::Receiver<bool>) -> Self {
        Self { router, places, stopping }
    }

    /// Waits until none is left.
    pub(super) async fn ended(&self) {
        // An error means that the semaphore is closed, which nobody does.
        drop(self.places.acquire_many(MOST).await);
    }

    /// Serves a connection in the background.
    pub(super) fn take<S: AsyncRead + AsyncWrite + Send + 'static>(&self, stream: S, peer: Option<Peer>) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!("a control connection was closed at once: {MOST} are open");
            return;
        };
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(WRITE_PATIENCE));
        let known = move |mut request: Request<Incoming>| {
            if let Some(peer) = peer {
                request.extensions_mut().insert(peer);
            }
            request
        };
        let service = TowerToHyperService::new(self.router.clone().map_request(known));
        let mut stopping = self.stopping.clone();
        tokio::spawn(async move {
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(LONGEST_HEAD);
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(connection);
            let end = tokio::select! {
                end = connection.as_mut() => end,
                // What is under way is answered first.
                () = asked(&mut stopping) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = end {
                tracing::debug!("a control connection ended: {error}");
            }
            drop(place);
        });
    }
}
