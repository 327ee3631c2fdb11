//! A changed manifest, sidecar or plugin takes effect while jobs run, or is refused and changes nothing.

mod fingerprint;
mod loader;
mod reloader;
mod watch;

pub(crate) use loader::description;
pub use loader::{LoadProblem, LoadedPlugins, Loader};
pub use reloader::{Handle, Reloader};
