//! Every plugin of a manifest, as one value: made without compiling or running anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clockbox_core::model::PluginName;
use serde::Serialize;

use super::{
    granted::in_short,
    inspection::{Fault, faults},
};
use crate::{
    cli::text::plain,
    manifest::{Problem, Severity, Survey, known_hint},
    sandbox::{CacheEntry, Inspection as Outline, PluginKind},
};

/// One plugin.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Listed {
    /// Its name, or what a job takes for one.
    pub(super) name: String,
    /// Its file; nothing where a job names a plugin that there is not.
    pub(super) path: Option<String>,
    /// Why it is one.
    pub(super) source: Source,
    pub(super) kind: Option<&'static str>,
    pub(super) size: Option<u64>,
    pub(super) sha256: Option<String>,
    /// Whether the manifest pins a digest.
    pub(super) pinned: bool,
    /// Whether that is the file's.
    pub(super) pin_matches: Option<bool>,
    /// What it may reach, in short.
    pub(super) rights: Vec<String>,
    /// The jobs that run it.
    pub(super) jobs: Vec<String>,
    /// Those of them that are not to run.
    pub(super) disabled_jobs: Vec<String>,
    /// Whether the next start would find it compiled; nothing where that is not known.
    pub(super) cached: Option<bool>,
    /// When it was compiled.
    pub(super) compiled_at: Option<String>,
    /// How long that took.
    pub(super) compile_ms: Option<u64>,
    /// When a host last took the compiled code.
    pub(super) used_at: Option<String>,
    /// Since when the host that was asked has it loaded.
    pub(super) loaded_at: Option<String>,
    /// What is wrong with it.
    pub(super) problems: Vec<Trouble>,
}

/// Where a plugin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Source {
    /// It has an entry in the manifest.
    Manifest,
    /// It lies in the plugin folder, and has no entry.
    Folder,
    /// A job names it, and there is none of that name.
    Nowhere,
    /// The host that was asked has it, and no file says why.
    Host,
}

/// Something that is wrong with a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Trouble {
    /// Whether it keeps the plugin from running.
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// What was found on the disk of one plugin.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What its file is, or why that is not known.
    pub(super) outline: Option<Result<Outline, Fault>>,
    /// What the compile cache has of it; nothing where that is not known.
    pub(super) cached: Option<Result<Option<CacheEntry>, String>>,
}

/// A file, and the name of the plugin that is made of it: two can be made of one.
pub(super) type Key = (PathBuf, String);

/// Everything that is to be told of a manifest's plugins.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) plugins: Vec<Listed>,
    /// The folder of the manifest.
    pub(super) folder: PathBuf,
    /// What is wrong with the manifest beside that.
    pub(super) others: Vec<Problem>,
}

impl Listing {
    /// Puts together what a manifest says with what was found of each of its plugins.
    pub(super) fn of(survey: &Survey, mut facts: BTreeMap<Key, Facts>) -> Self {
        let mut plugins: Vec<Listed> = Vec::new();
        for name in survey.manifest.plugins.keys() {
            plugins.push(known(survey, name, &mut facts));
        }
        // What is no plugin because of its name, and entries with such names.
        let mut told: Vec<String> = plugins.iter().map(|listed| listed.name.clone()).collect();
        for (stem, path) in stray_files(survey) {
            plugins.push(stray(survey, stem, path, &mut facts));
            told.push(stem.clone());
        }
        for name in survey.entries.iter().filter(|name| !told.contains(name)) {
            plugins.push(bare(survey, name, Source::Manifest));
        }
        let unknown = unknown(survey);
        plugins.extend(unknown.iter().map(|name| nowhere(survey, name)));
        plugins.sort_by(|a, b| a.name.cmp(&b.name));
        Self { plugins, folder: survey.manifest.folder(), others: others(survey, &unknown) }
    }
}

/// The files of the plugin folder that no plugin is made of, as their names are none.
pub(super) fn stray_files(survey: &Survey) -> impl Iterator<Item = (&String, &PathBuf)> {
    let is_used = |path: &PathBuf| survey.manifest.plugins.values().any(|spec| spec.path == *path);
    survey.files.iter().filter(move |(_, path)| !is_used(path)).map(|(stem, path)| (stem, path))
}

