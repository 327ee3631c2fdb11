//! What a manifest is read against: the files beside it and the host's environment, as values.

use std::path::{Path, PathBuf};

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Nothing.
    Absent,
    /// Nobody looked: no complaint is made.
    Unknown,
}

/// A plugin file with the texts that describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFile {
    /// The file name without its ending: the name of a dropped plugin.
    pub stem: String,
    /// The file.
    pub path: PathBuf,
    /// Whether it lies in the plugin folder and so is a plugin by itself; otherwise only the manifest names it.
    pub dropped: bool,
    /// The sidecar beside it and its text.
    pub sidecar: Option<(PathBuf, String)>,
    /// The text of its `clockbox:job` section.
    pub embedded: Option<String>,
    /// Why it cannot be used although it is there, such as an unreadable sidecar.
    pub fault: Option<String>,
}

impl PluginFile {
    /// A file in the plugin folder, without sidecar or description.
    #[must_use]
    pub fn dropped(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Self { stem, path, dropped: true, sidecar: None, embedded: None, fault: None }
    }

    /// The same with a sidecar of this text.
    #[must_use]
    pub fn with_sidecar(mut self, text: impl Into<String>) -> Self {
        self.sidecar = Some((self.path.with_extension("toml"), text.into()));
        self
    }

    /// The same with a `clockbox:job` section of this text.
    #[must_use]
    pub fn with_embedded(mut self, text: impl Into<String>) -> Self {
        self.embedded = Some(text.into());
        self
    }
}

/// Reads a file that holds a secret.
pub type SecretFile = dyn Fn(&Path) -> Result<String, (String, Option<String>)>;

/// What a manifest is read against.
pub struct Surroundings<'a> {
    /// Plugin files, dropped or named by path in the manifest.
    pub files: Vec<PluginFile>,
    /// The host's environment variables.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// What stands at a path.
    pub path_kind: &'a dyn Fn(&Path) -> PathKind,
    /// The text of a file that holds a secret, or what is wrong with it and what to do.
    pub secret_file: &'a SecretFile,
}

impl Surroundings<'_> {
    /// No plugin files, no environment, and no look at the disk.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            files: Vec::new(),
            env: &|_| None,
            path_kind: &|_| PathKind::Unknown,
            secret_file: &|path| Err((format!("{} was not read", path.display()), None)),
        }
    }

    /// The same with these plugin files.
    #[must_use]
    pub fn with_files(files: Vec<PluginFile>) -> Self {
        Self { files, ..Self::unknown() }
    }
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("files", &self.files).finish_non_exhaustive()
    }
}
