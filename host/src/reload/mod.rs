//! A changed manifest, sidecar or plugin takes effect while jobs run, or is refused and changes nothing.

mod askers;
mod fingerprint;
mod loader;
mod provenance;
mod reloader;
mod watch;

pub(crate) use crate::plugin_files::read as read_plugin;
pub use crate::reload_answer::{ReloadAnswer, Reloaded, Reloading};
pub(crate) use loader::description;
pub use loader::{LoadProblem, LoadedPlugins, Loader};
pub(crate) use provenance::provenance;
pub use reloader::{Handle, Reloader};
pub(crate) use watch::{Wake, Watch, folders_of};
