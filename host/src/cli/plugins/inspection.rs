//! What a plugin is, what it wants, and what it gets: a value, made without running anything.

use std::path::Path;

use clockbox_core::model::{JobsRight, OutputFrom, PluginName, PluginSpec, Rights};
use serde::Serialize;

use super::{
    description::Description,
    grant::Grantee,
    granted::in_short,
    rights::{Asked, RightRow, rows},
};
use crate::{
    cli::text::plain,
    manifest::{Grants, Survey},
    sandbox::{Inspection as Outline, PluginError, PluginKind},
};

/// A plugin file, looked at.
#[derive(Debug, Serialize)]
pub(super) struct Inspection {
    /// The file.
    pub(super) path: String,
    /// The plugin of the manifest that it is.
    pub(super) plugin: Option<String>,
    /// The manifest that it was compared with.
    pub(super) manifest: Option<String>,
    pub(super) kind: Option<&'static str>,
    /// The world that it is made for.
    pub(super) world: Option<String>,
    pub(super) component: bool,
    pub(super) size: u64,
    pub(super) sha256: String,
    /// The digest that the manifest pins.
    pub(super) pinned_sha256: Option<String>,
    /// Whether that is the file's.
    pub(super) pin_matches: Option<bool>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
    pub(super) licenses: Option<String>,
    pub(super) producers: Vec<Producer>,
    pub(super) exports: Vec<String>,
    pub(super) imports: Vec<String>,
    /// Where the output of its runs comes from, by the manifest, or else by itself.
    pub(super) output: OutputFrom,
    /// The rights that its imports are for.
    pub(super) wants: Vec<&'static str>,
    /// Every right that it wants or has.
    pub(super) rights: Vec<RightRow>,
    /// The jobs of the manifest that run it.
    pub(super) jobs: Vec<JobRow>,
    /// The text of its section `clockbox:job`.
    pub(super) job: Option<String>,
    /// The same, read.
    pub(super) described: Option<Description>,
    /// Why a host would not run it, whatever it was granted.
    pub(super) problems: Vec<Fault>,
}

/// What made a plugin.
#[derive(Debug, Serialize)]
pub(super) struct Producer {
    /// What it did: `language`, `processed-by`, `sdk`.
    pub(super) field: String,
    pub(super) name: String,
    pub(super) version: String,
}

/// A job that runs the plugin.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct JobRow {
    pub(super) job: String,
    /// Whether it is to run.
    pub(super) enabled: bool,
    /// Whether it may reach less than its plugin.
    pub(super) narrowed: bool,
    /// What it may reach, in short.
    pub(super) rights: Vec<String>,
    /// What the plugin asks for or needs, and has, and this job has not.
    pub(super) missing: Vec<String>,
}

/// A reason why not, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// The manifest that a file was found in, and the plugin that it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) survey: &'a Survey,
    pub(super) spec: &'a PluginSpec,
}

