//! What a plugin file's sidecar and its own description say.
//!
//! Precedence, key by key: the manifest over the sidecar over the embedded description. An embedded description cannot
//! grant rights or raise limits: what it asks for beyond what is given becomes a warning.

use std::path::Path;

use clockbox_core::model::{JobId, Limits, PluginName};

use super::{
    jobs::{self, Defaults},
    limits, plugins,
    pools::read_name,
    reader::{Findings, TableReader},
    source::{SourceKind, Sources, Spot},
    surroundings::{PluginFile, Surroundings},
    syntax,
    tree::{Table, Value},
    wanted::{self, Wanted},
};

const PLUGIN_KEYS: [&str; 6] = ["sha256", "allow", "limits", "output", "http", "config"];
/// Those of them that a plugin's own description may say.
const OWN_KEYS: [&str; 2] = ["output", "config"];
/// Keys that a stranger's file cannot set for itself.
const OWNERS_KEYS: [&str; 4] = ["sha256", "allow", "limits", "http"];
/// Keys that only tell a reader something.
const FACTS: [&str; 3] = ["name", "version", "args_schema"];

/// A plugin file with what describes it, read and checked.
#[derive(Debug)]
pub(super) struct Described<'a> {
    pub(super) file: &'a PluginFile,
    /// The name of the dropped plugin; `None` when the file name is none.
    pub(super) name: Option<PluginName>,
    /// The texts that belong to the file: a problem in one of them refuses this plugin alone.
    pub(super) sources: Vec<usize>,
    /// Where the description as a whole stands.
    pub(super) spot: Spot,
    /// Plugin keys, under those of the manifest.
    pub(super) plugin: Table,
    /// Job keys, under those of the manifest.
    pub(super) job: Table,
    /// The name of the job that it describes.
    pub(super) job_name: Option<JobId>,
    /// What its own description asks for.
    pub(super) wanted: Wanted,
    /// The limits that it asks for, zero where it asks for none.
    wanted_limits: Limits,
    /// The limits that hold where neither manifest nor sidecar says anything.
    pub(super) limits: Limits,
}

impl<'a> Described<'a> {
    /// Reads the texts of a file, noting every problem in them.
    pub(super) fn read(
        file: &'a PluginFile,
        sources: &mut Sources,
        findings: &Findings,
        defaults: &Defaults,
        folder: &Path,
        around: &Surroundings<'_>,
    ) -> Self {
        let whole = Spot::new(sources.add(SourceKind::Whole(file.path.clone()), ""), 0..0);
        let mut described = Self {
            file,
            name: None,
            sources: vec![whole.source],
            spot: whole.clone(),
            plugin: Table::default(),
            job: Table::default(),
            job_name: None,
            wanted: Wanted::default(),
            wanted_limits: limits::NONE,
            limits: Limits::default(),
        };
        if let Some(fault) = &file.fault {
            findings.error(&whole, "", fault.as_str(), None);
        }
        if file.dropped {
            described.name = read_name(&file.stem, &whole, "", findings);
        }
        described.job_name = described.name.as_ref().and_then(|name| JobId::new(name.as_str()).ok());

        let sidecar = file.sidecar.as_ref().map(|(path, text)| {
            let source = sources.add(SourceKind::File(path.clone()), text.as_str());
            described.sources.push(source);
            described.spot = Spot::new(source, 0..0);
            let parsed = syntax::parse(text, source, findings);
            if parsed.readable {
                described.check_sidecar(&parsed.table, findings, defaults, folder, around);
            }
            parsed.table
        });
        let sidecar = sidecar.unwrap_or_default();
        let embedded = file.embedded.as_ref().map(|text| {
            let source = sources.add(SourceKind::Embedded(file.path.clone()), text.as_str());
            described.sources.push(source);
            if file.sidecar.is_none() {
                described.spot = Spot::new(source, 0..0);
            }
            let parsed = syntax::parse(text, source, findings);
            if parsed.readable {
                // What the sidecar says in its place need not be right.
                let table = parsed.table.without(|key| sidecar.get(key).is_some());
                described.check_embedded(&table, Spot::new(source, 0..0), findings, defaults);
            }
            parsed.table
        });
        let embedded = embedded.unwrap_or_default().without(|key| OWNERS_KEYS.contains(&key));

        let is_plugin_key = |key: &str| PLUGIN_KEYS.contains(&key);
        let told = |key: &str| is_plugin_key(key) || FACTS.contains(&key);
        described.plugin = sidecar
            .without(|key| !is_plugin_key(key))
            .over(&embedded.without(|key| !is_plugin_key(key)), plugins::DEEP);
        let known = |key: &str| jobs::KEYS.contains(&key);
        let job_keys = embedded.without(|key| told(key) || !known(key));
        described.job = sidecar.without(told).over(&job_keys, jobs::DEEP);
        described
    }

