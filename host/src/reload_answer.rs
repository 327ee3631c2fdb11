//! What comes of a reload that somebody asked for.

use tokio::sync::oneshot;

/// What a reload that somebody asked for came to: `Err` has why the manifest was refused as a whole, and the last good one
/// stays in force.
pub type ReloadAnswer = Result<Reloaded, Vec<String>>;

/// The answer to whoever asks for a reload, of the first look at the files that begins after he asked; await it, or drop it
/// if it does not matter. An error says that the host is about to end.
pub type Reloading = oneshot::Receiver<ReloadAnswer>;

/// What a reload put in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Jobs that are new.
    pub added: usize,
    /// Jobs that are others now.
    pub changed: usize,
    /// Jobs that are gone.
    pub removed: usize,
    /// What was refused, plugin by plugin, while the rest took effect.
    pub problems: Vec<String>,
}