impl Inspection {
    /// Puts together what a file says with what a manifest says of it. `sidecar` is the text of the file's sidecar.
    pub(super) fn of(
        outline: &Outline,
        path: &Path,
        sidecar: Option<&str>,
        found: Option<Found<'_>>,
    ) -> Self {
        let described = outline.job.as_deref().map(|text| Description::of(text, path));
        let asked = Asked::of(outline.job.as_deref().into_iter().chain(sidecar));
        let (no_rights, no_grants) = (Rights::default(), Grants::default());
        let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        let to = match &found {
            Some(Found { survey, spec }) => Grantee {
                plugin: spec.name.as_str(),
                manifest: Some(&survey.manifest.path),
                rights: &spec.rights,
                grants: survey.manifest.grants.get(&spec.name).unwrap_or(&no_grants),
            },
            None => Grantee { plugin: &stem, manifest: None, rights: &no_rights, grants: &no_grants },
        };
        let pin = found.and_then(|found| found.spec.sha256.clone());
        let pin_matches = pin.as_ref().map(|pin| pin.eq_ignore_ascii_case(&outline.sha256));
        let mut problems: Vec<Fault> = faults(outline, pin.as_deref()).into_iter().map(Fault::from).collect();
        let by_itself = described.as_ref().map(|described| described.output);
        let output = found.map(|found| found.spec.output).or(by_itself).unwrap_or_default();
        let misfit = outline.kind.and_then(|kind| kind.check_output(output).err());
        problems.extend(misfit.map(Fault::from));
        let mistakes = described.iter().flat_map(|described| &described.problems);
        problems.extend(mistakes.map(|problem| Fault { message: problem.clone(), hint: None }));
        let producer = |(field, name, version): &(String, String, String)| Producer {
            field: field.clone(),
            name: name.clone(),
            version: version.clone(),
        };
        Self {
            path: plain(&path.display().to_string()),
            plugin: found.map(|found| found.spec.name.to_string()),
            manifest: found.map(|found| plain(&found.survey.manifest.path.display().to_string())),
            kind: outline.kind.map(PluginKind::as_str),
            world: outline.kind.map(|kind| world(kind, &outline.exports)),
            component: outline.component,
            size: outline.size,
            sha256: outline.sha256.clone(),
            pinned_sha256: pin,
            pin_matches,
            name: outline.name.clone().or_else(|| described.as_ref()?.name.clone()),
            version: outline.version.clone().or_else(|| described.as_ref()?.version.clone()),
            description: outline.description.clone().or_else(|| described.as_ref()?.text.clone()),
            licenses: outline.licenses.clone(),
            producers: outline.producers.iter().map(producer).collect(),
            exports: outline.exports.clone(),
            imports: outline.imports.clone(),
            output,
            wants: outline.wants.clone(),
            rights: rows(outline, &asked, &to, found.is_some()),
            jobs: found.map(|found| jobs(found, outline, &asked)).unwrap_or_default(),
            job: outline.job.clone(),
            described,
            problems,
        }
    }
}

impl From<PluginError> for Fault {
    fn from(error: PluginError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}

/// Why a file would be refused under any rights, and under this pin.
pub(super) fn faults(outline: &Outline, pin: Option<&str>) -> Vec<PluginError> {
    let mismatch = pin.filter(|pin| !pin.eq_ignore_ascii_case(&outline.sha256));
    let mismatch = mismatch
        .map(|pin| PluginError::DigestMismatch { expected: pin.to_owned(), actual: outline.sha256.clone() });
    mismatch.into_iter().chain(outline.check(&every_right()).err()).collect()
}

/// As far as a plugin can be refused for the lack of rights.
pub(in crate::cli) fn every_right() -> Rights {
    let http = "https://api.example.com".parse().map(clockbox_core::model::HttpGrant::to);
    Rights {
        http: http.into_iter().collect(),
        state: true,
        jobs: Some(JobsRight::default()),
        ..Rights::default()
    }
}

fn world(kind: PluginKind, exports: &[String]) -> String {
    let versioned = |world: &str, export: &str| {
        let version = exports.iter().find_map(|name| name.strip_prefix(export)).unwrap_or_default();
        format!("{world}{version}")
    };
    match kind {
        PluginKind::Job => versioned("clockbox:job/job", "clockbox:job/runner"),
        PluginKind::Command => versioned("wasi:cli/command", "wasi:cli/run"),
        PluginKind::Module => "wasi_snapshot_preview1".to_owned(),
    }
}

/// The jobs that run a plugin, with what each may reach where it narrows.
fn jobs(found: Found<'_>, outline: &Outline, asked: &Asked) -> Vec<JobRow> {
    let Found { survey, spec } = found;
    let users = survey.uses.iter().filter(|(_, usage)| is_of(&spec.name, &usage.plugin));
    let row = |(id, usage): (&String, &crate::manifest::Usage)| {
        let job = survey.manifest.jobs.get(id.as_str());
        let allow = job.and_then(|job| job.policy.allow.as_deref());
        let rights = allow.map(|allow| spec.rights.narrowed(allow));
        let missing = rights.as_ref().map(|left| asked.lost(outline, &spec.rights, left));
        JobRow {
            job: plain(id),
            enabled: usage.enabled,
            narrowed: allow.is_some(),
            rights: in_short(rights.as_ref().unwrap_or(&spec.rights), &survey.manifest.folder()),
            missing: missing.unwrap_or_default(),
        }
    };
    users.map(row).collect()
}

fn is_of(name: &PluginName, plugin: &str) -> bool {
    name.as_str() == plugin
}
