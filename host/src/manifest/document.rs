//! A manifest's text and what is laid over it, read in two steps: what says which files lie beside it, then the whole.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono_tz::Tz;
use clockbox_core::{
    model::{JobId, PluginName},
    trigger::Trigger,
};

use super::{
    Declared, Loaded, Manifest, Overrides, Problem, Problems, RefusedPlugin, Surroundings,
    described::Described,
    jobs,
    paths::{folder_of, resolve},
    pools,
    problem::Severity,
    reader::{Field, Finding, Findings, TableReader},
    scheduler,
    site::{Declaration, Site},
    source::{SourceKind, Sources, Spot},
    syntax,
    tree::{Table, Value},
    trigger,
};

/// Reads a manifest's text. `file` names it in problems, and its folder is where relative paths start.
///
/// # Errors
/// With every problem of the manifest, its overrides and the plugin files beside it. Problems of plugin files alone are
/// no error: see [`Loaded::refused`].
pub fn parse(
    text: &str,
    file: &Path,
    overrides: &Overrides,
    around: &Surroundings<'_>,
) -> Result<Loaded, Problems> {
    Document::new(text, file, overrides).read(around)
}

/// Reads a trigger as it stands in a manifest, such as `{ cron = "0 5 * * *", end = "2030-05-30" }`.
///
/// ```
/// let trigger = clockbox::manifest::read_trigger("{ interval = '2h' }", chrono_tz::UTC).unwrap();
/// assert_eq!(trigger.describe(), "every 2 hours");
/// let problems = clockbox::manifest::read_trigger("{ cron = { hour = 24 }, evry = 1 }", chrono_tz::UTC).unwrap_err();
/// assert_eq!(problems.0.len(), 2);
/// ```
///
/// # Errors
/// With every problem of the trigger; their places count from a line that holds `trigger = ` and the text.
pub fn read_trigger(text: &str, zone: Tz) -> Result<Trigger, Problems> {
    let mut sources = Sources::default();
    let findings = Findings::default();
    let text = format!("trigger = {text}");
    let source = sources.add(SourceKind::File(PathBuf::from("trigger")), &text);
    let parsed = syntax::parse(&text, source, &findings);
    let table = TableReader::new(&parsed.table, &parsed.spot, String::new(), &findings);
    let mut trigger = None;
    if parsed.readable {
        trigger = trigger::read(&table, "", zone);
        table.finish(&[]);
    }
    let problems = placed(findings.into_list(), &sources);
    trigger.filter(|_| problems.is_empty()).ok_or(Problems(problems))
}

/// A manifest before it is read.
#[derive(Debug)]
pub(super) struct Document {
    file: PathBuf,
    folder: PathBuf,
    tree: Table,
    spot: Spot,
    readable: bool,
    sources: Sources,
    findings: Findings,
}

impl Document {
    pub(super) fn new(text: &str, file: &Path, overrides: &Overrides) -> Self {
        let mut sources = Sources::default();
        let findings = Findings::default();
        let source = sources.add(SourceKind::File(file.to_owned()), text);
        let parsed = syntax::parse(text, source, &findings);
        let mut tree = parsed.table;
        overrides.apply(&mut tree, &mut sources, &findings);
        let folder = folder_of(file);
        let (spot, readable) = (parsed.spot, parsed.readable);
        Self { file: file.to_owned(), folder, tree, spot, readable, sources, findings }
    }

    /// The folder of dropped plugins, as far as it can be told before the manifest is checked.
    pub(super) fn plugin_dir(&self) -> PathBuf {
        let given = self.tree.table("scheduler").and_then(|table| table.get("plugin_dir"));
        match given.map(|node| &node.value) {
            Some(Value::Text(path)) => resolve(&self.folder, path),
            _ => resolve(&self.folder, scheduler::PLUGIN_DIR),
        }
    }

    /// The plugin files that the manifest names, likewise.
    pub(super) fn plugin_paths(&self) -> Vec<PathBuf> {
        let plugins = self.tree.table("plugins").map(|table| table.0.values()).into_iter().flatten();
        let path = |entry: &super::tree::Entry| match &entry.node.value {
            Value::Table(plugin) => match &plugin.get("path")?.value {
                Value::Text(path) => Some(resolve(&self.folder, path)),
                _ => None,
            },
            _ => None,
        };
        plugins.filter_map(path).collect()
    }

