//! Grants that put what the host itself relies on into a plugin's hands.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{FolderGrant, Manifest, Problem, Severity, StoreKind, problem::printable_path, ways};

/// So many things are named in one warning; more are counted.
const MOST_NAMED: usize = 4;

/// Something of the host's on the disk.
struct Asset {
    /// What it is, for people.
    name: String,
    /// The places that its path leads through.
    way: Vec<PathBuf>,
    /// Whether reading it gives away what no guest is to know.
    is_secret: bool,
}

impl Manifest {
    /// A warning for each folder that a plugin may change although the manifest, a sidecar, a plugin, the database, the
    /// compile cache or the file of a secret lies in it; and for each that it may read with a secret or the database in
    /// it. The compile cache is in `cache_dir`. Symbolic links are followed, on both sides.
    #[must_use]
    pub fn exposed(&self, cache_dir: Option<&Path>) -> Vec<Problem> {
        self.exposed_by(cache_dir, &|path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            ways::way(&path, &|path| std::fs::read_link(path).ok())
        })
    }

    fn exposed_by(&self, cache_dir: Option<&Path>, way: &dyn Fn(&Path) -> Vec<PathBuf>) -> Vec<Problem> {
        let grants =
            || self.grants.iter().flat_map(|(name, grants)| grants.folders.iter().map(move |g| (name, g)));
        // Most manifests grant no folder: then there is nothing to look for on the disk.
        if grants().next().is_none() {
            return Vec::new();
        }
        let assets = self.assets(cache_dir, way);
        let problem = |(plugin, grant): (&_, &FolderGrant)| {
            let folder = way(&grant.host).pop()?;
            let names: Vec<&str> = within(&folder, &assets, grant.write).collect();
            let what = list(&names)?;
            let (verb, hint) = match grant.write {
                true => (
                    "change",
                    "grant a folder that holds nothing of the host's: whoever can change these can give himself every right",
                ),
                false => ("read", "grant a folder that holds nothing of the host's"),
            };
            Some(Problem {
                severity: Severity::Warning,
                place: grant.place.clone(),
                key: grant.key.clone(),
                message: format!("plugin {plugin} may {verb} {what}"),
                hint: Some(hint.to_owned()),
                excerpt: grant.excerpt.clone(),
            })
        };
        grants().filter_map(problem).collect()
    }

    fn assets(&self, cache_dir: Option<&Path>, way: &dyn Fn(&Path) -> Vec<PathBuf>) -> Vec<Asset> {
        let asset = |what: &str, path: &Path, is_secret| Asset {
            name: format!("{what} {}", printable_path(path)),
            way: way(path),
            is_secret,
        };
        let mut assets = vec![asset("the manifest", &self.path, false)];
        assets.push(asset("the plugin folder", &self.scheduler.plugin_dir, false));
        let places: BTreeSet<&PathBuf> = self.plugins.values().map(|plugin| &plugin.path).collect();
        for path in places {
            assets.push(asset("the plugin", path, false));
            // Also where there is none: it could be put there, and a sidecar grants rights.
            assets.push(asset("the sidecar", &path.with_extension("toml"), false));
        }
        if let StoreKind::Sqlite { path } = &self.store.kind {
            assets.push(asset("the database", path, true));
        }
        assets.extend(cache_dir.map(|path| asset("the compile cache", path, false)));
        let of_plugins = self.grants.values().flat_map(|grants| &grants.secret_files);
        let of_webhooks = self.webhooks.values().flat_map(|webhook| &webhook.secret_files);
        let secrets: BTreeSet<&PathBuf> =
            of_plugins.chain(of_webhooks).chain(&self.server.secret_files).collect();
        assets.extend(secrets.into_iter().map(|path| asset("the secret", path, true)));
        let roots: BTreeSet<&PathBuf> =
            self.plugins.values().filter_map(|p| p.http.ca_file.as_ref()).collect();
        assets.extend(roots.into_iter().map(|path| asset("the certificates", path, false)));
        assets
    }
}

/// What of these a guest that has this folder can change, or read. What lies in the plugin folder or the like is not
/// named beside it.
fn within<'a>(folder: &'a Path, assets: &'a [Asset], write: bool) -> impl Iterator<Item = &'a str> {
    let is_held = move |asset: &&Asset| match write {
        true => asset.way.iter().any(|place| place.starts_with(folder)),
        // A link in the folder opens nothing: what it leads to lies elsewhere.
        false => asset.is_secret && asset.way.last().is_some_and(|place| place.starts_with(folder)),
    };
    let held = move || assets.iter().filter(is_held);
    let is_inside = move |asset: &Asset| {
        let around = |outer: &Asset| {
            let (Some(outer), Some(inner)) = (outer.way.last(), asset.way.last()) else { return false };
            inner != outer && inner.starts_with(outer) && outer.starts_with(folder)
        };
        held().any(around)
    };
    held().filter(move |asset| !is_inside(asset)).map(|asset| asset.name.as_str())
}

