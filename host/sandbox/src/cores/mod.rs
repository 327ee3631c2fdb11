//! Core dumps of guests that trap: the memory and the stack of a run that went wrong, for a debugger.
//!
//! A dump holds all of the guest's memory, secrets included: it is made only where an operator asked for it, for this user
//! alone. Whatever goes wrong with it is a line in the run's log and never another outcome.

mod dump;
mod folder;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use wasmtime::{Store, WasmCoreDump};

pub(crate) use self::dump::Origin;
use crate::{SandboxError, guest::Guest};

/// How long a run waits for its dump: for those before it, and for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the core dumps of guests that trap are kept, and how many.
///
/// ```
/// use clockbox_sandbox::{CoreDumps, SandboxOptions};
/// let cores = CoreDumps { most_files: 4, ..CoreDumps::new("/var/lib/cores") };
/// let options = SandboxOptions { cores: Some(cores), ..SandboxOptions::default() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreDumps {
    /// Their folder; it is made, for this user alone, where it does not exist. A dump is called `<run id>-<attempt>.core`.
    pub folder: PathBuf,
    /// The most dumps that are kept, at least the latest; the oldest are removed. Other files in the folder are left alone.
    pub most_files: usize,
    /// The largest dump in bytes. A larger one is not written, and the run's log says so.
    pub largest: u64,
}

impl CoreDumps {
    /// At most 32 dumps of at most 256 MiB in this folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), most_files: 32, largest: 256 << 20 }
    }
}

/// Writes dumps, one at a time: each takes several times the guest's memory for a moment.
#[derive(Debug)]
pub(crate) struct Cores {
    options: CoreDumps,
    turn: Arc<Semaphore>,
}

impl Cores {
    /// Makes the folder.
    pub(crate) fn open(options: &CoreDumps) -> Result<Self, SandboxError> {
        let bad = |e: std::io::Error| SandboxError::CoreDumps {
            path: options.folder.clone(),
            reason: e.to_string(),
        };
        // Records name the dump: it is to be found from anywhere.
        let folder =
            folder::open(&options.folder).and_then(|()| options.folder.canonicalize()).map_err(bad)?;
        Ok(Self { options: CoreDumps { folder, ..options.clone() }, turn: Arc::new(Semaphore::new(1)) })
    }

    /// Writes the dump that came with `error`, and ends the instance; answers where the dump is, or why there is none.
    pub(crate) async fn write(
        &self,
        store: Store<Guest>,
        error: Arc<wasmtime::Error>,
        origin: Origin,
    ) -> Result<PathBuf, String> {
        let CoreDumps { folder, most_files, largest } = self.options.clone();
        let written = async {
            let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|e| e.to_string())?;
            // Off the guests' threads: their neighbours go on. The turn ends with the work, even if nobody waits for it.
            let work = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                let core = error.downcast_ref::<WasmCoreDump>().ok_or("the engine has none for this end")?;
                let bytes = dump::serialize(core, store, &origin, largest)?;
                folder::write(&folder, &origin.file_name(), &bytes, most_files)
                    .map_err(|e| format!("{}: {e}", folder.display()))
            });
            work.await.unwrap_or_else(|e| Err(format!("the engine broke down over it: {e}")))
        };
        let late = |_| Err(format!("it was not written within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, written).await.unwrap_or_else(late)
    }
}