fn known(survey: &Survey, name: &PluginName, facts: &mut BTreeMap<Key, Facts>) -> Listed {
    let Some(spec) = survey.manifest.plugins.get(name) else {
        return bare(survey, name.as_str(), Source::Nowhere);
    };
    let has_entry = survey.entries.contains(name.as_str());
    let source = if has_entry { Source::Manifest } else { Source::Folder };
    let listed = Listed {
        path: Some(shown(&spec.path)),
        pinned: spec.sha256.is_some(),
        rights: in_short(&spec.rights, &survey.manifest.folder()).iter().map(|words| plain(words)).collect(),
        ..bare(survey, name.as_str(), source)
    };
    let rights = Some(&spec.rights);
    let found = facts.remove(&(spec.path.clone(), name.to_string())).unwrap_or_default();
    let outline = found.outline.as_ref().and_then(|outline| outline.as_ref().ok());
    let refused = outline.filter(|outline| faults(outline, None).is_empty());
    let refused = refused.and_then(|outline| outline.check(rights?).err()).map(Fault::from);
    let misfit = outline.and_then(|outline| outline.kind?.check_output(spec.output).err()).map(Fault::from);
    let mut listed = listed.with(found, spec.sha256.as_deref());
    listed.problems.extend(refused.into_iter().chain(misfit).map(Trouble::from));
    listed
}

/// A file of the plugin folder that is not in use.
fn stray(survey: &Survey, stem: &str, path: &Path, facts: &mut BTreeMap<Key, Facts>) -> Listed {
    let found = facts.remove(&(path.to_owned(), stem.to_owned())).unwrap_or_default();
    let Some(spec) = survey.manifest.plugins.get(stem) else {
        return Listed { path: Some(shown(path)), ..bare(survey, stem, Source::Folder) }.with(found, None);
    };
    let message =
        format!("{} is passed over: the manifest has this plugin in {}", shown(path), shown(&spec.path));
    let hint = Some("remove it, or rename it to make another plugin of it".to_owned());
    let trouble = Trouble { severity: Severity::Warning, message, hint };
    let (jobs, disabled_jobs) = (Vec::new(), Vec::new());
    let listed = bare(survey, stem, Source::Folder);
    let listed = Listed { path: Some(shown(path)), jobs, disabled_jobs, problems: vec![trouble], ..listed };
    listed.with(found, None)
}

/// A plugin of which only the name is known, with its jobs and problems.
fn bare(survey: &Survey, name: &str, source: Source) -> Listed {
    let users = || survey.uses.iter().filter(|(_, usage)| usage.plugin == name);
    Listed {
        name: plain(name),
        path: None,
        source,
        kind: None,
        size: None,
        sha256: None,
        pinned: false,
        pin_matches: None,
        rights: Vec::new(),
        jobs: users().map(|(job, _)| plain(job)).collect(),
        disabled_jobs: users().filter(|(_, usage)| !usage.enabled).map(|(job, _)| plain(job)).collect(),
        cached: None,
        compiled_at: None,
        compile_ms: None,
        used_at: None,
        loaded_at: None,
        problems: survey.problems_of(name).map(Trouble::from).collect(),
    }
}

/// The names that jobs take for plugins.
fn unknown(survey: &Survey) -> BTreeSet<&str> {
    let is_known = |name: &&str| {
        let is_file = || survey.files.iter().any(|(stem, _)| stem == name);
        survey.manifest.plugins.contains_key(*name) || survey.entries.contains(*name) || is_file()
    };
    let names: BTreeSet<&str> = survey.uses.values().map(|usage| usage.plugin.as_str()).collect();
    names.into_iter().filter(|name| !is_known(name)).collect()
}

fn nowhere(survey: &Survey, name: &str) -> Listed {
    let mut problems: Vec<Trouble> = survey.problems_naming(name).map(Trouble::from).collect();
    if problems.is_empty() {
        // A job that names none means the plugin of its own name.
        let names = survey.manifest.plugins.keys().map(PluginName::as_str);
        problems.push(Trouble {
            severity: Severity::Error,
            message: format!("there is no plugin {:?}, yet jobs name it", plain(name)),
            hint: Some(known_hint("plugins", name, names)),
        });
    }
    Listed { problems, ..bare(survey, name, Source::Nowhere) }
}