/// `a`, `a and b`, `a, b and 3 more`; nothing of nothing.
fn list(names: &[&str]) -> Option<String> {
    let (shown, more) = names.split_at(names.len().min(MOST_NAMED));
    let more = match more.len() {
        0 => None,
        more => Some(format!("{more} more")),
    };
    let mut words: Vec<&str> = shown.iter().copied().chain(more.as_deref()).collect();
    let last = words.pop()?;
    Some(if words.is_empty() { last.to_owned() } else { format!("{} and {last}", words.join(", ")) })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::manifest::{Loaded, Overrides, PluginFile, Surroundings, parse};

    /// Reads a manifest in /srv and answers what is said of its grants, where these links lie about.
    fn exposed(text: &str, links: &[(&str, &str)]) -> Vec<Problem> {
        let around = Surroundings {
            secret_file: &|_| Ok("a secret".to_owned()),
            ..Surroundings::with_files(vec![PluginFile::dropped("/srv/jobs/sync.wasm")])
        };
        let loaded = parse(text, "/srv/clockbox.toml".as_ref(), &Overrides::default(), &around);
        let manifest = loaded.map(Loaded::whole).unwrap().unwrap();
        let link = |at: &Path| links.iter().find(|(from, _)| at == Path::new(from)).map(|(_, to)| to.into());
        manifest.exposed_by(Some("/cache".as_ref()), &|path| ways::way(path, &link))
    }

    fn of(allow: &str, links: &[(&str, &str)]) -> Vec<String> {
        let text = format!("[plugins.sync]\nallow = {{ {allow} }}\n");
        exposed(&text, links).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn a_folder_that_holds_what_the_host_relies_on_is_told_with_its_place() {
        let problems = exposed("[plugins.sync]\nallow = { write = { \"/data\" = \".\" } }\n", &[]);
        assert_eq!(problems.len(), 1);
        let problem = &problems[0];
        assert_eq!(problem.severity, Severity::Warning);
        assert_eq!(problem.place.position(), Some((2, 31)));
        assert_eq!(problem.key, "plugins.sync.allow.write.\"/data\"");
        assert_eq!(
            problem.message,
            "plugin sync may change the manifest /srv/clockbox.toml, the plugin folder /srv/jobs and the database /srv/clockbox.db"
        );
        assert!(problem.excerpt.is_some());
    }

    #[test]
    fn folders_beside_and_below_are_no_danger() {
        for folder in ["data", "jobs/data", "/srv2", "/cache/x", "clockbox.db.d"] {
            assert_eq!(of(&format!("write = {{ \"/data\" = \"{folder}\" }}"), &[]), [""; 0], "{folder}");
        }
        assert_eq!(of("read = { \"/data\" = \"jobs\" }", &[]), [""; 0], "plugins are no secret");
    }

    #[test]
    fn each_thing_is_known_by_its_own_name() {
        let of = |allow: &str| of(allow, &[]);
        assert_eq!(
            of("write = { \"/d\" = \"jobs\" }"),
            ["plugin sync may change the plugin folder /srv/jobs"]
        );
        assert_eq!(
            of("write = { \"/d\" = \"/cache\" }"),
            ["plugin sync may change the compile cache /cache"]
        );
        let secret = "secrets = { T = { file = \"keys/t\" } }";
        assert_eq!(
            of(&format!("write = {{ \"/d\" = \"keys\" }}, {secret}")),
            ["plugin sync may change the secret /srv/keys/t"]
        );
        assert_eq!(
            of(&format!("read = {{ \"/d\" = \"keys\" }}, {secret}")),
            ["plugin sync may read the secret /srv/keys/t"]
        );
        assert_eq!(of("read = { \"/d\" = \".\" }"), ["plugin sync may read the database /srv/clockbox.db"]);
    }

    #[test]
    fn a_plugin_that_lies_elsewhere_and_its_sidecar_to_be_are_seen() {
        let text = "[plugins.x]\npath = \"lib/x.wasm\"\nallow = { write = { \"/d\" = \"lib\" } }\n";
        let messages: Vec<String> = exposed(text, &[]).into_iter().map(|problem| problem.message).collect();
        assert_eq!(
            messages,
            ["plugin x may change the plugin /srv/lib/x.wasm and the sidecar /srv/lib/x.toml"]
        );
    }

    #[test]
    fn secrets_of_the_api_and_of_webhooks_are_seen() {
        let text = "[server]\ntoken = { file = \"keys/api\" }\n\
                    [webhooks.ops]\nurl = \"https://ops.example.com\"\nsecret = { file = \"keys/hook\" }\n\
                    [plugins.x]\nallow = { read = { \"/d\" = \"keys\" } }\n";
        let messages: Vec<String> = exposed(text, &[]).into_iter().map(|problem| problem.message).collect();
        assert_eq!(messages, ["plugin x may read the secret /srv/keys/api and the secret /srv/keys/hook"]);
    }

    #[test]
    fn links_are_followed_on_both_sides() {
        // The grant is a link to where the plugins are.
        let granted = of("write = { \"/d\" = \"/mnt/d\" }", &[("/mnt/d", "/srv/jobs")]);
        assert_eq!(granted, ["plugin sync may change the plugin folder /srv/jobs"]);
        // The manifest is a link to a file in the granted folder; or a link that lies in it.
        let target = of("write = { \"/d\" = \"/etc/cb\" }", &[("/srv/clockbox.toml", "/etc/cb/m.toml")]);
        assert_eq!(target, ["plugin sync may change the manifest /srv/clockbox.toml"]);
        let links = [("/srv", "/mnt/releases/current"), ("/mnt/releases/current", "/opt/7")];
        let hop = of("write = { \"/d\" = \"/mnt/releases\" }", &links);
        assert!(hop.len() == 1 && hop[0].contains("the manifest /srv/clockbox.toml"), "{hop:?}");
        // Reading a folder with a link in it does not read what the link leads to.
        let links = [("/srv/clockbox.db", "/var/db")];
        assert_eq!(of("read = { \"/d\" = \".\" }", &links), [""; 0]);
        assert_eq!(
            of("read = { \"/d\" = \"/var\" }", &links),
            ["plugin sync may read the database /srv/clockbox.db"]
        );
    }

    #[test]
    fn very_much_is_counted() {
        assert_eq!(list(&[]), None);
        assert_eq!(list(&["a"]).unwrap(), "a");
        assert_eq!(list(&["a", "b", "c", "d", "e", "f"]).unwrap(), "a, b, c, d and 2 more");
    }
}
