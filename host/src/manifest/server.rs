//! The section `[server]`: where the control API is listened for, and who may use it.

use std::{
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use clockbox_core::model::Secret;

use super::{
    reader::{Field, TableReader},
    scheduler::{StoreKind, StoreSettings, read_path},
    secrets,
    surroundings::Surroundings,
    tree::Value,
};

/// The name of the socket beside the store, when the manifest names none.
pub const SOCKET_NAME: &str = "clockbox.sock";

/// Where the control API of a host is listened for, and who may use it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerSettings {
    /// The unix socket, mode 0600; `None` for none.
    pub socket: Option<PathBuf>,
    /// Whether the manifest names it.
    pub socket_given: bool,
    /// A TCP address to listen on as well.
    pub listen: Option<SocketAddr>,
    /// What opens everything over TCP.
    pub token: Option<Secret>,
    /// What opens looking over TCP, and no changes.
    pub read_token: Option<Secret>,
    /// The files in which tokens are.
    pub secret_files: Vec<PathBuf>,
    /// An address that other machines can reach is listened on without any token.
    pub insecure: bool,
    /// Requests a second that one peer may send over TCP, and twice as many at once; 1000 if nothing is said.
    pub rate_limit: Option<NonZeroU32>,
    /// Jobs that have series of their own in the metrics; 200 if nothing is said.
    pub metrics_jobs: Option<u32>,
    /// Plugins may be put into the plugin folder over the API.
    pub uploads: bool,
}

impl ServerSettings {
    /// Requests a second that one peer may send over TCP.
    #[must_use]
    pub fn rate_limit(&self) -> NonZeroU32 {
        const USUAL: NonZeroU32 = NonZeroU32::new(1000).unwrap();
        self.rate_limit.unwrap_or(USUAL)
    }

    /// The most jobs that have series of their own in the metrics.
    #[must_use]
    pub fn metrics_jobs(&self) -> u32 {
        self.metrics_jobs.unwrap_or(200)
    }

    /// A socket beside the store, and nothing else.
    #[must_use]
    pub fn defaults(folder: &Path, store: &StoreSettings) -> Self {
        let beside = match &store.kind {
            StoreKind::Sqlite { path } => path.parent().unwrap_or(Path::new("")).to_owned(),
            StoreKind::Memory => folder.to_owned(),
        };
        let socket = cfg!(unix).then(|| beside.join(SOCKET_NAME));
        Self { socket, ..Self::default() }
    }
}

/// Reads `[server]`; what is wrong is noted and left at its default.
pub(super) fn read(
    table: Option<TableReader<'_>>,
    folder: &Path,
    store: &StoreSettings,
    around: &Surroundings<'_>,
) -> ServerSettings {
    let mut settings = ServerSettings::defaults(folder, store);
    let Some(table) = table else { return settings };
    if let Some(field) = table.field("socket") {
        settings.socket_given = true;
        match &field.node.value {
            Value::Boolean(false) => settings.socket = None,
            Value::Text(_) => settings.socket = read_path(&field, SOCKET_NAME, folder),
            _ => _ = field.mismatch::<()>("a path, or false for no socket", None),
        }
    }
    settings.listen = table.field("listen").and_then(|field| read_address(&field));
    let mut secret_files = Vec::new();
    let mut secret = |key| {
        table.field(key).and_then(|field| secrets::read_secret(&field, folder, around, &mut secret_files))
    };
    settings.token = secret("token");
    settings.read_token = secret("read_token");
    settings.secret_files = secret_files;
    if let Some(field) = table.field("insecure") {
        settings.insecure = field.boolean().unwrap_or_default();
    }
    settings.rate_limit =
        table.field("rate_limit").and_then(|field| field.count(1)).and_then(NonZeroU32::new);
    settings.metrics_jobs = table.field("metrics_jobs").and_then(|field| field.count(0));
    if let Some(field) = table.field("uploads") {
        settings.uploads = field.boolean().unwrap_or_default();
    }
    if let Some(address) = settings.listen
        && !address.ip().is_loopback()
        && !settings.insecure
        && table.field("token").is_none()
        && table.field("read_token").is_none()
        && let Some(field) = table.field("listen")
    {
        let hint = "give a token = { env = \"CLOCKBOX_TOKEN\" }, listen on 127.0.0.1, or say insecure = true";
        field.error(
            format!("{address} can be reached from other machines, and there is no token"),
            Some(hint.to_owned()),
        );
    }
    table.finish(&[
        ("port", "write listen = \"127.0.0.1:7878\""),
        ("host", "write listen = \"127.0.0.1:7878\""),
        ("address", "write listen = \"127.0.0.1:7878\""),
        ("path", "the key is socket"),
        ("upload", "the key is uploads"),
        ("rate", "the key is rate_limit: requests a second"),
        ("metrics", "there are always metrics, at /metrics; the key is metrics_jobs: so many jobs have series of their own"),
        ("password", "the key is token = { env = \"CLOCKBOX_TOKEN\" }"),
    ]);
    settings
}

fn read_address(field: &Field<'_>) -> Option<SocketAddr> {
    const EXAMPLE: &str = "127.0.0.1:7878";
    let text = field.text(EXAMPLE)?;
    let address = text.parse();
    if address.is_err() {
        let hint = format!("write an IP address and a port, such as {EXAMPLE:?} or \"[::1]:7878\"");
        field.error(format!("{text:?} is not an address to listen on"), Some(hint));
    }
    address.ok()
}
