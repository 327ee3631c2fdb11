//! From plugin files to loaded plugins.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use clockbox_core::model::{CompileLimits, PluginName};
use clockbox_sandbox::{Plugin, Sandbox};

use crate::{
    manifest::{Manifest, RefusedPlugin},
    plugin_files,
    pool::Work,
};

/// The description that a plugin file carries, where it is a plugin that does. What is wrong with a file is told when it
/// is loaded.
pub(crate) fn description(path: &Path) -> Option<String> {
    let bytes = plugin_files::read(path, CompileLimits::default().max_size).ok()?;
    clockbox_sandbox::inspect(&bytes).ok()?.job
}

/// Why a plugin was not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadProblem {
    /// The plugin.
    pub plugin: PluginName,
    /// Its file.
    pub path: PathBuf,
    /// Why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whether an older version of it stays in force.
    pub kept: bool,
    /// Whether an older version is out of force, as it may not run with the rights of now.
    pub ended: bool,
}

impl fmt::Display for LoadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: plugin {:?}: {}", self.path.display(), self.plugin.as_str(), self.message)?;
        if self.kept {
            f.write_str("\n  the version loaded before stays in force")?;
        }
        if self.ended {
            f.write_str(
                "\n  with the rights of now no version of it may run: until then its runs end as host-error",
            )?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// What became of a manifest's plugins.
#[derive(Debug, Default)]
pub struct LoadedPlugins {
    /// Those that can run.
    pub plugins: BTreeMap<PluginName, Plugin>,
    /// Those that were refused.
    pub problems: Vec<LoadProblem>,
    /// Those whose code is not what was loaded before under their name.
    pub replaced: Vec<PluginName>,
}

impl LoadedPlugins {
    /// What the jobs' plugin names stand for from here on. The `refused` were not even tried: jobs of theirs that stay
    /// in force are to say why they do not run.
    pub(crate) fn into_works(self, refused: &[RefusedPlugin]) -> BTreeMap<PluginName, Work> {
        let untried = refused.iter().flat_map(|refused| {
            let problems: Vec<String> = refused.problems.0.iter().map(ToString::to_string).collect();
            let problems = problems.join("\n");
            let why = move |name: &PluginName| {
                format!(
                    "plugin {:?} was not loaded, because of what is said of it: {problems}",
                    name.as_str()
                )
            };
            refused.plugins.iter().map(move |name| (name.clone(), Work::Refused(why(name).into())))
        });
        let broken = self.problems.into_iter().map(|problem| {
            let why =
                format!("plugin {:?} could not be loaded: {}", problem.plugin.as_str(), problem.message);
            (problem.plugin, Work::Refused(why.into()))
        });
        // A version that was kept takes the place of the refusal.
        let mut works: BTreeMap<_, _> = untried.chain(broken).collect();
        works.extend(self.plugins.into_iter().map(|(name, plugin)| (name, Work::Plugin(plugin))));
        works
    }
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
            match plugin_files::load(&self.sandbox, spec, &manifest.plugins) {
                Ok(plugin) => {
                    loaded.plugins.insert(name.clone(), plugin);
                }
                Err((message, hint)) => {
                    // Its rights, limits and pin are those of now: what was taken from it must not stay with it.
                    let last = self.last.get(name);
                    let kept = last.and_then(|plugin| plugin.with_spec(spec).ok());
                    loaded.problems.push(LoadProblem {
                        plugin: name.clone(),
                        path: spec.path.clone(),
                        message,
                        hint,
                        kept: kept.is_some(),
                        ended: last.is_some() && kept.is_none(),
                    });
                    loaded.plugins.extend(kept.map(|plugin| (name.clone(), plugin)));
                }
            }
        }
        let is_new = |(name, plugin): &(&PluginName, &Plugin)| {
            self.last.get(*name).is_none_or(|last| last.digest() != plugin.digest())
        };
        loaded.replaced = loaded.plugins.iter().filter(is_new).map(|(name, _)| name.clone()).collect();
        self.last.clone_from(&loaded.plugins);
        loaded
    }

    /// Tries plugins again that took more than compiling may take.
    pub(super) fn forget_refusals(&self) {
        self.sandbox.forget_refusals();
    }

    /// Takes these for what was loaded last: what was read meanwhile was refused.
    pub(super) fn keep(&mut self, plugins: &BTreeMap<PluginName, Plugin>) {
        self.last.extend(plugins.iter().map(|(name, plugin)| (name.clone(), plugin.clone())));
    }

    /// What was loaded last under this name.
    pub(super) fn last(&self, names: &BTreeSet<PluginName>) -> BTreeMap<PluginName, Plugin> {
        self.last
            .iter()
            .filter(|(name, _)| names.contains(*name))
            .map(|(n, p)| (n.clone(), p.clone()))
            .collect()
    }
}
