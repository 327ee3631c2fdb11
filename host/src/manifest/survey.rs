//! What can be told of a manifest's plugins even where something is wrong with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{Manifest, Problem, Problems};

/// A manifest as far as it can be read, with everything that is wrong with it: to look at, not to be run.
#[derive(Debug)]
pub struct Survey {
    /// What could be read. Where something was wrong, a default stands in its place.
    pub manifest: Manifest,
    /// The names under `[plugins]`, also those that are no names.
    pub entries: BTreeSet<String>,
    /// The plugin that each job names, be there one or not.
    pub uses: BTreeMap<String, Usage>,
    /// The files that were taken for plugins, each with the name that it would have if it was dropped.
    pub files: Vec<(String, PathBuf)>,
    /// Every problem.
    pub problems: Problems,
}

/// What a job says of its plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The name.
    pub plugin: String,
    /// Whether the job is to run.
    pub enabled: bool,
}

impl Usage {
    /// A job of which no more is known.
    pub(super) fn by_name(plugin: &str) -> Self {
        Self { plugin: plugin.to_owned(), enabled: true }
    }
}

impl Survey {
    /// The problems of jobs that name the plugin `name`, with that name.
    pub fn problems_naming<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Problem> {
        let users = self.uses.iter().filter(move |(_, usage)| usage.plugin == name);
        let keys: Vec<String> =
            users.map(|(job, _)| format!("{}.plugin", super::tree::join("jobs", job))).collect();
        self.problems.0.iter().filter(move |problem| keys.contains(&problem.key))
    }

    /// The problems of the plugin of this name: of its entry, its file or its sidecar.
    pub fn problems_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Problem> {
        let key = super::tree::join("plugins", name);
        let path = self.manifest.plugins.get(name).map(|plugin| plugin.path.clone());
        let path =
            path.or_else(|| self.files.iter().find(|(stem, _)| stem == name).map(|(_, path)| path.clone()));
        self.problems.0.iter().filter(move |problem| {
            let rest = problem.key.strip_prefix(&key);
            let is_key = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            let is_file = problem.place.file().zip(path.as_deref());
            is_key || is_file.is_some_and(|(file, path)| file == path || file == path.with_extension("toml"))
        })
    }
}
