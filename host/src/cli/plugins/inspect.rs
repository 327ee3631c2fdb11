//! `clockbox plugins inspect`: one plugin, by its file or by its name in a manifest.

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use clockbox_core::model::CompileLimits;

use super::{
    inspection::{Found, Inspection},
    show::show,
};
use crate::{
    cli::{
        Output,
        exit::{Failure, print, print_json},
        place::Place,
    },
    manifest::{self, Survey},
    reload,
    sandbox::inspect,
};

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The file, or the name of a plugin of the manifest.
    #[arg(value_name = "FILE|NAME")]
    plugin: PathBuf,
    /// The manifest that grants the rights, or the folder that holds clockbox.toml. For a file it is looked for in the current
    /// folder, beside the file and above it if nothing is said.
    #[arg(short = 'C', long = "directory", value_name = "MANIFEST")]
    manifest: Option<PathBuf>,
    /// Lay a value over the manifest: --set scheduler.plugin_dir=plugins. May be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(args: &InspectArgs) -> Result<(), Failure> {
    let (path, survey) = match args.name() {
        Some(name) => {
            let survey = args.survey_at(args.manifest.as_deref().unwrap_or(Path::new(".")))?;
            (path_of(&survey, name)?, Some(survey))
        }
        None => (args.plugin.clone(), args.survey_of(&args.plugin)?),
    };
    let shown = path.display();
    let read = reload::read_plugin(&path, largest(survey.as_ref()));
    let bytes = read.map_err(|error| Failure::new(format!("{shown}: {error}")))?;
    let outline = inspect(&bytes).map_err(|error| {
        let failure = Failure::no(format!("{shown}: {error}"));
        failure.with_hint(error.hint().as_deref())
    })?;
    let sidecar = sidecar(&path);
    let spec = survey.as_ref().and_then(|survey| {
        let is_it = |spec: &&clockbox_core::model::PluginSpec| match args.name() {
            Some(name) => spec.name.as_str() == name,
            None => is_same(&spec.path, &path),
        };
        survey.manifest.plugins.values().find(is_it)
    });
    let found = survey.as_ref().zip(spec).map(|(survey, spec)| Found { survey, spec });
    let inspection = Inspection::of(&outline, &path, sidecar.as_deref(), found);
    if args.output.json {
        print_json(&inspection)?
    } else {
        print(&show(&inspection))?
    }
    if let (Some(survey), None) = (&survey, found) {
        eprintln!(
            "note: {} has no plugin with this file, so that it grants nothing of this",
            survey.manifest.path.display()
        );
    }
    verdict(&inspection)
}

/// Every reason why a host would not run it, of which the last one ends the command.
fn verdict(inspection: &Inspection) -> Result<(), Failure> {
    let Some((last, others)) = inspection.problems.split_last() else { return Ok(()) };
    for fault in others {
        Failure::no(&fault.message).with_hint(fault.hint.as_deref()).report();
    }
    Err(Failure::no(&last.message).with_hint(last.hint.as_deref()))
}

impl InspectArgs {
    /// The name, unless it is a file that is meant.
    fn name(&self) -> Option<&str> {
        let name = self.plugin.to_str()?;
        let is_file = self.plugin.components().count() != 1
            || name.contains(std::path::is_separator)
            || self.plugin.extension().is_some_and(|end| end == "wasm" || end == "wat");
        (!is_file).then_some(name)
    }

    /// The manifest at a path, with a word where something is wrong with it.
    fn survey_at(&self, path: &Path) -> Result<Survey, Failure> {
        let place = Place::at(path, &self.set);
        let survey = place.survey().map_err(|problems| Failure::new(problems.to_string().trim_end()))?;
        super::warn_of_errors(&survey);
        Ok(survey)
    }

    /// The manifest that a file belongs to.
    fn survey_of(&self, file: &Path) -> Result<Option<Survey>, Failure> {
        if let Some(path) = &self.manifest {
            return self.survey_at(path).map(Some);
        }
        let mut last = None;
        for folder in near(file) {
            if !folder.join(manifest::FILE_NAME).is_file() {
                continue;
            }
            // A manifest that was merely come across, and is none, hides nothing of the file.
            let Ok(survey) = Place::at(&folder, &self.set).survey() else { continue };
            if survey.manifest.plugins.values().any(|spec| is_same(&spec.path, file)) {
                super::warn_of_errors(&survey);
                return Ok(Some(survey));
            }
            last.get_or_insert(survey);
        }
        Ok(last)
    }
}

/// Where a file's manifest may be: here, beside it, or above it, as plugins lie in a folder of their own.
fn near(file: &Path) -> Vec<PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let beside = folder(file);
    let above = match beside.file_name() {
        Some(_) => folder(&beside),
        None => beside.join(".."),
    };
    vec![PathBuf::from("."), beside, above]
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn path_of(survey: &Survey, name: &str) -> Result<PathBuf, Failure> {
    if let Some(spec) = survey.manifest.plugins.get(name) {
        return Ok(spec.path.clone());
    }
    let names = survey.manifest.plugins.keys().map(|name| name.as_str());
    let path = survey.manifest.path.display();
    Err(Failure::no(format!("there is no plugin {name:?} in {path}")).hint(format!(
        "{}; a file is named with its ending, or as ./{name}",
        manifest::known_hint("plugins", name, names)
    )))
}

/// The text of the sidecar beside a file. What is wrong with it is told by `check`.
fn sidecar(file: &Path) -> Option<String> {
    match std::fs::read_to_string(file.with_extension("toml")) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            eprintln!(
                "warning: the sidecar {} cannot be read: {error}",
                file.with_extension("toml").display()
            );
            None
        }
    }
}

fn largest(survey: Option<&Survey>) -> u64 {
    survey.map_or(CompileLimits::default().max_size, |survey| survey.manifest.scheduler.compile.max_size)
}
