//! Plugins and jobs put together from the manifest and from what lies beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clockbox_core::model::{Job, JobId, PluginName, PluginSpec, Source};

use super::{
    described::Described,
    jobs::{self, Defaults, JobKeys},
    paths::resolve,
    plugins::{self, PluginKeys},
    pools::read_name,
    reader::{Field, Findings, TableReader},
    rights::Wanted,
    scheduler::read_path,
    source::Spot,
    surroundings::{PathKind, Surroundings},
    tree::{Table, Value},
};

/// Everything that plugins and jobs are read against.
pub(super) struct Site<'a> {
    pub(super) described: &'a [Described<'a>],
    pub(super) defaults: &'a Defaults,
    pub(super) plugin_dir: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) around: &'a Surroundings<'a>,
    pub(super) findings: &'a Findings,
}

/// The plugins of a manifest.
#[derive(Debug, Default)]
pub(super) struct Plugins {
    pub(super) specs: BTreeMap<PluginName, PluginSpec>,
    /// The described file of each, where it has one.
    pub(super) files: BTreeMap<PluginName, usize>,
    pub(super) wanted: BTreeMap<PluginName, Wanted>,
}

/// The jobs of a manifest.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    pub(super) jobs: BTreeMap<JobId, Job>,
    /// The plugin of each, also of those that are disabled or could not be read.
    pub(super) plugins: BTreeMap<JobId, PluginName>,
    pub(super) declared: BTreeMap<JobId, Declaration>,
}

/// Where and how a job is declared.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) spot: Spot,
    pub(super) description: Option<String>,
    pub(super) enabled: bool,
}

