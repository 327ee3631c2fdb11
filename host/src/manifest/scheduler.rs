//! The sections `[scheduler]` and `[store]`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use chrono_tz::Tz;
use clockbox_core::model::{CompileLimits, History, format_size};

use super::{
    paths::resolve,
    reader::{Field, TableReader},
    surroundings::{PathKind, Surroundings},
    zone,
};

/// The folder of dropped plugins when the manifest names none.
pub(super) const PLUGIN_DIR: &str = "jobs";

/// The section `[scheduler]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulerSettings {
    /// The time zone of triggers that name none.
    pub timezone: Tz,
    /// Whether the manifest says so; otherwise it is UTC because nobody said anything.
    pub timezone_given: bool,
    /// Where plugins are dropped: absolute, or relative to the current folder as the manifest's own path is.
    pub plugin_dir: PathBuf,
    /// Whether the manifest names that folder.
    pub plugin_dir_given: bool,
    /// How long running jobs may go on once the host was asked to stop.
    pub shutdown_grace: Duration,
    /// How much history is kept.
    pub history: History,
    /// Where compiled plugins are kept; `None` leaves the choice to the host.
    pub cache_dir: Option<PathBuf>,
    /// What compiling plugins may use up.
    pub compile: CompileLimits,
}

impl SchedulerSettings {
    /// The settings of a manifest in `folder` that says nothing.
    #[must_use]
    pub fn defaults(folder: &Path) -> Self {
        Self {
            timezone: Tz::UTC,
            timezone_given: false,
            plugin_dir: resolve(folder, PLUGIN_DIR),
            plugin_dir_given: false,
            shutdown_grace: Duration::from_secs(30),
            history: History::default(),
            cache_dir: None,
            compile: CompileLimits::default(),
        }
    }
}

/// The section `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The URL as it is written.
    pub url: String,
    /// What it means.
    pub kind: StoreKind,
}

/// Where jobs, runs and logs are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreKind {
    /// In memory, until the host ends (`memory:`).
    Memory,
    /// In an SQLite file (`sqlite:clockbox.db`).
    Sqlite {
        /// The file: absolute, or relative to the current folder as the manifest's own path is.
        path: PathBuf,
    },
}

impl StoreSettings {
    /// `sqlite:clockbox.db` beside the manifest.
    #[must_use]
    pub fn defaults(folder: &Path) -> Self {
        let path = resolve(folder, "clockbox.db");
        Self { url: "sqlite:clockbox.db".to_owned(), kind: StoreKind::Sqlite { path } }
    }
}

/// Reads `[scheduler]`; what is wrong is noted and left at its default.
pub(super) fn read_scheduler(
    table: Option<TableReader<'_>>,
    folder: &Path,
    around: &Surroundings<'_>,
) -> SchedulerSettings {
    let mut settings = SchedulerSettings::defaults(folder);
    let Some(table) = table else { return settings };
    if let Some(field) = table.field("timezone") {
        settings.timezone_given = true;
        settings.timezone = zone::read(&field).unwrap_or(Tz::UTC);
    }
    if let Some(field) = table.field("plugin_dir") {
        settings.plugin_dir_given = true;
        if let Some(path) = read_path(&field, PLUGIN_DIR, folder) {
            check_plugin_dir(&field, &path, around);
            settings.plugin_dir = path;
        }
    }
    if let Some(grace) = table.field("shutdown_grace").and_then(|field| field.duration_or_zero("30s")) {
        settings.shutdown_grace = grace;
    }
    if let Some(history) =
        table.field("history").and_then(|field| field.table("{ keep = \"30d\", keep_per_job = 1000 }"))
    {
        if let Some(keep) = history.field("keep").and_then(|field| field.duration("30d")) {
            settings.history.keep = keep;
        }
        if let Some(most) = history.field("keep_per_job").and_then(|field| field.count(1)) {
            settings.history.keep_per_job = most;
        }
        history.finish(&[]);
    }
    settings.cache_dir = table.field("cache_dir").and_then(|field| read_path(&field, "cache", folder));
    if let Some(field) = table.field("compile") {
        settings.compile = read_compile(&field);
    }
    table.finish(&[
        ("max_instances", "a cap on all jobs is a pool's: [pools.default] max_instances = 20"),
        ("url", "the store has a section of its own: [store] url = \"sqlite:clockbox.db\""),
    ]);
    settings
}

