//! The HTTP client of a plugin: its settings, its trust, and connections that its runs take over from each other.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use clockbox_core::model::HttpOptions;
use hyper::client::conn::http1::SendRequest;
use rustls::ClientConfig;
use tokio::task::AbortHandle;
use wasmtime_wasi_http::WasiBody;

use super::tls;
use crate::Resolver;

/// How long a connection waits for another request; servers keep theirs for longer.
const IDLE: Duration = Duration::from_secs(15);
/// The most connections of a plugin that wait.
const MOST_IDLE: usize = 8;

/// What the runs of one plugin share of HTTP.
pub(crate) struct Client {
    pub(super) options: HttpOptions,
    pub(super) resolver: Resolver,
    /// What to trust where the plugin has certificates of its own.
    own_tls: Option<Arc<ClientConfig>>,
    idle: Mutex<Idle>,
}

/// Whom a connection is to. One that was opened under leave for private addresses serves only requests with that leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) private: bool,
}

/// A connection with the task that drives it.
pub(super) struct Connection {
    pub(super) sender: SendRequest<WasiBody>,
    /// Held for its end.
    pub(super) _driver: Driver,
}

/// Ends the task of a connection that nobody uses any more.
pub(super) struct Driver(pub(super) AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The connections that wait, and the number of the next one.
#[derive(Default)]
struct Idle {
    all: Vec<(u64, Peer, Connection)>,
    next: u64,
}

impl Client {
    /// Reads the certificates, where the options name any.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate; the text says which.
    pub(crate) fn new(options: &HttpOptions, resolver: Resolver) -> Result<Self, String> {
        let own_tls = options.ca_file.as_deref().map(read_ca).transpose()?;
        Ok(Self { options: options.clone(), resolver, own_tls, idle: Mutex::default() })
    }

    pub(super) fn tls(&self) -> std::io::Result<Arc<ClientConfig>> {
        /// Shared by all plugins, so that sessions are resumed.
        static USUAL: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        match (&self.own_tls, USUAL.get()) {
            (Some(own), _) => Ok(own.clone()),
            (None, Some(usual)) => Ok(usual.clone()),
            (None, None) => {
                let usual = tls::config(tls::public_roots())?;
                Ok(USUAL.get_or_init(|| usual).clone())
            }
        }
    }

    /// A connection to `peer` that waits, if there is one that still stands.
    pub(super) fn take(&self, peer: &Peer) -> Option<Connection> {
        let all = &mut self.idle().all;
        let at = all.iter().rposition(|(_, to, connection)| to == peer && connection.sender.is_ready())?;
        Some(all.swap_remove(at).2)
    }

    /// Keeps a connection whose response has been read to its end, for as long as [`IDLE`].
    pub(super) fn put(self: &Arc<Self>, peer: Peer, connection: Connection) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut idle = self.idle();
        idle.all.retain(|(_, _, connection)| !connection.sender.is_closed());
        if idle.all.len() >= MOST_IDLE || connection.sender.is_closed() {
            return;
        }
        let number = idle.next;
        idle.next += 1;
        idle.all.push((number, peer, connection));
        drop(idle);
        let client = Arc::downgrade(self);
        runtime.spawn(async move {
            tokio::time::sleep(IDLE).await;
            if let Some(client) = client.upgrade() {
                client.idle().all.retain(|(at, ..)| *at != number);
            }
        });
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_ca(file: &Path) -> Result<Arc<ClientConfig>, String> {
    let shown = file.display();
    let mut roots = tls::public_roots();
    let text = std::fs::read(file)
        .map_err(|e| format!("the certificates {shown} (http.ca_file) cannot be read: {e}"))?;
    let added = tls::add_pem(&mut roots, &text)
        .map_err(|e| format!("the certificates {shown} (http.ca_file): {e}"))?;
    if added == 0 {
        return Err(format!("{shown} (http.ca_file) holds no certificate in PEM form"));
    }
    tls::config(roots).map_err(|e| e.to_string())
}
