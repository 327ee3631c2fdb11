//! What a job's plugin name stands for: a sandboxed plugin, or a function of the embedding program.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

use clockbox_core::model::{Limits, PluginName, Report, Timestamp};
use clockbox_sandbox::Plugin;
use hashbrown::HashMap;

use super::NativeRun;

/// A function of the embedding program that a job can name in the place of a plugin.
pub type NativeWork =
    dyn Fn(NativeRun) -> Pin<Box<dyn Future<Output = Report> + Send>> + Send + Sync + 'static;

/// What does the work of a job.
#[derive(Clone)]
pub enum Work {
    /// A sandboxed plugin.
    Plugin(Plugin),
    /// A trusted function of this program.
    Native(Arc<NativeWork>),
    /// A plugin that could not be loaded, and why: runs of it end as `host-error`.
    Refused(Arc<str>),
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugin(plugin) => write!(f, "plugin {}", plugin.digest()),
            Self::Native(_) => f.write_str("native"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

/// A work, and since when it is what its name stands for.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) work: Work,
    /// `None` until the scheduler starts.
    pub(crate) since: Option<Timestamp>,
}

/// The works that are loaded, by name. A run in flight keeps the one it began with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Works(Arc<RwLock<HashMap<PluginName, Loaded>>>);

impl Works {
    pub(crate) fn get(&self, name: &PluginName) -> Option<Work> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).map(|loaded| loaded.work.clone())
    }

    /// A work, and since when it is loaded.
    pub(crate) fn loaded(&self, name: &PluginName) -> Option<Loaded> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// What was gathered before the start counts as loaded now.
    pub(crate) fn start(&self, now: Timestamp) {
        let mut works = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for loaded in works.values_mut() {
            loaded.since.get_or_insert(now);
        }
    }

    /// Every name, in order.
    pub(crate) fn names(&self) -> Vec<PluginName> {
        let works = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<PluginName> = works.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// The most that a job of this plugin may remember; the usual where the plugin says nothing of it.
    pub(crate) fn state_limit(&self, name: &PluginName) -> u64 {
        match self.get(name) {
            Some(Work::Plugin(plugin)) => plugin.spec().limits.state,
            _ => Limits::default().state,
        }
    }

    pub(crate) fn insert(&self, name: PluginName, work: Work, since: Option<Timestamp>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name, Loaded { work, since });
    }

    /// Puts these in the place of all plugins; native works stay, and code that was loaded before was.
    pub(crate) fn replace_plugins(&self, plugins: BTreeMap<PluginName, Work>, now: Option<Timestamp>) {
        let mut works = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = |name: &PluginName, work: &Work| {
            let Loaded { work: old, since } = works.get(name)?;
            let is_same =
                matches!((old, work), (Work::Plugin(old), Work::Plugin(new)) if old.digest() == new.digest());
            since.filter(|_| is_same)
        };
        let loaded = |(name, work): (PluginName, Work)| {
            let since = before(&name, &work).or(now);
            (name, Loaded { work, since })
        };
        let plugins: Vec<(PluginName, Loaded)> = plugins.into_iter().map(loaded).collect();
        works.retain(|_, loaded| matches!(loaded.work, Work::Native(_)));
        works.extend(plugins);
    }
}
