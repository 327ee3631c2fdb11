//! What every handler has at hand.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use clockbox_core::model::Timestamp;
use clockbox_sandbox::Sandbox;
use tokio::sync::watch;

use super::{connections::Places, metrics::Metrics, problem::Problem, ring::Ring};
use crate::{
    in_force::InForce,
    reload_answer::Reloading,
    scheduler::{Scheduler, Subscription},
    webhooks,
};

/// What a host does for the control API beyond what its scheduler does.
#[derive(Clone, Default)]
pub struct Hooks {
    /// Reads the manifest and the plugins again, and answers what comes of it.
    pub reload: Option<Arc<dyn Fn() -> Reloading + Send + Sync>>,
    /// Where plugins may be uploaded to; nothing where nobody may.
    pub uploads: Option<Uploads>,
    /// What happened from the start of the scheduler on, so that the metrics count it; without it they count from the start
    /// of the control API on.
    pub events: Option<EarlyEvents>,
    /// The sandbox of the plugins: the metrics tell what its cache of compiled code is good for.
    pub sandbox: Option<Sandbox>,
    /// The webhooks of the host.
    pub webhooks: Option<webhooks::Asker>,
    /// The settings of the manifest that the host goes by.
    pub settings: Option<InForce>,
}

/// What happens from the start of a scheduler on: see [`Builder::subscribe`](crate::scheduler::Builder::subscribe). The
/// first control API that starts with it takes it.
#[derive(Debug, Clone)]
pub struct EarlyEvents(Arc<Mutex<Option<Subscription>>>);

impl From<Subscription> for EarlyEvents {
    fn from(events: Subscription) -> Self {
        Self(Arc::new(Mutex::new(Some(events))))
    }
}

impl EarlyEvents {
    fn take(&self) -> Option<Subscription> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
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
            .field("settings", &self.settings)
            .finish_non_exhaustive()
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
    pub(super) metrics: Metrics,
    pub(super) places: Places,
    /// One upload at a time.
    pub(super) uploading: Arc<tokio::sync::Mutex<()>>,
    stopping: watch::Receiver<bool>,
}

impl App {
    pub(super) fn new(
        scheduler: Scheduler,
        hooks: Hooks,
        metrics: Metrics,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let started_at = scheduler.clock().now();
        let ring = Arc::new(Ring::new(started_at));
        let (places, uploading) = Default::default();
        Self(Arc::new(Parts { scheduler, hooks, started_at, ring, metrics, places, uploading, stopping }))
    }

    /// What is to be counted.
    pub(super) fn events(&self) -> Subscription {
        let early = self.hooks.events.as_ref().and_then(EarlyEvents::take);
        early.unwrap_or_else(|| self.scheduler.subscribe())
    }

    /// The folder that paths in the manifest are relative to.
    pub(super) fn manifest_folder(&self) -> &Path {
        self.hooks.settings.as_ref().map_or(Path::new(""), InForce::folder)
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