impl Listed {
    /// The same with what was found on the disk.
    fn with(self, facts: Facts, pin: Option<&str>) -> Self {
        let mut listed = self;
        match facts.outline {
            Some(Ok(outline)) => {
                listed.kind = outline.kind.map(PluginKind::as_str);
                listed.size = Some(outline.size);
                listed.pin_matches = pin.map(|pin| pin.eq_ignore_ascii_case(&outline.sha256));
                listed
                    .problems
                    .extend(faults(&outline, pin).into_iter().map(|fault| Fault::from(fault).into()));
                listed.sha256 = Some(outline.sha256);
            }
            // A file that is not there has been missed where the manifest names it.
            Some(Err(fault)) if !listed.problems.iter().any(|known| known.severity == Severity::Error) => {
                listed.problems.push(fault.into());
            }
            Some(Err(_)) | None => {}
        }
        match facts.cached {
            Some(Ok(entry)) => {
                listed.cached = Some(entry.is_some());
                let compilation = entry.map(|entry| entry.compilation);
                listed.compiled_at =
                    compilation.and_then(|compilation| compilation.at).map(|at| at.to_rfc3339());
                listed.compile_ms = compilation
                    .and_then(|compilation| compilation.took)
                    .map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
                listed.used_at = entry.and_then(|entry| entry.used_at).map(|at| at.to_rfc3339());
            }
            Some(Err(message)) => {
                listed.cached = Some(false);
                let hint = Some("the next start compiles it again".to_owned());
                listed.problems.push(Trouble { severity: Severity::Warning, message: plain(&message), hint });
            }
            None => {}
        }
        listed
    }
}

/// The problems that belong to no plugin.
fn others(survey: &Survey, unknown: &BTreeSet<&str>) -> Vec<Problem> {
    let names = survey.manifest.plugins.keys().map(|name| name.as_str().to_owned());
    let names: Vec<String> = names
        .chain(stray_files(survey).map(|(stem, _)| stem.clone()))
        .chain(survey.entries.iter().cloned())
        .collect();
    let mut told: Vec<&Problem> = names.iter().flat_map(|name| survey.problems_of(name)).collect();
    told.extend(unknown.iter().flat_map(|name| survey.problems_naming(name)));
    let is_told = |problem: &&Problem| told.iter().any(|known| known == problem);
    survey.problems.0.iter().filter(|problem| !is_told(problem)).cloned().collect()
}

fn shown(path: &Path) -> String {
    plain(&path.display().to_string())
}

impl From<&Problem> for Trouble {
    fn from(problem: &Problem) -> Self {
        let message = plain(&format!("{}: {}", problem.place, problem.message));
        Self { severity: problem.severity, message, hint: problem.hint.clone() }
    }
}

