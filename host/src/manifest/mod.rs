//! The manifest: text into typed values, or every problem at once, each with its file, line, column, key and a hint.
//!
//! A manifest is a TOML file, usually `clockbox.toml`. Values may be laid over it ([`Overrides`]), and the plugin files
//! beside it bring sidecars and descriptions of their own ([`PluginFile`]). Where several say something about the same
//! key, flags win over environment variables over the manifest over the sidecar over the plugin's own description.
//!
//! That holds key by key; the tables `limits`, `config` and `retry` are laid over one another key by key as well, while
//! `allow`, `trigger` and `args` are replaced as a whole, so that what is granted stands in one place. A sidecar or
//! description with a trigger makes a job named for its file, unless a job of the manifest uses the plugin; a job of the
//! manifest with that very name takes over what it does not say itself. A description never grants rights nor raises
//! limits: it can only ask.
//!
//! [`load`] reads the files; [`parse`] is pure.
//!
//! ```
//! use clockbox::manifest::{Overrides, Surroundings, parse};
//!
//! let text = r#"
//! [plugins.hello]
//!
//! [jobs.greet]
//! plugin  = "hello"
//! trigger = { interval = "2h" }
//! "#;
//! let loaded = parse(text, "clockbox.toml".as_ref(), &Overrides::default(), &Surroundings::unknown()).unwrap();
//! assert_eq!(loaded.manifest.jobs["greet"].plugin.as_str(), "hello");
//!
//! let text = text.replace("plugin  =", "plugn =");
//! let problems = parse(&text, "clockbox.toml".as_ref(), &Overrides::default(), &Surroundings::unknown()).unwrap_err();
//! assert!(problems.to_string().contains("clockbox.toml:5:1: jobs.greet.plugn: unknown key"));
//! assert!(problems.to_string().contains("hint: did you mean \"plugin\"?"));
//! ```

mod check;
mod described;
mod diff;
mod document;
mod environment;
mod exhausted;
mod exposed;
mod folders;
mod grants;
mod job_keys;
mod job_pattern;
mod jobs;
mod json;
mod known;
mod limits;
mod lines;
mod load;
mod narrowing;
mod network;
mod occasion;
mod overrides;
mod paths;
mod plugins;
mod policy;
mod pools;
mod problem;
mod reader;
mod rights;
mod scheduler;
mod secrets;
mod sections;
mod server;
mod settings;
mod site;
mod source;
pub(crate) mod suggest;
mod surroundings;
mod survey;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod trigger;
mod wanted;
mod ways;
mod webhook_key;
mod webhook_url;
mod webhooks;
mod zone;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use clockbox_core::model::{Job, JobDefaults, JobId, PluginName, PluginSpec, Pool, PoolName, WebhookName};

use known::Known;
use paths::folder_of;

pub(crate) use check::count;
pub(crate) use described::asks_for_more;
pub(crate) use diff::side_by_side;
pub(crate) use job_keys::{Terms, read_changes, read_job};
pub(crate) use problem::warn_of;
pub(crate) use suggest::hint as known_hint;
pub(crate) use zone::hint as zone_hint;

pub use check::{passes, report, report_json};
pub use diff::{Changes, Diff};
pub use document::{parse, read_trigger};
pub use exhausted::Stored;
pub use grants::{AllowForm, AllowTable, FolderGrant, Grants};
pub use job_pattern::JobPattern;
pub(crate) use load::load_overrides;
pub use load::{FILE_NAME, load, load_again, settings, survey};
pub use occasion::Occasion;
pub use overrides::Overrides;
pub use problem::{Excerpt, Place, Problem, Problems, Severity};
pub use scheduler::{SchedulerSettings, StoreKind, StoreSettings};
pub use server::{SOCKET_NAME, ServerSettings};
pub use settings::{Origin, Setting};
pub use surroundings::{PathKind, PluginFile, SecretFile, Surroundings};
pub use survey::{Survey, Usage};
pub use wanted::Wanted;
pub use webhook_key::{WebhookKey, WebhookKeyError};
pub use webhook_url::{WebhookUrl, WebhookUrlError};
pub use webhooks::WebhookSettings;

