//! A manifest's text and what is laid over it, read in two steps: what says which files lie beside it, then the whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
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
    known::{Context, Known},
    paths::{folder_of, resolve},
    pools,
    problem::Severity,
    reader::{Field, Finding, Findings, TableReader},
    scheduler,
    sections::Parts,
    server,
    site::{Jobs, Site},
    source::{SourceKind, Sources, Spot},
    survey::{Survey, Usage},
    syntax,
    tree::{Entry, Table, Value},
    trigger, webhooks,
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
    parse_again(&text.into(), file, overrides, around, &Known::default())
}

/// The same, where jobs are `known` from an earlier text.
pub(super) fn parse_again(
    text: &Arc<str>,
    file: &Path,
    overrides: &Overrides,
    around: &Surroundings<'_>,
    known: &Known,
) -> Result<Loaded, Problems> {
    read(text, file, overrides, known, |document| document.read(around))
}

/// Lets a text be read in parts, and where that does not succeed as a whole: then the problems are found that it has.
pub(super) fn read(
    text: &Arc<str>,
    file: &Path,
    overrides: &Overrides,
    known: &Known,
    how: impl Fn(Document<'_>) -> Result<Loaded, Problems>,
) -> Result<Loaded, Problems> {
    let parts = Document::in_parts(text, file, overrides, known).map(&how);
    match parts {
        Some(Ok(loaded)) => Ok(loaded),
        Some(Err(_)) | None => how(Document::new(text, file, overrides)),
    }
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
    let source = sources.add(SourceKind::File(PathBuf::from("trigger")), text.as_str());
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

/// Everything that a manifest says, with what is wrong about it.
struct Gathered<'d> {
    manifest: Manifest,
    described: &'d [Described<'d>],
    /// The described file of each plugin, where it has one.
    files: BTreeMap<PluginName, usize>,
    jobs: Jobs,
    findings: Vec<Finding>,
    sources: &'d Sources,
    /// What may be known of it the next time, where it was read in parts.
    known: Option<(Arc<str>, Context)>,
}

/// Every value as it is written.
pub(super) struct Written {
    pub(super) tree: Table,
    pub(super) files: Vec<WrittenFile>,
    pub(super) sources: Sources,
}

/// What the texts of a plugin file say.
pub(super) struct WrittenFile {
    pub(super) path: PathBuf,
    pub(super) plugin: Table,
    pub(super) job: Table,
    pub(super) job_name: Option<JobId>,
}

/// A manifest before it is read.
#[derive(Debug)]
pub(super) struct Document<'t> {
    file: PathBuf,
    folder: PathBuf,
    text: Arc<str>,
    tree: Table,
    spot: Spot,
    readable: bool,
    sources: Sources,
    findings: Findings,
    /// Sections that are not in the tree.
    parts: Option<Parts<'t>>,
    known: Known,
}

impl<'t> Document<'t> {
    /// The text as a whole.
    pub(super) fn new(text: &Arc<str>, file: &Path, overrides: &Overrides) -> Self {
        Self::with_tree_of(text, text, file, overrides)
    }

    /// The text in parts, where it has any. Whatever is wrong with it is a problem of some sort, but not always one of
    /// the text as a whole.
    fn in_parts(text: &'t Arc<str>, file: &Path, overrides: &Overrides, known: &Known) -> Option<Self> {
        if overrides.concern("jobs") {
            return None;
        }
        let parts = Parts::of(text)?;
        let document = Self::with_tree_of(&parts.rest, text, file, overrides);
        Some(Self { parts: Some(parts), known: known.clone(), ..document })
    }

    /// `tree` is a text that stands where it stands in `text`.
    fn with_tree_of(tree: &str, text: &Arc<str>, file: &Path, overrides: &Overrides) -> Self {
        let mut sources = Sources::default();
        let findings = Findings::default();
        let source = sources.add(SourceKind::File(file.to_owned()), Arc::clone(text));
        let parsed = syntax::parse(tree, source, &findings);
        let mut tree = parsed.table;
        overrides.apply(&mut tree, &mut sources, &findings);
        let (spot, readable) = (parsed.spot, parsed.readable);
        Self {
            file: file.to_owned(),
            folder: folder_of(file),
            text: Arc::clone(text),
            tree,
            spot,
            readable,
            sources,
            findings,
            parts: None,
            known: Known::default(),
        }
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
        self.gather(around, |gathered| {
            let Gathered { manifest, described, files, jobs, findings, sources, known } = gathered;
            let mut loaded = split(manifest, described, &files, &jobs, findings, sources)?;
            if let Some((text, context)) = known {
                loaded.manifest.known = Known::new(text, context, jobs.0);
            }
            Ok(loaded)
        })?
    }

