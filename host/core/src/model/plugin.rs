//! Plugins as they are declared: a file, its rights and its limits.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Origin, PluginName};

/// A plugin as the manifest (or its sidecar, or its own description) declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Values that it can read through `context.config` and `wasi:config`.
    pub config: BTreeMap<String, String>,
}

/// What a plugin may reach. The default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rights {
    /// Origins that it may send HTTP requests to.
    pub http: Vec<Origin>,
    /// Folders that it may read: guest path to host path.
    pub read: BTreeMap<String, PathBuf>,
    /// Folders that it may read and change: guest path to host path.
    pub write: BTreeMap<String, PathBuf>,
    /// Its environment: names and values, already resolved.
    pub env: BTreeMap<String, String>,
}

/// What one run of a plugin may use up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall-clock time, instantiation included.
    pub timeout: Duration,
    /// How long a run that is asked to stop may take to do so before it is stopped.
    pub cancel_grace: Duration,
    /// Bytes of memory, summed over memories, tables and GC heap.
    pub memory: u64,
    /// Units of fuel (about one WebAssembly instruction each); `None` does not count them.
    pub fuel: Option<u64>,
    /// Bytes of log, stdout and stderr kept.
    pub log: u64,
    /// Bytes of output kept.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            cancel_grace: Duration::from_secs(5),
            memory: 128 << 20,
            fuel: None,
            log: 256 << 10,
            output: 64 << 10,
        }
    }
}