impl Site<'_> {
    /// The plugins of the section, and the dropped ones.
    pub(super) fn plugins(&self, section: Option<TableReader<'_>>) -> Plugins {
        let mut plugins = Plugins::default();
        let mut claimed = BTreeSet::new();
        for (name, spot, field) in section.iter().flat_map(TableReader::entries) {
            let id = read_name::<PluginName>(name, spot, &field.key, self.findings);
            let (keys, path, file) = self.read_plugin(name, spot, &field);
            claimed.extend(file);
            if let Some(id) = id {
                self.put(&mut plugins, keys.into_spec(id, path), file);
            }
        }
        for (n, described) in self.described.iter().enumerate() {
            let Some(name) = described.name.clone() else { continue };
            if claimed.contains(&n) || plugins.specs.contains_key(&name) {
                continue;
            }
            let reader = TableReader::new(&described.plugin, &described.spot, String::new(), self.findings);
            let keys = plugins::read_keys(&reader, &described.limits, self.folder, self.around);
            self.put(&mut plugins, keys.into_spec(name, described.file.path.clone()), Some(n));
        }
        plugins
    }

    fn put(&self, plugins: &mut Plugins, spec: PluginSpec, file: Option<usize>) {
        let described = file.and_then(|n| self.described.get(n));
        if let (Some(n), Some(described)) = (file, described) {
            described.warn_of_wants(&spec, self.findings);
            plugins.files.insert(spec.name.clone(), n);
            plugins.wanted.insert(spec.name.clone(), described.wanted.clone());
        }
        plugins.specs.insert(spec.name.clone(), spec);
    }

    /// One `[plugins.NAME]`: its keys over those of its file, its path, and which described file that is.
    fn read_plugin(
        &self,
        name: &str,
        spot: &Spot,
        field: &Field<'_>,
    ) -> (PluginKeys, PathBuf, Option<usize>) {
        let table = field.table("{ path = \"jobs/report.wasm\" }").map(|table| table.table);
        let path = match table.and_then(|table| table.get("path")).map(|node| &node.value) {
            Some(Value::Text(path)) => Some(resolve(self.folder, path)),
            _ => None,
        };
        let same = |described: &Described<'_>| match &path {
            Some(path) => path == &described.file.path,
            None => described.file.dropped && described.file.stem == name,
        };
        let file = self.described.iter().position(same);
        let described = file.map(|n| &self.described[n]);
        let under = described.map(|described| described.plugin.clone()).unwrap_or_default();
        let limits = described.map(|described| described.limits.clone()).unwrap_or_default();
        let merged = table.cloned().unwrap_or_default().over(&under, plugins::DEEP);
        let reader = TableReader::new(&merged, &field.node.spot, field.key.clone(), self.findings);
        let keys = plugins::read_keys(&reader, &limits, self.folder, self.around);

        let path_field = reader.field("path");
        let given = path_field.as_ref().and_then(|field| read_path(field, "jobs/report.wasm", self.folder));
        let by_name = || {
            described
                .map_or_else(|| resolve(self.plugin_dir, format!("{name}.wasm")), |d| d.file.path.clone())
        };
        let path = given.unwrap_or_else(by_name);
        let shown = path.display();
        match ((self.around.path_kind)(&path), &path_field) {
            (PathKind::Unknown | PathKind::File, _) => {}
            (PathKind::Folder, Some(field)) => field.error(format!("{shown} is a folder"), None),
            (_, Some(field)) => {
                let hint = "paths are relative to the manifest's folder";
                field.error(format!("there is no file {shown}"), Some(hint.to_owned()));
            }
            (_, None) if table.is_some() => {
                let hint = "put the plugin there (.wat will do as well), or set path";
                self.findings.error(
                    spot,
                    &field.key,
                    format!("there is no file {shown}"),
                    Some(hint.to_owned()),
                );
            }
            (_, None) => {}
        }
        reader.finish(&[
            ("file", "the key is path"),
            ("env", "rights are granted together: allow = { env = … }"),
            ("http", "rights are granted together: allow = { http = [\"https://api.example.com\"] }"),
            ("timeout", "limits are given together: limits = { timeout = \"30s\" }"),
            ("memory", "limits are given together: limits = { memory = \"64MiB\" }"),
            ("trigger", "triggers belong to jobs: [jobs.NAME] trigger = { … }"),
            ("args", "args belong to jobs: [jobs.NAME] args = { … }"),
        ]);
        (keys, path, file)
    }

    /// The jobs of the section, and those of dropped plugins that no job of the section uses.
    pub(super) fn jobs(&self, section: Option<TableReader<'_>>, plugins: &Plugins) -> Jobs {
        let mut jobs = Jobs::default();
        let known: Vec<PluginName> = plugins.specs.keys().cloned().collect();
        for (name, spot, field) in section.iter().flat_map(TableReader::entries) {
            let id = read_name::<JobId>(name, spot, &field.key, self.findings);
            let Some(table) = field.table("{ plugin = \"hello\", trigger = { interval = \"2h\" } }") else {
                continue;
            };
            let own = self.own_description(name, table.table, plugins);
            let merged = table.table.clone().over(&own, jobs::DEEP);
            let reader = TableReader::new(&merged, &field.node.spot, field.key.clone(), self.findings);
            let plugin = jobs::read_plugin(&reader, name, &known, self.plugin_dir);
            let keys = jobs::read_keys(&reader, name, self.defaults);
            reader.finish(jobs::HINTS);
            if let (Some(id), Some(plugin)) = (id, plugin) {
                jobs.put(id, plugin, keys, Source::Manifest, spot);
            }
        }
        let used: BTreeSet<PluginName> = jobs.plugins.values().cloned().collect();
        for (plugin, n) in plugins.files.iter().filter(|(plugin, _)| !used.contains(*plugin)) {
            if let Some(described) = self.described.get(*n).filter(|d| d.file.dropped && d.has_trigger()) {
                self.folder_job(described, plugin, &mut jobs);
            }
        }
        jobs
    }

    /// The job keys of a plugin's own description, where it describes the job of this name.
    fn own_description(&self, job: &str, table: &Table, plugins: &Plugins) -> Table {
        let plugin = match table.get("plugin").map(|node| &node.value) {
            None => job,
            Some(Value::Text(plugin)) => plugin,
            Some(_) => return Table::default(),
        };
        let described = plugins.files.get(plugin).and_then(|n| self.described.get(*n));
        let own = described.filter(|d| d.job_name.as_ref().is_some_and(|name| name.as_str() == job));
        own.map(|described| described.job.clone()).unwrap_or_default()
    }

    fn folder_job(&self, described: &Described<'_>, plugin: &PluginName, jobs: &mut Jobs) {
        let reader = TableReader::new(&described.job, &described.spot, String::new(), self.findings);
        let Some(id) = described.job_name.clone() else { return };
        let keys = jobs::read_keys(&reader, id.as_str(), self.defaults);
        let spot = described.job.0.get("trigger").map_or(&described.spot, |entry| &entry.key);
        if jobs.plugins.contains_key(&id) || jobs.declared.contains_key(&id) {
            let message =
                format!("plugin {plugin} describes a job {id}, but there is another job of that name");
            let hint = "rename it with name = \"…\" in the sidecar";
            self.findings.error(spot, "", message, Some(hint.to_owned()));
            return;
        }
        jobs.put(id, plugin.clone(), keys, Source::Folder, spot);
    }
}

impl Jobs {
    fn put(&mut self, id: JobId, plugin: PluginName, keys: JobKeys, source: Source, spot: &Spot) {
        let (enabled, description) = (keys.enabled, keys.description.clone());
        self.declared.insert(id.clone(), Declaration { spot: spot.clone(), description, enabled });
        self.plugins.insert(id.clone(), plugin.clone());
        if let Some(job) = keys.into_job(id.clone(), plugin, source).filter(|_| enabled) {
            self.jobs.insert(id, job);
        }
    }
}
