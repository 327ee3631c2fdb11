//! What of a manifest a running host goes by, beside its jobs, plugins, pools and defaults.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use clockbox_core::model::format_duration;
use serde_json::{Map, Value, json};

use crate::{
    granted::within,
    manifest::{Manifest, StoreKind},
};

/// Settings by section, each with its keys. `scheduler` follows a reload, the others are those of the start.
pub(crate) type Sections = BTreeMap<String, Map<String, Value>>;

/// The section that a reload takes over.
const RELOADED: &str = "scheduler";

/// The settings that a running host goes by. Clones are the same ones: a reload changes them.
#[derive(Debug, Clone)]
pub struct InForce {
    store: Arc<str>,
    folder: Arc<Path>,
    plugin_dir: Arc<Mutex<PathBuf>>,
    sections: Arc<Mutex<Sections>>,
}

impl InForce {
    /// Those of a host that starts with this manifest.
    #[must_use]
    pub fn new(manifest: &Manifest) -> Self {
        Self {
            store: manifest.store.url.as_str().into(),
            folder: manifest.folder().into(),
            plugin_dir: Arc::new(Mutex::new(manifest.scheduler.plugin_dir.clone())),
            sections: Arc::new(Mutex::new(sections(manifest))),
        }
    }

    /// The store, as the manifest writes it.
    pub(crate) fn store(&self) -> &str {
        &self.store
    }

    /// The folder of the manifest, which its paths are relative to.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The plugin folder, as it is now.
    pub(crate) fn plugin_dir(&self) -> PathBuf {
        self.plugin_dir.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As they are now.
    pub(crate) fn sections(&self) -> Sections {
        self.sections.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A reload has taken effect.
    pub(crate) fn reloaded(&self, manifest: &Manifest) {
        self.plugin_dir
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&manifest.scheduler.plugin_dir);
        let mut new = sections(manifest);
        let mut sections = self.sections.lock().unwrap_or_else(PoisonError::into_inner);
        sections.extend(new.remove_entry(RELOADED));
    }
}

/// The settings of a manifest. Paths are told as it writes them, so that two that say the same in two folders are alike;
/// of tokens, whether there is one.
pub(crate) fn sections(manifest: &Manifest) -> Sections {
    let folder = manifest.folder();
    let path = |path: &PathBuf| json!(within(&folder, path).display().to_string());
    let (scheduler, server) = (&manifest.scheduler, &manifest.server);
    let (compile, history) = (&scheduler.compile, &scheduler.history);
    let file = match &manifest.store.kind {
        StoreKind::Memory => Value::Null,
        StoreKind::Sqlite { path: file } => path(file),
    };
    let sections = [
        (
            RELOADED,
            json!({ "timezone": scheduler.timezone.name(), "plugin_dir": path(&scheduler.plugin_dir) }),
        ),
        (
            "start",
            json!({
                "shutdown_grace": format_duration(scheduler.shutdown_grace),
                "history.keep": format_duration(history.keep),
                "history.keep_per_job": history.keep_per_job,
                "cache_dir": scheduler.cache_dir.as_ref().map(path),
                "compile.timeout": format_duration(compile.timeout),
                "compile.memory": exact_size(compile.memory),
                "compile.at_once": compile.at_once,
                "compile.max_size": exact_size(compile.max_size),
                "compile.cache": exact_size(compile.cache),
            }),
        ),
        ("store", json!({ "url": manifest.store.url, "file": file })),
        (
            "server",
            json!({
                "socket": server.socket.as_ref().map(path),
                "listen": server.listen,
                "token": server.token.is_some(),
                "read_token": server.read_token.is_some(),
                "insecure": server.insecure,
                "rate_limit": server.rate_limit(),
                "uploads": server.uploads,
            }),
        ),
    ];
    let object = |value| match value {
        Value::Object(keys) => keys,
        _ => Map::new(),
    };
    sections.into_iter().map(|(name, value)| (name.to_owned(), object(value))).collect()
}

/// A size to the byte: in the largest unit that it is a multiple of, else in bytes.
pub(crate) fn exact_size(bytes: u64) -> Value {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = UNITS.into_iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| json!(bytes), |(unit, name)| json!(format!("{}{name}", bytes / unit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Overrides, Surroundings, parse};

    fn manifest(folder: &str, text: &str) -> Manifest {
        let path = Path::new(folder).join("clockbox.toml");
        parse(text, &path, &Overrides::default(), &Surroundings::unknown()).unwrap().manifest
    }

    #[test]
    fn a_manifest_means_the_same_in_another_folder() {
        let text = "[scheduler]\nplugin_dir = \"in\"\n[store]\nurl = \"sqlite:a.db\"";
        let here = sections(&manifest("here", text));
        assert_eq!(here, sections(&manifest("/there", text)));
        assert_eq!(here["scheduler"]["plugin_dir"], "in");
        assert_eq!(
            (&here["store"]["file"], &here["server"]["socket"]),
            (&json!("a.db"), &json!("clockbox.sock"))
        );
    }

    #[test]
    fn a_reload_takes_over_what_needs_no_start() {
        let settings = InForce::new(&manifest("here", "[server]\nuploads = true"));
        let new = "[scheduler]\ntimezone = \"Asia/Tokyo\"\nplugin_dir = \"new\"\nshutdown_grace = \"1s\"";
        settings.reloaded(&manifest("here", new));
        let now = settings.sections();
        assert_eq!(
            (&now["scheduler"]["timezone"], &now["scheduler"]["plugin_dir"]),
            (&json!("Asia/Tokyo"), &json!("new"))
        );
        assert_eq!(
            (&now["start"]["shutdown_grace"], &now["server"]["uploads"]),
            (&json!("30s"), &json!(true))
        );
    }

    #[test]
    fn sizes_are_exact() {
        let sizes = [0, 1, 1 << 10, 3 << 20, (3 << 20) + 1, 2 << 30].map(exact_size);
        assert_eq!(json!(sizes), json!([0, 1, "1KiB", "3MiB", 3_145_729, "2GiB"]));
    }

    #[test]
    fn no_token_is_told() {
        let text = "[server]\nlisten = \"127.0.0.1:1\"\ntoken = { env = \"PATH\" }";
        let path = Path::new("clockbox.toml");
        let env = |_: &str| Some("hunter2hunter2hunter2hunter2hunter2".to_owned());
        let surroundings = Surroundings { env: &env, ..Surroundings::unknown() };
        let loaded = parse(text, path, &Overrides::default(), &surroundings).unwrap();
        let told = sections(&loaded.manifest);
        assert_eq!(told["server"]["token"], json!(true));
        assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
    }
}
