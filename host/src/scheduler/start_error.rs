//! Why a scheduler did not start.

use std::{fmt, path::PathBuf};

use clockbox_core::{
    model::{IdError, InvalidJob, PluginName},
    timetable::Rejection,
};
use clockbox_sandbox::SandboxError;
use clockbox_store::StoreError;

/// Why a scheduler did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store could not be read.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// A job cannot be added to what the store knows.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// A plugin, function or pool has a name that cannot be one.
    #[error(transparent)]
    Name(#[from] IdError),
    /// A job cannot be built as it is described.
    #[error(transparent)]
    Job(#[from] InvalidJob),
    /// The sandbox of the plugins cannot be opened.
    #[error("the sandbox: {0}")]
    Sandbox(#[from] SandboxError),
    /// Plugin files were refused: every one of them.
    #[error("{}", lines(.0))]
    Plugins(Vec<RefusedFile>),
}

/// A plugin file that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFile {
    /// The plugin.
    pub plugin: PluginName,
    /// Its file.
    pub path: PathBuf,
    /// Why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl fmt::Display for RefusedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: plugin {:?}: {}", self.path.display(), self.plugin.as_str(), self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

fn lines(refused: &[RefusedFile]) -> String {
    let lines: Vec<String> = refused.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
