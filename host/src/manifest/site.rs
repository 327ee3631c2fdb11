//! Plugins and jobs put together from the manifest and from what lies beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use clockbox_core::model::{Job, JobId, PluginName, PluginSpec, Source};

use super::{
    described::Described,
    grants::GrantSpots,
    jobs::{self, Defaults, JobKeys},
    known::{Context, Known, Memory},
    narrowing,
    paths::resolve,
    plugins::{self, PluginKeys},
    pools::read_name,
    reader::{Field, Findings, TableReader},
    scheduler::read_path,
    sections::{Parts, Section},
    source::{MANIFEST, Spot},
    surroundings::{PathKind, Surroundings},
    syntax,
    tree::{Entry, Table, Value, join},
    wanted::Wanted,
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
    /// Where the rights of each are granted.
    pub(super) grants: BTreeMap<PluginName, GrantSpots>,
}

/// The jobs of a manifest, also those that are disabled or could not be read.
#[derive(Debug, Default)]
pub(super) struct Jobs(pub(super) BTreeMap<JobId, Declaration>);

/// A job, and where and how it is declared.
#[derive(Debug, Clone)]
pub(super) struct Declaration {
    pub(super) spot: Spot,
    pub(super) description: Option<String>,
    pub(super) enabled: bool,
    pub(super) plugin: PluginName,
    /// What is to run: nothing where it is disabled, or has no trigger that could be read.
    pub(super) job: Option<Arc<Job>>,
    /// The section that is all there is of it.
    pub(super) section: Option<Range<usize>>,
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
                plugins.grants.insert(id.clone(), keys.spots.clone());
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
            plugins.grants.insert(name.clone(), keys.spots.clone());
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