    fn check_sidecar(
        &mut self,
        table: &Table,
        findings: &Findings,
        defaults: &Defaults,
        folder: &Path,
        around: &Surroundings<'_>,
    ) {
        let spot = self.spot.clone();
        let reader = TableReader::new(table, &spot, String::new(), findings);
        plugins::read_keys(&reader, &Limits::default(), folder, around);
        jobs::read_keys(&reader, "", defaults);
        if let Some(name) = reader.field("name").and_then(|field| field.parsed("nightly-report")) {
            self.job_name = Some(name);
        }
        let mut hints = vec![
            ("path", "a sidecar belongs to the plugin file beside it"),
            ("plugin", "a sidecar belongs to the plugin file beside it"),
            ("jobs", "a sidecar has the keys of one job at its top: trigger = { … }"),
            ("plugins", "a sidecar has the keys of its plugin at its top: allow = { … }"),
        ];
        hints.extend(jobs::HINTS);
        reader.finish(&hints);
    }

    fn check_embedded(&mut self, table: &Table, spot: Spot, findings: &Findings, defaults: &Defaults) {
        let reader = TableReader::new(table, &spot, String::new(), findings);
        self.wanted = wanted::read_wanted(&reader);
        if let Some(field) = reader.field("limits") {
            self.wanted_limits = limits::read(&field, &limits::NONE);
            let default = Limits::default();
            self.limits = limits::lower(&limits::read(&field, &default), &default);
        }
        let own = table.without(|key| !OWN_KEYS.contains(&key));
        let own = TableReader::new(&own, &spot, String::new(), findings);
        plugins::read_keys(&own, &Limits::default(), Path::new(""), &Surroundings::unknown());
        jobs::read_keys(&reader, "", defaults);
        for key in OWN_KEYS.into_iter().chain(FACTS) {
            reader.field(key);
        }
        reader.finish_leniently();
    }

    /// Whether it describes a job of its own.
    pub(super) fn has_trigger(&self) -> bool {
        self.job.get("trigger").is_some_and(|node| matches!(node.value, Value::Table(_)))
    }

    /// Warns of what the plugin's own description asks for and does not get.
    pub(super) fn warn_of_wants(&self, spec: &clockbox_core::model::PluginSpec, findings: &Findings) {
        let mut missing = self.wanted.beyond(&spec.rights);
        missing.extend(limits::beyond(&self.wanted_limits, &spec.limits));
        if !missing.is_empty() {
            let message = asks_for_more(&spec.name, &missing.join(", "));
            let hint = format!(
                "if it should have that, write it under [plugins.{}], or in {}",
                spec.name,
                self.file.path.with_extension("toml").display()
            );
            // Noted against the file, where it refuses nothing.
            let spot = Spot::new(self.sources[0], 0..0);
            findings.warn(&spot, "", message, Some(hint));
        }
    }
}

/// The warning of what a plugin asks for and does not get.
pub(crate) fn asks_for_more(plugin: &PluginName, missing: &str) -> String {
    format!("plugin {plugin} asks for more than it is given: {missing}")
}