/// A manifest that was understood: everything in it is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The file.
    pub path: PathBuf,
    /// Its section `[scheduler]`.
    pub scheduler: SchedulerSettings,
    /// Its section `[store]`.
    pub store: StoreSettings,
    /// Its section `[server]`.
    pub server: ServerSettings,
    /// Its sections `[webhooks.*]`.
    pub webhooks: BTreeMap<WebhookName, WebhookSettings>,
    /// What its section `[defaults]` says, for every job.
    pub defaults: JobDefaults,
    /// The pools; `default` is always among them.
    pub pools: BTreeMap<PoolName, Pool>,
    /// The plugins, dropped ones included.
    pub plugins: BTreeMap<PluginName, PluginSpec>,
    /// The jobs, those of dropped plugins included, disabled ones not.
    pub jobs: BTreeMap<JobId, Arc<Job>>,
    /// Where each job is declared, disabled ones included.
    pub declared: BTreeMap<JobId, Declared>,
    /// What plugins ask for in their own descriptions, granted or not.
    pub wanted: BTreeMap<PluginName, Wanted>,
    /// Where the rights of each plugin are granted.
    pub grants: BTreeMap<PluginName, Grants>,
    /// What is doubtful, and does not refuse the manifest.
    pub warnings: Vec<Problem>,
    /// What [`load_again`] need not read again.
    known: Known,
}

/// Where a job is declared, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Where.
    pub place: Place,
    /// What it is for, where it says so.
    pub description: Option<String>,
    /// Whether it is to run; a job with `enabled = false` is checked and otherwise left out.
    pub enabled: bool,
}

/// A plugin file that is refused because of its sidecar, its description or its name, while the rest stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPlugin {
    /// The plugins that the file would have been.
    pub plugins: Vec<PluginName>,
    /// The file.
    pub path: PathBuf,
    /// The jobs that are missing because of it. A reload leaves what runs under these names as it is.
    pub jobs: Vec<JobId>,
    /// Why: not empty.
    pub problems: Problems,
}

/// A manifest, and the plugins beside it that had to be refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The manifest without the refused plugins and their jobs.
    pub manifest: Manifest,
    /// The refused plugins.
    pub refused: Vec<RefusedPlugin>,
}

impl Loaded {
    /// The manifest when nothing was refused: what `check` asks for.
    ///
    /// # Errors
    /// With the problems of every refused plugin, and the warnings.
    pub fn whole(self) -> Result<Manifest, Problems> {
        if self.refused.is_empty() {
            return Ok(self.manifest);
        }
        let refused = self.refused.into_iter().flat_map(|refused| refused.problems.0);
        Err(Problems(refused.chain(self.manifest.warnings).collect()))
    }
}

impl Manifest {
    /// Puts those of the jobs `in_force` whose plugin is among the `unusable` in the place of what is declared: what the
    /// plugin's files say of them cannot be read at the moment. One that is declared with a plugin that can be used is
    /// left as declared.
    pub(crate) fn keep_jobs<'a>(
        &mut self,
        in_force: impl IntoIterator<Item = &'a Arc<Job>>,
        unusable: &BTreeSet<PluginName>,
    ) {
        for job in in_force.into_iter().filter(|job| unusable.contains(&job.plugin)) {
            if self.jobs.get(&job.id).is_none_or(|declared| unusable.contains(&declared.plugin)) {
                self.jobs.insert(job.id.clone(), Arc::clone(job));
            }
        }
    }

    /// The folder that the manifest's relative paths start from.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        folder_of(&self.path)
    }

    /// The folders in which a change may concern this manifest: its own, the plugin folder and those of its plugins.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<PathBuf> {
        let plugins = self.plugins.values().map(|plugin| folder_of(&plugin.path));
        plugins.chain([self.folder(), self.scheduler.plugin_dir.clone()]).collect()
    }

    /// What is different from an older manifest.
    #[must_use]
    pub fn diff(&self, old: &Self) -> Diff {
        Diff::between(old, self)
    }
}