impl From<Fault> for Trouble {
    fn from(Fault { message, hint }: Fault) -> Self {
        Self { severity: Severity::Error, message: plain(&message), hint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Compilation, inspect};

    fn survey(text: &str, files: &[(&str, &[u8])]) -> (tempfile::TempDir, Survey) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("jobs")).unwrap();
        std::fs::write(dir.path().join("clockbox.toml"), text).unwrap();
        for (name, bytes) in files {
            std::fs::write(dir.path().join("jobs").join(name), bytes).unwrap();
        }
        let survey = crate::manifest::survey(dir.path(), &Default::default(), &|_| None).unwrap();
        (dir, survey)
    }

    fn facts(survey: &Survey, name: &str, bytes: &[u8], cached: Option<CacheEntry>) -> (Key, Facts) {
        let path = survey.manifest.plugins[name].path.clone();
        (
            (path, name.to_owned()),
            Facts { outline: Some(inspect(bytes).map_err(Fault::from)), cached: Some(Ok(cached)) },
        )
    }

    const MODULE: &[u8] = br#"(module (func (export "_start")))"#;

    #[test]
    fn a_plugin_is_told_with_its_jobs_its_rights_and_its_compilation() {
        let text = "[plugins.a]\nallow = { dns = true }\n[jobs.on]\nplugin = \"a\"\n[jobs.off]\nplugin = \"a\"\nenabled = false\n";
        let (_dir, survey) = survey(text, &[("a.wat", MODULE), ("b.wat", MODULE)]);
        let compilation = Compilation {
            at: "2030-01-01T12:00:00Z".parse().ok(),
            took: Some(std::time::Duration::from_millis(1_500)),
        };
        let entry = CacheEntry { compilation, used_at: "2030-01-02T12:00:00Z".parse().ok(), size: 9 };
        let found = [facts(&survey, "a", MODULE, Some(entry)), facts(&survey, "b", MODULE, None)];
        let listing = Listing::of(&survey, found.into());
        let [a, b] = &listing.plugins[..] else { panic!("{listing:?}") };
        assert_eq!((a.source, b.source), (Source::Manifest, Source::Folder));
        assert_eq!(
            (&a.jobs[..], &a.disabled_jobs[..]),
            (&["off".into(), "on".into()][..], &["off".into()][..])
        );
        assert_eq!(a.rights, ["dns"]);
        assert_eq!((a.cached, b.cached), (Some(true), Some(false)));
        assert_eq!(a.compiled_at.as_deref(), Some("2030-01-01T12:00:00+00:00"));
        assert_eq!((a.compile_ms, a.used_at.is_some()), (Some(1_500), true));
        assert_eq!((a.kind, a.size), (Some("preview-1 command module"), Some(MODULE.len() as u64)));
        assert!(listing.others.is_empty() && a.problems.is_empty() && b.problems.is_empty(), "{listing:?}");
    }

    #[test]
    fn what_is_wrong_stands_with_the_plugin_that_it_is_wrong_with() {
        let pin = "0".repeat(64);
        let text = format!(
            "[plugins.gone]\n[plugins.pinned]\nsha256 = \"{pin}\"\n[jobs.x]\nplugin = \"pined\"\n[jobs.gone]\nmisfire = 1\n"
        );
        let files: &[(&str, &[u8])] =
            &[("pinned.wat", MODULE), ("broken.wasm", b"nothing"), ("no name.wat", MODULE)];
        let (_dir, survey) = survey(&text, files);
        let mut found: BTreeMap<_, _> =
            [facts(&survey, "pinned", MODULE, None), facts(&survey, "broken", b"nothing", None)].into();
        let missing = Fault { message: "cannot be read".to_owned(), hint: None };
        let gone = survey.manifest.plugins["gone"].path.clone();
        found.insert((gone, "gone".to_owned()), Facts { outline: Some(Err(missing)), cached: None });
        let listing = Listing::of(&survey, found);
        let names: Vec<&str> = listing.plugins.iter().map(|listed| listed.name.as_str()).collect();
        assert_eq!(names, ["broken", "gone", "no name", "pined", "pinned"]);
        let of = |name: &str| listing.plugins.iter().find(|listed| listed.name == name).unwrap();
        let told = |name: &str, words: &str| {
            let problems = &of(name).problems;
            assert!(problems.len() == 1 && problems[0].message.contains(words), "{name}: {problems:?}");
        };
        told("broken", "not WebAssembly");
        told("gone", "there is no file");
        told("no name", "no name");
        told("pined", "there is no plugin \"pined\"");
        told("pinned", "is pinned");
        assert_eq!(of("pined").problems[0].hint.as_deref(), Some("did you mean \"pinned\"?"));
        assert_eq!((of("pinned").pinned, of("pinned").pin_matches), (true, Some(false)));
        assert_eq!((of("pined").source, of("pined").path.as_ref()), (Source::Nowhere, None));
        assert!(
            listing.others.iter().any(|problem| problem.key == "jobs.gone.misfire"),
            "{:?}",
            listing.others
        );
    }

    #[test]
    fn a_file_that_another_one_takes_the_place_of_is_told() {
        let text = "[plugins.a]\npath = \"jobs/b.wat\"\n[jobs.x]\nplugin = \"a\"\n";
        let (_dir, survey) = survey(text, &[("a.wat", MODULE), ("b.wat", MODULE)]);
        let listing = Listing::of(&survey, BTreeMap::new());
        let [used, stray] = &listing.plugins[..] else { panic!("{listing:?}") };
        assert_eq!((used.name.as_str(), used.jobs.len(), used.problems.len()), ("a", 1, 0));
        assert_eq!((stray.name.as_str(), stray.jobs.len(), stray.source), ("a", 0, Source::Folder));
        assert!(stray.problems[0].message.contains("a.wat is passed over"), "{stray:?}");
    }

    #[test]
    fn a_plugin_without_a_right_that_it_needs_is_told() {
        let bytes = br#"(component (import "clockbox:state/store@0.1.0" (instance)) (component $c)
            (instance $i (instantiate $c)) (export "clockbox:job/runner@0.1.0" (instance $i)))"#;
        let (_dir, survey) = survey("[plugins.a]\n", &[("a.wat", bytes)]);
        let found = facts(&survey, "a", bytes, None);
        let listing = Listing::of(&survey, [found].into());
        let problems = &listing.plugins[0].problems;
        assert!(problems.len() == 1 && problems[0].message.contains("allow.state"), "{problems:?}");
    }
}