/// With less memory than this the threads of the compiler may not even start.
const LEAST_COMPILE_MEMORY: u64 = 256 << 20;

/// Reads `compile`.
fn read_compile(field: &Field<'_>) -> CompileLimits {
    let mut limits = CompileLimits::default();
    let Some(table) = field.table("{ timeout = \"120s\", memory = \"2GiB\" }") else { return limits };
    if let Some(timeout) = table.field("timeout").and_then(|field| field.duration("120s")) {
        limits.timeout = timeout;
    }
    if let Some(field) = table.field("memory")
        && let Some(memory) = field.size("2GiB")
    {
        if memory < LEAST_COMPILE_MEMORY {
            let hint = "write at least \"256MiB\"; a plain number is bytes";
            field.error(
                format!("{} is too little memory for the compiler", format_size(memory)),
                Some(hint.to_owned()),
            );
        } else {
            limits.memory = memory;
        }
    }
    if let Some(at_once) = table.field("at_once").and_then(|field| field.count(1)) {
        limits.at_once = at_once;
    }
    if let Some(size) = table.field("max_size").and_then(|field| field.size("64MiB")) {
        limits.max_size = size;
    }
    if let Some(cache) = table.field("cache").and_then(|field| field.size("1GiB")) {
        limits.cache = cache;
    }
    table.finish(&[
        ("threads", "how many plugins are compiled at one time is at_once"),
        ("size", "the largest plugin file is max_size, the largest cache is cache"),
        ("cache_dir", "that is a key of [scheduler] itself"),
    ]);
    limits
}

fn check_plugin_dir(field: &Field<'_>, path: &Path, around: &Surroundings<'_>) {
    let shown = path.display();
    match (around.path_kind)(path) {
        PathKind::Absent => {
            let hint = "create it and drop .wasm files there; paths are relative to the manifest";
            field.warn(format!("there is no folder {shown}"), Some(hint.to_owned()));
        }
        PathKind::File => field.error(format!("{shown} is a file, not a folder"), None),
        PathKind::Folder | PathKind::Unknown => {}
    }
}

/// A path, relative to the manifest's folder unless it is absolute.
pub(super) fn read_path(field: &Field<'_>, example: &str, folder: &Path) -> Option<PathBuf> {
    let text = field.text(example)?;
    if text.is_empty() || text.contains('\0') {
        field.error(format!("{text:?} is not a path"), Some(format!("write for instance {example:?}")));
        return None;
    }
    Some(resolve(folder, text))
}

/// Reads `[store]`.
pub(super) fn read_store(table: Option<TableReader<'_>>, folder: &Path) -> StoreSettings {
    let mut settings = StoreSettings::defaults(folder);
    let Some(table) = table else { return settings };
    if let Some(field) = table.field("url")
        && let Some(url) = field.text("sqlite:clockbox.db")
    {
        match read_url(url, folder) {
            Ok(kind) => settings = StoreSettings { url: url.to_owned(), kind },
            Err(message) => {
                let hint = "write \"sqlite:clockbox.db\" (relative to the manifest), or \"memory:\"";
                field.error(message, Some(hint.to_owned()));
            }
        }
    }
    table.finish(&[("path", "write url = \"sqlite:clockbox.db\"")]);
    settings
}

fn read_url(url: &str, folder: &Path) -> Result<StoreKind, String> {
    let Some((scheme, rest)) = url.split_once(':') else {
        return Err(format!("{url:?} is not a store URL"));
    };
    match scheme {
        "memory" if rest.is_empty() => Ok(StoreKind::Memory),
        "memory" => Err(format!("nothing may follow \"memory:\", found {rest:?}")),
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path.contains('\0') {
                return Err("the name of the SQLite file is missing".to_owned());
            }
            if path == ":memory:" {
                return Ok(StoreKind::Memory);
            }
            Ok(StoreKind::Sqlite { path: resolve(folder, path) })
        }
        _ => Err(format!("there is no store {scheme:?}; the stores are sqlite, memory")),
    }
}
