//! Plugins.

use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, Utc};
use clockbox_core::model::{Limits, PluginName, Rights, format_duration};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    granted::{RIGHTS, granted, in_short},
    in_force::exact_size,
    pool::{Loaded, Work},
};

/// What a plugin name stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PluginView {
    /// Its name.
    pub(crate) name: String,
    /// What it is: `job component`, `command component`, `preview-1 command module`, or `native`, a function of the program
    /// that the scheduler is part of. Nothing where it was refused.
    pub(crate) kind: Option<String>,
    /// Its file.
    pub(crate) path: Option<String>,
    /// The SHA-256 of its file.
    pub(crate) sha256: Option<String>,
    /// The size of its file in bytes.
    pub(crate) size: Option<u64>,
    /// What it may reach, in short.
    pub(crate) rights: Vec<String>,
    /// What it may reach, right by right. Folders are as the manifest has them; values and secrets are not told.
    pub(crate) allow: BTreeMap<String, Vec<String>>,
    /// The limits of each run: durations and sizes as the manifest writes them.
    #[schema(value_type = Object)]
    pub(crate) limits: Map<String, Value>,
    /// Where the output of its runs comes from: `returned`, what `run` of a job component returns, or `last-line`, the last line
    /// that a command writes to stdout, if it is JSON.
    pub(crate) output: Option<String>,
    /// How many jobs run it; `GET /v1/jobs?plugin=NAME` lists them.
    pub(crate) jobs: usize,
    /// Since when this code is loaded.
    pub(crate) loaded_at: Option<DateTime<Utc>>,
    /// Whether it was loaded without compiling it.
    pub(crate) from_cache: bool,
    /// When it was compiled.
    pub(crate) compiled_at: Option<DateTime<Utc>>,
    /// How many milliseconds that took.
    pub(crate) compile_ms: Option<u64>,
    /// Why it was refused: its jobs do not run.
    pub(crate) refused: Option<String>,
}

impl PluginView {
    /// Folders of the host are told as the manifest in the folder `base` writes them.
    pub(crate) fn new(name: &PluginName, loaded: &Loaded, jobs: usize, base: &Path) -> Self {
        let nothing = Self {
            name: name.to_string(),
            kind: None,
            path: None,
            sha256: None,
            size: None,
            rights: Vec::new(),
            allow: BTreeMap::new(),
            limits: Map::new(),
            output: None,
            jobs,
            loaded_at: loaded.since,
            from_cache: false,
            compiled_at: None,
            compile_ms: None,
            refused: None,
        };
        match &loaded.work {
            Work::Native(_) => Self { kind: Some("native".to_owned()), ..nothing },
            Work::Refused(why) => Self { refused: Some(why.to_string()), ..nothing },
            Work::Plugin(plugin) => {
                let (spec, compilation) = (plugin.spec(), plugin.compilation());
                Self {
                    kind: Some(plugin.kind().to_string()),
                    path: Some(spec.path.display().to_string()),
                    sha256: Some(plugin.digest().to_owned()),
                    size: Some(plugin.size()),
                    rights: in_short(&spec.rights, Path::new("")),
                    allow: allowed(&spec.rights, base),
                    limits: limits_of(&spec.limits),
                    output: Some(spec.output.as_str().to_owned()),
                    from_cache: plugin.from_cache(),
                    compiled_at: compilation.at,
                    compile_ms: compilation
                        .took
                        .map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
                    ..nothing
                }
            }
        }
    }
}

/// Every right that is granted, with all that is granted of it.
pub(crate) fn allowed(rights: &Rights, base: &Path) -> BTreeMap<String, Vec<String>> {
    let one = |right: &&str| Some(((*right).to_owned(), granted(rights, right, base)?));
    RIGHTS.iter().filter_map(one).collect()
}

/// Limits as a manifest writes them; those that nobody has set are nothing.
pub(crate) fn limits_of(limits: &Limits) -> Map<String, Value> {
    let Limits {
        timeout,
        cancel_grace,
        memory,
        fuel,
        stack,
        log,
        output,
        state,
        response,
        handles,
        host_call,
    } = limits;
    let size = |bytes: &u64| exact_size(*bytes);
    let keys = [
        ("timeout", json!(format_duration(*timeout))),
        ("cancel_grace", json!(format_duration(*cancel_grace))),
        ("memory", size(memory)),
        ("fuel", json!(fuel)),
        ("stack", stack.as_ref().map(size).unwrap_or_default()),
        ("log", size(log)),
        ("output", size(output)),
        ("state", size(state)),
        ("response", size(response)),
        ("handles", json!(handles)),
        ("host_call", size(host_call)),
    ];
    keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
