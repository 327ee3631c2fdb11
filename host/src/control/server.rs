//! The control API's own thread.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware};
use http::{HeaderValue, StatusCode, header::CACHE_CONTROL};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tower_http::{
    catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer, timeout::RequestBodyTimeoutLayer,
};

use super::{
    access::{Door, Tokens, admit},
    app::{App, Hooks},
    brake::{Brake, Peer, slow_down},
    connections::Connections,
    listen,
    metrics::Metrics,
    problem::Problem,
    routes,
};
use crate::{manifest::ServerSettings, scheduler::Scheduler};

/// The largest body of a request.
const LARGEST_BODY: usize = 64 << 20;
/// How long a client may take between two parts of a body.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// How long answers under way may take when the API ends.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// Why the control API cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The socket cannot be listened on.
    #[error("the control socket {}: {error}", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("the control address {address}: {error}")]
    Address {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// The address can be reached from other machines, and nobody would be asked who he is.
    #[error("the control address {0} can be reached from other machines, and there is no token")]
    Open(SocketAddr),
    /// A thread could not be started.
    #[error("the control API's thread: {0}")]
    Thread(std::io::Error),
}

impl ControlError {
    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Socket { .. } => {
                "name another path: [server] socket = \"/run/clockbox.sock\", or false for none"
            }
            Self::Address { .. } => "name another address: [server] listen = \"127.0.0.1:7878\"",
            Self::Open(_) => {
                "give [server] a token = { env = \"CLOCKBOX_TOKEN\" }, listen on 127.0.0.1, or say insecure = true"
            }
            Self::Thread(_) => "see what limits the number of threads here",
        }
    }
}

/// The control API of a scheduler; it ends when this is dropped.
#[derive(Debug)]
pub struct Control {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    address: Option<SocketAddr>,
    socket: Option<PathBuf>,
}

impl Control {
    /// Offers the control API as the settings say.
    ///
    /// ```
    /// use clockbox::{Scheduler, control::{Control, Hooks}, manifest::ServerSettings};
    /// let scheduler = Scheduler::builder().start()?;
    /// let settings = ServerSettings { listen: Some("127.0.0.1:0".parse()?), ..ServerSettings::default() };
    /// let control = Control::start(&scheduler, &settings, Hooks::default())?;
    /// assert!(control.address().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When it cannot be listened where the settings say, or not safely.
    pub fn start(
        scheduler: &Scheduler,
        settings: &ServerSettings,
        hooks: Hooks,
    ) -> Result<Self, ControlError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(4)
            .thread_name("clockbox-control-io")
            .build()
            .map_err(ControlError::Thread)?;
        let inside = runtime.enter();
        #[cfg(unix)]
        let socket = settings
            .socket
            .as_ref()
            .map(|path| {
                let failed = |error| ControlError::Socket { path: path.clone(), error };
                listen::Socket::bind(path).map_err(failed)
            })
            .transpose()?;
        let tcp = settings
            .listen
            .map(|address| {
                let has_token = settings.token.is_some() || settings.read_token.is_some();
                if !address.ip().is_loopback() && !has_token && !settings.insecure {
                    return Err(ControlError::Open(address));
                }
                listen::bind_tcp(address).map_err(|error| ControlError::Address { address, error })
            })
            .transpose()?;
        drop(inside);
        let address = tcp.as_ref().and_then(|listener| listener.local_addr().ok());
        let (stop, stopping) = watch::channel(false);
        let metrics = Metrics::new(settings.metrics_jobs());
        let app = App::new(scheduler.clone(), hooks, metrics, stopping.clone());
        let events = app.events();
        let is_loopback = address.is_some_and(|address| address.ip().is_loopback());
        let tokens = Tokens::new(settings.token.as_ref(), settings.read_token.as_ref(), is_loopback);
        let (ended, told) = (scheduler.clone(), stop.clone());
        let brake = Brake::new(settings.rate_limit());
        let serve = async move {
            let counting = app.clone();
            tokio::spawn(async move { counting.metrics.count(&counting.scheduler, events).await });
            let mut doors = JoinSet::new();
            let mut open: Vec<Connections> = Vec::new();
            #[cfg(unix)]
            if let Some(socket) = socket {
                let (router, places) = (router(app.clone(), Door::Socket, brake.clone()), &app.places.socket);
                let connections = Connections::new(router, Arc::clone(places), stopping.clone());
                open.push(connections.clone());
                doors.spawn(serve_socket(socket, connections));
            }
            if let Some(listener) = tcp {
                let door = Door::Tcp(Arc::new(tokens));
                let (router, places) = (router(app.clone(), door, brake), &app.places.tcp);
                let connections = Connections::new(router, Arc::clone(places), stopping.clone());
                open.push(connections.clone());
                doors.spawn(serve_tcp(listener, connections));
            }
            let mut stopping = stopping;
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => {}
                () = ended.stopped() => {}
            }
            doors.shutdown().await;
            // Answers under way are sent, and those that have no end of their own end.
            told.send_replace(true);
            let ended = async {
                for connections in open {
                    connections.ended().await;
                }
            };
            if tokio::time::timeout(END_PATIENCE, ended).await.is_err() {
                tracing::debug!("control connections were cut off");
            }
        };
        let thread = std::thread::Builder::new()
            .name("clockbox-control".into())
            .spawn(move || {
                runtime.block_on(serve);
                // A read of the store may hang for ever.
                runtime.shutdown_timeout(END_PATIENCE);
            })
            .map_err(ControlError::Thread)?;
        Ok(Self { stop, thread: Some(thread), address, socket: settings.socket.clone() })
    }

    /// The TCP address that is listened on.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The unix socket that is listened on.
    #[must_use]
    pub fn socket(&self) -> Option<&std::path::Path> {
        self.socket.as_deref()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic there has been told by the panic itself.
            drop(thread.join());
        }
    }
}

#[cfg(unix)]
async fn serve_socket(socket: listen::Socket, connections: Connections) {
    loop {
        match socket.listener.accept().await {
            Ok((stream, _)) => connections.take(stream, None),
            Err(error) => refused(&error).await,
        }
    }
}

async fn serve_tcp(listener: TcpListener, connections: Connections) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small: they are not held back for more.
                drop(stream.set_nodelay(true));
                connections.take(stream, Some(Peer(peer.ip())));
            }
            Err(error) => refused(&error).await,
        }
    }
}

/// Out of file descriptors, mostly: that passes, and is not asked for again and again meanwhile.
async fn refused(error: &std::io::Error) {
    tracing::warn!("a control connection could not be taken: {error}");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn router(app: App, door: Door, brake: Brake) -> Router {
    let broke_down = |_: Box<dyn std::any::Any + Send>| {
        tracing::error!("a control request broke down; this is a mistake in clockbox");
        axum::response::IntoResponse::into_response(Problem::broken(
            "the request broke down; the log says more",
        ))
    };
    routes::router(app)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(RequestBodyTimeoutLayer::new(BODY_PATIENCE))
        .layer(middleware::from_fn_with_state(door, admit))
        // Before anything else: guesses of tokens count as well.
        .layer(middleware::from_fn_with_state(brake, slow_down))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(CatchPanicLayer::custom(broke_down))
        .fallback(async || {
            Problem::new(StatusCode::NOT_FOUND, "no-such-path", "there is nothing here")
                .hint("GET /v1/openapi.json lists what there is")
        })
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this path does not take that method")
                .hint("GET /v1/openapi.json lists what it takes")
        })
}
