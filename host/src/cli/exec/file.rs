//! The file that is run, its name, and the folders that it is run with.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use clockbox_core::model::JobId;

use crate::{
    author::{RECIPE, Recipe},
    cli::exit::Failure,
    manifest::FolderGrant,
    plugin_files,
    reload::Watch,
};

/// A file is taken for whole once it has been the same for so long: whoever copies it is done then.
const SETTLED: Duration = Duration::from_millis(100);

/// The bytes of a file that nobody is writing to; nothing while it is not there.
pub(super) fn settled(file: &Path, most: u64, watch: &mut Watch) -> Option<Vec<u8>> {
    let mut bytes = plugin_files::read(file, most).ok()?;
    loop {
        if !watch.pause(SETTLED) {
            return None;
        }
        let again = plugin_files::read(file, most).ok()?;
        if again == bytes {
            return Some(bytes);
        }
        bytes = again;
    }
}

/// Why a file cannot be read, and what to give or do instead.
pub(super) fn unreadable(file: &Path, error: &io::Error) -> Failure {
    let shown = file.display();
    if file.is_dir() {
        let failure = Failure::new(format!("{shown}: it is a folder, not a plugin"));
        return failure.hint(match built(file) {
            Some(plugin) if plugin.is_file() => format!("give the file: clockbox exec {}", plugin.display()),
            Some(plugin) => {
                format!(
                    "build it, and give the file: clockbox build {shown} && clockbox exec {}",
                    plugin.display()
                )
            }
            None => "give the .wasm file".to_owned(),
        });
    }
    let failure = Failure::new(format!("{shown}: cannot be read: {error}"));
    if error.kind() != io::ErrorKind::NotFound {
        return failure;
    }
    failure.hint(match project_of(file) {
        Some(project) => format!("`{}` makes it", build_command(&project)),
        None => "`clockbox build FOLDER` makes a plugin of a project, `clockbox new` a project".to_owned(),
    })
}

/// That a file is awaited, as it is not there, or not any more.
pub(super) fn awaited(file: &Path, was_there: bool) -> String {
    let shown = file.display();
    match (was_there, project_of(file)) {
        (true, _) => format!("{shown} is gone; waiting for it to come back"),
        (false, Some(project)) => {
            format!("{shown} is not there; waiting for `{}` to make it", build_command(&project))
        }
        (false, None) => format!("{shown} is not there; waiting for it"),
    }
}

/// The project whose plugin the file would be.
fn project_of(file: &Path) -> Option<PathBuf> {
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    folder.join(RECIPE).is_file().then(|| folder.to_owned())
}

fn build_command(project: &Path) -> String {
    match project == Path::new(".") {
        true => "clockbox build".to_owned(),
        false => format!("clockbox build {}", project.display()),
    }
}

/// The plugin that a project in this folder is built into.
fn built(folder: &Path) -> Option<PathBuf> {
    let whole = fs::canonicalize(folder).ok()?;
    let plugin = Recipe::of(&whole).ok()??.plugin_in(&whole)?;
    Some(folder.join(plugin.strip_prefix(&whole).unwrap_or(&plugin)))
}

/// Refuses folders that are not there: a run would end for it, as it cannot open them.
pub(super) fn folders(granted: &[FolderGrant]) -> Result<(), Failure> {
    let absent = granted.iter().find(|folder| !folder.host.exists());
    absent.map_or(Ok(()), |folder| {
        let failure = Failure::new(format!("{}: there is no folder {}", folder.place, folder.host.display()));
        Err(failure.hint("create it first; paths are relative to the current folder"))
    })
}

/// The name that the sidecar of a file gives its job.
pub(super) fn sidecar_name(file: &Path) -> Option<JobId> {
    // What is wrong with it is told when it is read in earnest.
    let sidecar: toml::Table = std::fs::read_to_string(file.with_extension("toml")).ok()?.parse().ok()?;
    JobId::new(sidecar.get("name")?.as_str()?).ok()
}

/// The name of a file as that of a job, where it can be made one.
pub(super) fn name(file: &Path) -> Option<JobId> {
    let stem = file.file_stem()?.to_string_lossy();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    let name: String = stem.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    JobId::new(&name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_name_has_a_name_for_its_job() {
        let name = |file: &str| super::name(Path::new(file));
        assert_eq!(name("target/first_job.wasm").as_ref().map(JobId::as_str), Some("first_job"));
        assert_eq!(name("my job (2).wasm").as_ref().map(JobId::as_str), Some("my-job--2-"));
        assert_eq!(name(&"x".repeat(200)), None);
    }
}
