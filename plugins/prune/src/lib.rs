//! Deletes files older than some days in a granted folder, or says what it would delete.

mod files;

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use clockbox_sdk::{JobError, OrFail, context, job, log, progress};
use files::{check_glob, collect};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    /// The folder, as the guest knows it.
    folder: String,
    /// Which files, by their path below the folder.
    glob: String,
    /// How old a file must be, by its time of change.
    older_than_days: f64,
    /// How many of the newest files that fit are kept, whatever their age.
    #[serde(default)]
    keep: usize,
    /// Only say what would be deleted, which is the default.
    dry_run: Option<bool>,
}

#[derive(Serialize)]
struct Report {
    dry_run: bool,
    files: usize,
    bytes: u64,
    /// The oldest hundred.
    paths: Vec<String>,
}

fn run(args: Args) -> Result<Report, JobError> {
    prune(&args, SystemTime::now())
}

fn prune(args: &Args, now: SystemTime) -> Result<Report, JobError> {
    check_glob(&args.glob).or_invalid_args()?;
    let age = Duration::try_from_secs_f64(args.older_than_days * 86_400.0).or_invalid_args()?;
    let before = now.checked_sub(age).ok_or("older_than_days is too large").or_invalid_args()?;
    let mut found = Vec::new();
    let folder = Path::new(&args.folder);
    let hint = |error| format!("cannot read {folder:?}: {error}; is it granted under allow.write?");
    fs::read_dir(folder).map_err(hint).or_fatal("no-folder")?;
    collect(folder, "", &args.glob, &mut found)?;
    found.sort_by_key(|file| file.changed);
    found.truncate(found.len().saturating_sub(args.keep));
    found.retain(|file| file.changed < before);
    let (mut bytes, mut failed) = (0, Vec::new());
    let dry_run = args.dry_run.unwrap_or(true);
    let verb = if dry_run { "would delete" } else { "deleted" };
    for (done, file) in found.iter().enumerate() {
        context::check_cancelled()?;
        if !dry_run && let Err(error) = fs::remove_file(folder.join(&file.path)) {
            if error.kind() == io::ErrorKind::PermissionDenied {
                let why = format!("{folder:?} may be read only: grant it under allow.write ({error})");
                return Err(JobError::fatal("not-granted", why));
            }
            log::warn!(error, "cannot delete {}", file.path);
            failed.push(&file.path);
            continue;
        }
        log::info!(bytes = file.bytes, "{verb} {}", file.path);
        bytes += file.bytes;
        progress::report(done as u64 + 1, found.len() as u64, file.path.as_str());
    }
    if let Some(first) = failed.first() {
        let count = format!("{} of {} files", failed.len(), found.len());
        return Err(JobError::retry("partly-deleted", format!("{count} stayed, among them {first}")));
    }
    let paths = found.iter().take(100).map(|file| file.path.clone()).collect();
    Ok(Report { dry_run, files: found.len(), bytes, paths })
}

job!(run, description = include_str!("../job.toml"));

#[cfg(test)]
mod tests;