    /// Reads and checks everything.
    pub(super) fn read(self, around: &Surroundings<'_>) -> Result<Loaded, Problems> {
        let Self { file, folder, tree, spot, readable, mut sources, findings } = self;
        if !readable {
            return Err(Problems(placed(findings.into_list(), &sources)));
        }
        let root = TableReader::new(&tree, &spot, String::new(), &findings);
        let section =
            |name, example: &str| root.field(name).and_then(|field: Field<'_>| field.table(example));
        let scheduler = scheduler::read_scheduler(section("scheduler", "[scheduler]"), &folder, around);
        let store = scheduler::read_store(section("store", "[store]"), &folder);
        let pools = pools::read(section("pools", "[pools.default]"));
        let defaults = section("defaults", "[defaults]");
        let defaults = jobs::read_defaults(defaults, pools.clone(), scheduler.timezone);
        let mut describe = |file| Described::read(file, &mut sources, &findings, &defaults, &folder, around);
        let described: Vec<Described<'_>> = around.files.iter().map(&mut describe).collect();
        let site = Site {
            described: &described,
            defaults: &defaults,
            plugin_dir: &scheduler.plugin_dir,
            folder: &folder,
            around,
            findings: &findings,
        };
        let plugins = site.plugins(section("plugins", "[plugins.NAME]"));
        let jobs = site.jobs(section("jobs", "[jobs.NAME]"), &plugins);
        root.finish(&[
            ("timezone", "it belongs under [scheduler]"),
            ("plugin_dir", "it belongs under [scheduler]"),
            ("url", "it belongs under [store]"),
            ("executors", "pools take the place of executors: [pools.default] max_instances = 20"),
            ("jobstores", "there is one store: [store] url = \"sqlite:clockbox.db\""),
        ]);

        let declared = jobs.declared.into_iter().map(|(id, declaration)| {
            let place = sources.place(&declaration.spot).0;
            let Declaration { description, enabled, .. } = declaration;
            (id, Declared { place, description, enabled })
        });
        let manifest = Manifest {
            path: file,
            scheduler: scheduler.clone(),
            store,
            pools,
            plugins: plugins.specs,
            jobs: jobs.jobs,
            declared: declared.collect(),
            wanted: plugins.wanted,
            warnings: Vec::new(),
        };
        split(manifest, &described, &plugins.files, &jobs.plugins, findings.into_list(), &sources)
    }
}

/// The findings as problems, in the order in which they stand.
fn placed(mut findings: Vec<Finding>, sources: &Sources) -> Vec<Problem> {
    findings.sort_by(|a, b| a.spot.cmp(&b.spot));
    let problem = |finding: Finding| {
        let (place, excerpt) = sources.place(&finding.spot);
        let Finding { severity, key, message, hint, .. } = finding;
        Problem { severity, place, key, message, hint, excerpt }
    };
    findings.into_iter().map(problem).collect()
}

/// Takes out the plugins whose own files have errors; an error anywhere else refuses the whole.
fn split(
    mut manifest: Manifest,
    described: &[Described<'_>],
    files: &BTreeMap<PluginName, usize>,
    uses: &BTreeMap<JobId, PluginName>,
    findings: Vec<Finding>,
    sources: &Sources,
) -> Result<Loaded, Problems> {
    let is_error = |finding: &Finding| finding.severity == Severity::Error;
    let of_file = |finding: &Finding| described.iter().position(|d| d.sources.contains(&finding.spot.source));
    if findings.iter().any(|finding| is_error(finding) && of_file(finding).is_none()) {
        return Err(Problems(placed(findings, sources)));
    }
    let mut refused = Vec::new();
    for (n, file) in described.iter().enumerate() {
        let errors = |finding: &&Finding| is_error(finding) && of_file(finding) == Some(n);
        let problems: Vec<Finding> = findings.iter().filter(errors).cloned().collect();
        if problems.is_empty() {
            continue;
        }
        let plugins: Vec<PluginName> =
            files.iter().filter(|(_, at)| **at == n).map(|(name, _)| name.clone()).collect();
        let jobs: Vec<JobId> =
            uses.iter().filter(|(_, plugin)| plugins.contains(plugin)).map(|(id, _)| id.clone()).collect();
        manifest.plugins.retain(|name, _| !plugins.contains(name));
        manifest.jobs.retain(|id, _| !jobs.contains(id));
        manifest.wanted.retain(|name, _| !plugins.contains(name));
        let (path, problems) = (file.file.path.clone(), Problems(placed(problems, sources)));
        refused.push(RefusedPlugin { plugins, path, jobs, problems });
    }
    manifest.warnings = placed(findings.into_iter().filter(|finding| !is_error(finding)).collect(), sources);
    Ok(Loaded { manifest, refused })
}