    /// Notes every job that lists rights which its plugin does not have.
    pub(super) fn check_narrowings(&self, jobs: &Jobs, plugins: &Plugins) {
        for (id, declaration) in &jobs.0 {
            let allow = declaration.job.as_ref().and_then(|job| job.policy.allow.as_deref());
            let Some((allow, plugin)) = allow.zip(plugins.specs.get(&declaration.plugin)) else { continue };
            let missing = narrowing::beyond(allow, &plugin.rights);
            if !missing.is_empty() {
                let name = &declaration.plugin;
                let message = format!("plugin {name} is not granted {}", missing.join(", "));
                let hint = format!("a job can only narrow: grant it under [plugins.{name}], or leave it out");
                self.findings.error(&declaration.spot, &format!("jobs.{id}.allow"), message, Some(hint));
            }
        }
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
                let project = path.parent().map(|folder| folder.join("clockbox-build.toml"));
                let is_built =
                    project.is_some_and(|recipe| (self.around.path_kind)(&recipe) == PathKind::File);
                let hint = match is_built {
                    true => "`clockbox build` makes it",
                    false => "paths are relative to the manifest's folder",
                };
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

    /// What jobs are read against.
    pub(super) fn context(&self, plugins: &Plugins) -> Context {
        Context {
            defaults: self.defaults.clone(),
            plugins: plugins.specs.keys().cloned().collect(),
            described: self.described.iter().filter_map(|described| described.job_name.clone()).collect(),
        }
    }

    /// The jobs of the section and of the `parts` that are sections of their own; and those of dropped plugins that no
    /// other job uses.
    pub(super) fn jobs(
        &self,
        section: Option<TableReader<'_>>,
        parts: Option<&Parts<'_>>,
        plugins: &Plugins,
        context: &Context,
        known: &Known,
    ) -> Jobs {
        let mut jobs = Jobs::default();
        for (name, spot, field) in section.iter().flat_map(TableReader::entries) {
            self.read_job(name, spot, &field, plugins, context, &mut jobs);
        }
        if let Some(parts) = parts {
            let known = known.within(context);
            self.check_first(section.as_ref(), parts);
            for section in &parts.sections {
                self.read_section(parts, section, plugins, context, known, &mut jobs);
            }
        }
        let used: BTreeSet<&PluginName> = jobs.0.values().map(|job| &job.plugin).collect();
        let unused = plugins.files.iter().filter(|(plugin, _)| !used.contains(*plugin));
        for (plugin, n) in unused.collect::<Vec<_>>() {
            if let Some(described) = self.described.get(*n).filter(|d| d.file.dropped && d.has_trigger()) {
                self.folder_job(described, plugin, &mut jobs);
            }
        }
        jobs
    }

    fn read_job(
        &self,
        name: &str,
        spot: &Spot,
        field: &Field<'_>,
        plugins: &Plugins,
        context: &Context,
        jobs: &mut Jobs,
    ) {
        let id = read_name::<JobId>(name, spot, &field.key, self.findings);
        let Some(table) = field.table("{ plugin = \"hello\", trigger = { interval = \"2h\" } }") else {
            return;
        };
        let merged = self
            .own_description(name, table.table, plugins)
            .map(|own| table.table.clone().over(own, jobs::DEEP));
        let table = merged.as_ref().unwrap_or(table.table);
        let reader = TableReader::new(table, &field.node.spot, field.key.clone(), self.findings);
        let plugin = jobs::read_plugin(&reader, name, &context.plugins, self.plugin_dir);
        let keys = jobs::read_keys(&reader, name, self.defaults);
        reader.finish(jobs::HINTS);
        if let (Some(id), Some(plugin)) = (id, plugin) {
            jobs.put(id, plugin, keys, Source::Manifest, spot);
        }
    }

    /// Notes where a row of sections does not begin after all, or where its first one does not end before the next, as a
    /// text that it leaves open may be closed beyond the row. It is found out how things are when the text is read as
    /// a whole.
    fn check_first(&self, section: Option<&TableReader<'_>>, parts: &Parts<'_>) {
        for first in &parts.first {
            let key = section.and_then(|jobs| jobs.table.0.get(first.name())).map(|entry| &entry.key);
            let is_key = key.is_some_and(|key| (key.source, key.start) == (MANIFEST, first.key));
            if !is_key || syntax::parse_section(parts.text, first).is_none() {
                self.not_alone(first);
            }
        }
    }

    /// One job that has a section of its own: as it is known, or read.
    fn read_section(
        &self,
        parts: &Parts<'_>,
        section: &Section<'_>,
        plugins: &Plugins,
        context: &Context,
        known: Option<&Memory>,
        jobs: &mut Jobs,
    ) {
        let name = section.name();
        if let Some((id, old)) = known.and_then(|known| known.find(parts, section)) {
            let (start, length) = (section.key, old.spot.end - old.spot.start);
            let spot = Spot::new(MANIFEST, start..start + length);
            let job = Declaration { spot, section: Some(section.range.clone()), ..old.clone() };
            if jobs.0.insert(id.clone(), job).is_some() {
                self.not_alone(section);
            }
            return;
        }
        if jobs.0.contains_key(name) {
            return self.not_alone(section);
        }
        let Some(Entry { key, node }) = syntax::parse_section(parts.text, section) else {
            return self.not_alone(section);
        };
        let field = Field { node: &node, key: join("jobs", name), findings: self.findings };
        self.read_job(name, &key, &field, plugins, context, jobs);
        if let Some(job) = jobs.0.get_mut(name).filter(|_| !context.described.contains(name)) {
            job.section = Some(section.range.clone());
        }
    }

    /// Notes that a section is no whole job by itself, which is a mistake only if it is one in the text as a whole.
    fn not_alone(&self, section: &Section<'_>) {
        let spot = Spot::new(MANIFEST, section.range.clone());
        self.findings.error(
            &spot,
            &join("jobs", section.name()),
            "is not declared by this section alone",
            None,
        );
    }

    /// The job keys of a plugin's own description, where it describes the job of this name.
    fn own_description(&self, job: &str, table: &Table, plugins: &Plugins) -> Option<&Table> {
        let plugin = match table.get("plugin").map(|node| &node.value) {
            None => job,
            Some(Value::Text(plugin)) => plugin,
            Some(_) => return None,
        };
        let described = plugins.files.get(plugin).and_then(|n| self.described.get(*n));
        let own = described.filter(|d| d.job_name.as_ref().is_some_and(|name| name.as_str() == job));
        own.map(|described| &described.job)
    }

    fn folder_job(&self, described: &Described<'_>, plugin: &PluginName, jobs: &mut Jobs) {
        let reader = TableReader::new(&described.job, &described.spot, String::new(), self.findings);
        let Some(id) = described.job_name.clone() else { return };
        let keys = jobs::read_keys(&reader, id.as_str(), self.defaults);
        let spot = described.job.0.get("trigger").map_or(&described.spot, |entry| &entry.key);
        if jobs.0.contains_key(&id) {
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
        let (spot, enabled, description) = (spot.clone(), keys.enabled, keys.description.clone());
        let job = keys.into_job(id.clone(), plugin.clone(), source).filter(|_| enabled).map(Arc::new);
        self.0.insert(id, Declaration { spot, description, enabled, plugin, job, section: None });
    }
}
