//! What every handler has at hand.

use std::{path::PathBuf, sync::Arc};

use clockbox_core::model::Timestamp;
use tokio::sync::watch;

use super::{problem::Problem, ring::Ring};
use crate::{scheduler::Scheduler, webhooks};

/// What a host does for the control API beyond what its scheduler does.
#[derive(Clone, Default)]
pub struct Hooks {
    /// Reads the manifest and the plugins again; what comes of it is told by an event.
    pub reload: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Where plugins may be uploaded to; nothing where nobody may.
    pub uploads: Option<Uploads>,
    /// The webhooks of the host.
    pub webhooks: Option<webhooks::Asker>,
}

/// Where plugins may be uploaded to.
#[derive(Debug, Clone)]
pub struct Uploads {
    /// The plugin folder.
    pub folder: PathBuf,
    /// The largest file, in bytes.
    pub max_size: u64,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks")
            .field("reload", &self.reload.is_some())
            .field("uploads", &self.uploads)
            .field("webhooks", &self.webhooks.is_some())
            .finish()
    }
}

/// What every handler has at hand. Clones are the same one.
#[derive(Clone)]
pub(super) struct App(Arc<Parts>);

pub(super) struct Parts {
    pub(super) scheduler: Scheduler,
    pub(super) hooks: Hooks,
    pub(super) started_at: Timestamp,
    /// What happened lately.
    pub(super) ring: Arc<Ring>,
    /// One upload at a time.
    pub(super) uploading: Arc<tokio::sync::Mutex<()>>,
    stopping: watch::Receiver<bool>,
}

impl App {
    pub(super) fn new(scheduler: Scheduler, hooks: Hooks, stopping: watch::Receiver<bool>) -> Self {
        let started_at = scheduler.clock().now();
        let ring = Arc::new(Ring::new(started_at));
        Self(Arc::new(Parts { scheduler, hooks, started_at, ring, uploading: Default::default(), stopping }))
    }

    /// Waits until the API is to end: answers that have no end of their own end then.
    pub(super) async fn stopping(&self) {
        let mut stopping = self.stopping.clone();
        // An error means that whoever could ask is gone, which is the same.
        drop(stopping.wait_for(|stopping| *stopping).await);
    }

    /// Reads the store, on a thread where waiting for a disk holds up nobody.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn clockbox_store::JobStore) -> Result<T, clockbox_store::StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = Arc::clone(self.scheduler.store());
        let read = tokio::task::spawn_blocking(move || read(&*store)).await;
        Ok(read.map_err(|error| Problem::broken(format!("the store could not be read: {error}")))??)
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
