//! From plugin files to loaded plugins.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::Read as _,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use clockbox_core::model::{CompileLimits, PluginName, PluginSpec, format_size};
use clockbox_sandbox::{Plugin, Sandbox};

use crate::{
    clock::Stopwatch,
    manifest::{Manifest, RefusedPlugin},
    pool::Work,
};

/// A plugin that is still being compiled after so long is worth a line, and another for each time as long again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The description that a plugin file carries, where it is a plugin that does. What is wrong with a file is told when it
/// is loaded.
pub(crate) fn description(path: &Path) -> Option<String> {
    let bytes = read(path, CompileLimits::default().max_size).ok()?;
    clockbox_sandbox::inspect(&bytes).ok()?.job
}

/// A plugin's file. Not a pipe or device, which could be waited for in vain, and not more than the sandbox takes.
pub(crate) fn read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    // One byte more than is allowed, so that the sandbox sees that it is too many.
    std::fs::File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
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
}

impl fmt::Display for LoadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: plugin {:?}: {}", self.path.display(), self.plugin.as_str(), self.message)?;
        if self.kept {
            f.write_str("\n  the version loaded before stays in force")?;
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
            let load = || writable_around(spec, &manifest.plugins).map_or_else(|| self.load_one(spec), Err);
            match telling(name, load) {
                Ok(plugin) => {
                    loaded.plugins.insert(name.clone(), plugin);
                }
                Err((message, hint)) => {
                    // Its rights, limits and pin are those of now: what was taken from it must not stay with it.
                    let kept = self.last.get(name).and_then(|plugin| plugin.with_spec(spec).ok());
                    loaded.problems.push(LoadProblem {
                        plugin: name.clone(),
                        path: spec.path.clone(),
                        message,
                        hint,
                        kept: kept.is_some(),
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

    /// Loads one plugin, or says why not and what to do.
    fn load_one(&self, spec: &PluginSpec) -> Result<Plugin, (String, Option<String>)> {
        let bytes = read(&spec.path, self.sandbox.max_size())
            .map_err(|error| (format!("cannot be read: {error}"), None))?;
        if bytes.len() > 1 << 20 {
            tracing::debug!("loading plugin {:?} ({})", spec.name.as_str(), format_size(bytes.len() as u64));
        }
        self.sandbox.load(&bytes, spec).map_err(|error| (error.to_string(), error.hint()))
    }
}

/// Why a folder that is granted to a plugin is no safe grant: it lies inside one that a plugin may write to, which could
/// put a link to anywhere in its place.
fn writable_around(
    spec: &PluginSpec,
    plugins: &BTreeMap<PluginName, PluginSpec>,
) -> Option<(String, Option<String>)> {
    let place = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| place(path));
    let inside = |inner: &Path, outer: &Path| {
        let within = |inner: &Path, outer: &Path| inner != outer && inner.starts_with(outer);
        within(&place(inner), &place(outer)) || within(&real(inner), &real(outer))
    };
    let granted = spec.rights.read.values().chain(spec.rights.write.values());
    let writable = || {
        plugins
            .values()
            .flat_map(|other| other.rights.write.values().map(move |folder| (&other.name, folder)))
    };
    for folder in granted {
        if let Some((other, outer)) = writable().find(|(_, outer)| inside(folder, outer)) {
            let message = format!(
                "it is granted the folder {}, which lies inside {}, where plugin {:?} may write: a link put in its place would \
                 lead anywhere",
                folder.display(),
                outer.display(),
                other.as_str()
            );
            let hint = "grant the same folder to both, or folders that lie beside each other".to_owned();
            return Some((message, Some(hint)));
        }
    }
    None
}

/// Does the work and tells from time to time that it goes on: the first compilation of a large plugin takes a while.
fn telling<T, E>(name: &PluginName, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let watch = Stopwatch::start();
    let (done, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let teller = scope.spawn(move || {
            let mut told = false;
            while ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                tracing::info!(
                    "compiling plugin {:?}: {:.0} s so far",
                    name.as_str(),
                    watch.elapsed().as_secs_f64()
                );
                told = true;
            }
            told
        });
        let result = work();
        drop(done);
        if teller.join().unwrap_or_default() {
            let took = watch.elapsed().as_secs_f64();
            match &result {
                Ok(_) => tracing::info!(
                    "compiled plugin {:?} in {took:.1} s; the next start finds it in the cache",
                    name.as_str()
                ),
                Err(_) => tracing::info!("gave up on plugin {:?} after {took:.1} s", name.as_str()),
            }
        }
        result
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn spec(name: &str, read: &[&Path], write: &[&Path]) -> (PluginName, PluginSpec) {
        let grants = |folders: &[&Path]| {
            folders.iter().enumerate().map(|(n, folder)| (format!("/{n}"), folder.to_path_buf())).collect()
        };
        let mut spec = PluginSpec {
            name: name.parse().unwrap(),
            path: "x.wasm".into(),
            sha256: None,
            rights: Default::default(),
            limits: Default::default(),
            http: Default::default(),
            config: BTreeMap::new(),
        };
        (spec.rights.read, spec.rights.write) = (grants(read), grants(write));
        (spec.name.clone(), spec)
    }

    #[test]
    fn a_folder_inside_one_that_a_plugin_may_write_to_is_no_grant() {
        let folder = tempfile::tempdir().unwrap();
        let (data, inner) = (folder.path().join("data"), folder.path().join("data/in"));
        std::fs::create_dir_all(&inner).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&inner, &link).unwrap();

        let plugins = BTreeMap::from([spec("writer", &[], &[&data])]);
        for path in [&inner, &link] {
            let (_, reader) = spec("reader", &[path], &[]);
            let (message, _) = writable_around(&reader, &plugins).expect("refused");
            assert!(message.contains("where plugin \"writer\" may write"), "{message}");
        }
        let (_, same) = spec("same", &[&data], &[&data]);
        assert_eq!(writable_around(&same, &plugins), None, "the same folder is safe");
        let (_, outer) = spec("outer", &[folder.path()], &[]);
        assert_eq!(writable_around(&outer, &plugins), None, "so is one around it");
    }

    #[test]
    fn what_is_no_regular_file_or_too_large_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path(), 1000).unwrap_err().to_string().contains("not a regular file"));
        let large = folder.path().join("large.wasm");
        let most = 1000;
        // Sparse: it takes no room on the disk.
        std::fs::File::create(&large).unwrap().set_len(most * 3).unwrap();
        assert_eq!(read(&large, most).unwrap().len() as u64, most + 1);
    }
}
