//! What a job's plugin name stands for: a sandboxed plugin, or a function of the embedding program.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

use clockbox_core::model::{PluginName, Report};
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

/// The works that are loaded, by name. A run in flight keeps the one it began with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Works(Arc<RwLock<HashMap<PluginName, Work>>>);

impl Works {
    pub(crate) fn get(&self, name: &PluginName) -> Option<Work> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Every name, in order.
    pub(crate) fn names(&self) -> Vec<PluginName> {
        let works = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<PluginName> = works.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn insert(&self, name: PluginName, work: Work) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name, work);
    }

    /// Puts these in the place of all plugins; native works stay.
    pub(crate) fn replace_plugins(&self, plugins: BTreeMap<PluginName, Work>) {
        let mut works = self.0.write().unwrap_or_else(PoisonError::into_inner);
        works.retain(|_, work| matches!(work, Work::Native(_)));
        works.extend(plugins);
    }
}
