//! From plugin files to loaded plugins.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use clockbox_core::model::{PluginName, PluginSpec, format_size};
use clockbox_sandbox::{Plugin, Sandbox};

use crate::{clock::Stopwatch, manifest::Manifest};

/// A compilation that takes longer is worth a line.
const SLOW: Duration = Duration::from_millis(300);

/// The description that a plugin file carries, where it is a plugin that does. What is wrong with a file is told when it
/// is loaded.
pub(crate) fn description(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    clockbox_sandbox::inspect(&bytes).ok()?.job
}

/// Why a plugin was not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadProblem {
    /// The plugin.
    pub plugin: PluginName,
    /// Its file.
    pub path: PathBuf,
    /// Why, and what to do.
    pub message: String,
    /// Whether an older version of it stays in force.
    pub kept: bool,
}

impl fmt::Display for LoadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: plugin {:?}: {}", self.path.display(), self.plugin.as_str(), self.message)?;
        if self.kept { f.write_str("\n  the version loaded before stays in force") } else { Ok(()) }
    }
}

/// What became of a manifest's plugins.
#[derive(Debug, Default)]
pub struct LoadedPlugins {
    /// Those that can run.
    pub plugins: BTreeMap<PluginName, Plugin>,
    /// Those that were refused.
    pub problems: Vec<LoadProblem>,
}

/// Reads and compiles plugin files, and keeps what it loaded last.
#[derive(Debug)]
pub struct Loader {
    sandbox: Sandbox,
    last: BTreeMap<PluginName, Plugin>,
}

impl Loader {
    /// A loader into this sandbox.
    #[must_use]
    pub fn new(sandbox: Sandbox) -> Self {
        Self { sandbox, last: BTreeMap::new() }
    }

    /// Loads every plugin of the manifest. One that is refused is replaced by its last good version, where there is
    /// one. Blocks while it compiles.
    pub fn load(&mut self, manifest: &Manifest) -> LoadedPlugins {
        let mut loaded = LoadedPlugins::default();
        for (name, spec) in &manifest.plugins {
            let watch = Stopwatch::start();
            match self.load_one(spec) {
                Ok(plugin) => {
                    if watch.elapsed() >= SLOW {
                        let took = crate::cli::span(watch.elapsed());
                        tracing::info!(
                            "compiled plugin {:?} in {took}; the next start finds it in the cache",
                            name.as_str()
                        );
                    }
                    loaded.plugins.insert(name.clone(), plugin);
                }
                Err(message) => {
                    let kept = self.last.get(name).cloned();
                    loaded.problems.push(LoadProblem {
                        plugin: name.clone(),
                        path: spec.path.clone(),
                        message,
                        kept: kept.is_some(),
                    });
                    loaded.plugins.extend(kept.map(|plugin| (name.clone(), plugin)));
                }
            }
        }
        self.last.clone_from(&loaded.plugins);
        loaded
    }

    /// What was loaded last under this name.
    pub(super) fn last(&self, names: &BTreeSet<PluginName>) -> BTreeMap<PluginName, Plugin> {
        self.last
            .iter()
            .filter(|(name, _)| names.contains(*name))
            .map(|(n, p)| (n.clone(), p.clone()))
            .collect()
    }

    fn load_one(&self, spec: &PluginSpec) -> Result<Plugin, String> {
        let bytes = std::fs::read(&spec.path).map_err(|error| format!("cannot be read: {error}"))?;
        if bytes.len() > 1 << 20 {
            tracing::debug!("loading plugin {:?} ({})", spec.name.as_str(), format_size(bytes.len() as u64));
        }
        self.sandbox.load(&bytes, spec).map_err(|error| error.to_string())
    }
}
