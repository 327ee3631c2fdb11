//! Plugins as they are declared: a file, its rights and its limits.

use std::{collections::BTreeMap, path::PathBuf};

use super::{HttpOptions, Limits, OutputFrom, PluginName, Rights};

/// A plugin as the manifest (or its sidecar, or its own description) declares it.
///
/// It can hold secrets, and is therefore never written anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginSpec {
    /// Its name; jobs refer to it.
    pub name: PluginName,
    /// The `.wasm` (or `.wat`) file.
    pub path: PathBuf,
    /// The SHA-256 that the file must have, as 64 lower-case hexadecimal digits.
    pub sha256: Option<String>,
    /// What it may reach.
    pub rights: Rights,
    /// What it may use up.
    pub limits: Limits,
    /// Where the output of its runs comes from.
    pub output: OutputFrom,
    /// How its HTTP requests are made.
    pub http: HttpOptions,
    /// Values that it can read through `context.config` and `wasi:config`.
    pub config: BTreeMap<String, String>,
}

impl PluginSpec {
    /// A plugin without rights, under the default limits.
    ///
    /// ```
    /// use clockbox_core::model::PluginSpec;
    /// let spec = PluginSpec::new("hello".parse().unwrap(), "jobs/hello.wasm");
    /// assert!(spec.rights.http.is_empty());
    /// ```
    #[must_use]
    pub fn new(name: PluginName, path: impl Into<PathBuf>) -> Self {
        Self {
            name,
            path: path.into(),
            sha256: None,
            rights: Rights::default(),
            limits: Limits::default(),
            output: OutputFrom::default(),
            http: HttpOptions::default(),
            config: BTreeMap::new(),
        }
    }
}