    /// Reads what can be read, whatever is wrong with the rest.
    ///
    /// # Errors
    /// When the text is not TOML.
    pub(super) fn survey(self, around: &Surroundings<'_>) -> Result<Survey, Problems> {
        let entry = |name: &str, entry: &Entry| match &entry.node.value {
            Value::Table(job) => match job.get("plugin").map(|node| &node.value) {
                Some(Value::Text(plugin)) => Some((name.to_owned(), Usage::by_name(plugin))),
                Some(_) => None,
                None => Some((name.to_owned(), Usage::by_name(name))),
            },
            _ => None,
        };
        let jobs = self.tree.table("jobs").into_iter().flat_map(|table| &table.0);
        let mut uses: BTreeMap<String, Usage> = jobs.filter_map(|(name, job)| entry(name, job)).collect();
        let entries =
            self.tree.table("plugins").into_iter().flat_map(|table| table.0.keys().cloned()).collect();
        self.gather(around, |gathered| {
            let Gathered { manifest, jobs, findings, sources, .. } = gathered;
            for (id, job) in &jobs.0 {
                let usage = Usage { plugin: job.plugin.to_string(), enabled: job.enabled };
                uses.insert(id.to_string(), usage);
            }
            let files = around.files.iter().map(|file| (file.stem.clone(), file.path.clone())).collect();
            let problems = Problems(placed(findings, sources));
            Survey { manifest, entries, uses, files, problems }
        })
    }

    /// What is written where: the manifest with what is laid over it, and the texts of the plugin files.
    pub(super) fn written(self, around: &Surroundings<'_>) -> Written {
        let Self { folder, tree, mut sources, findings, .. } = self;
        // What is wrong is found when it is read.
        let defaults = jobs::read_defaults(None, pools::read(None), Tz::UTC);
        let files = around.files.iter().map(|file| {
            let described = Described::read(file, &mut sources, &findings, &defaults, &folder, around);
            let Described { plugin, job, job_name, .. } = described;
            WrittenFile { path: file.path.clone(), plugin, job, job_name }
        });
        let files = files.collect();
        Written { tree, files, sources }
    }

    /// Reads everything, and hands it on with what was found wrong.
    fn gather<T>(
        self,
        around: &Surroundings<'_>,
        then: impl FnOnce(Gathered<'_>) -> T,
    ) -> Result<T, Problems> {
        let Self { file, folder, text, tree, spot, readable, mut sources, findings, parts, known } = self;
        if !readable {
            return Err(Problems(placed(findings.into_list(), &sources)));
        }
        let root = TableReader::new(&tree, &spot, String::new(), &findings);
        let section =
            |name, example: &str| root.field(name).and_then(|field: Field<'_>| field.table(example));
        let scheduler = scheduler::read_scheduler(section("scheduler", "[scheduler]"), &folder, around);
        let store = scheduler::read_store(section("store", "[store]"), &folder);
        let server = server::read(section("server", "[server]"), &folder, &store, around);
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
        let context = site.context(&plugins);
        let jobs = section("jobs", "[jobs.NAME]");
        let jobs = site.jobs(jobs, parts.as_ref(), &plugins, &context, &known);
        site.check_narrowings(&jobs, &plugins);
        let named: BTreeSet<&str> = jobs.0.keys().map(JobId::as_str).collect();
        let webhooks = webhooks::read(section("webhooks", "[webhooks.NAME]"), &folder, &named, around);
        root.finish(&[
            ("timezone", "it belongs under [scheduler]"),
            ("plugin_dir", "it belongs under [scheduler]"),
            ("url", "it belongs under [store]"),
            ("executors", "pools take the place of executors: [pools.default] max_instances = 20"),
            ("jobstores", "there is one store: [store] url = \"sqlite:clockbox.db\""),
        ]);

        let declared = jobs.0.iter().map(|(id, job)| {
            let (place, description) = (sources.place(&job.spot), job.description.clone());
            (id.clone(), Declared { place, description, enabled: job.enabled })
        });
        let manifest = Manifest {
            path: file,
            scheduler: scheduler.clone(),
            store,
            server,
            webhooks,
            defaults: defaults.of_jobs(),
            pools,
            plugins: plugins.specs,
            jobs: jobs.0.iter().filter_map(|(id, job)| Some((id.clone(), job.job.clone()?))).collect(),
            declared: declared.collect(),
            wanted: plugins.wanted,
            grants: plugins.grants.into_iter().map(|(name, spots)| (name, spots.placed(&sources))).collect(),
            warnings: Vec::new(),
            known: Known::default(),
        };
        Ok(then(Gathered {
            manifest,
            described: &described,
            files: plugins.files,
            jobs,
            findings: findings.into_list(),
            sources: &sources,
            known: parts.is_some().then_some((text, context)),
        }))
    }
}

/// The findings as problems, in the order in which they stand.
fn placed(mut findings: Vec<Finding>, sources: &Sources) -> Vec<Problem> {
    findings.sort_by(|a, b| a.spot.cmp(&b.spot));
    let problem = |finding: Finding| {
        let (place, excerpt) = (sources.place(&finding.spot), sources.excerpt(&finding.spot));
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
    jobs: &Jobs,
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
        let uses = jobs.0.iter().filter(|(_, job)| plugins.contains(&job.plugin));
        let jobs = uses.map(|(id, _)| id.clone()).collect();
        manifest.plugins.retain(|name, _| !plugins.contains(name));
        manifest.jobs.retain(|_, job| !plugins.contains(&job.plugin));
        manifest.wanted.retain(|name, _| !plugins.contains(name));
        manifest.grants.retain(|name, _| !plugins.contains(name));
        let (path, problems) = (file.file.path.clone(), Problems(placed(problems, sources)));
        refused.push(RefusedPlugin { plugins, path, jobs, problems });
    }
    manifest.warnings = placed(findings.into_iter().filter(|finding| !is_error(finding)).collect(), sources);
    Ok(Loaded { manifest, refused })
}
