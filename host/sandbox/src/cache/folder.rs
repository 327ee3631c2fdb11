//! The folder of the cache: private, and bounded.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tempfile::NamedTempFile;

use crate::SandboxError;

/// How the name of every entry ends.
const ENTRY: &str = ".code";
/// What was begun so long before the newest entry was never finished, whether it is locked or not.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Makes the folder for this user alone where it does not exist, and checks that no one else may write to it.
pub(super) fn open(folder: &Path) -> Result<PathBuf, SandboxError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(folder).and_then(|()| folder.canonicalize());
    let path = made.map_err(|e| refusal(folder, e.to_string()))?;
    check(&path)?;
    Ok(path)
}

/// Whether what lies in the folder was put there by this user or by root.
pub(super) fn check(folder: &Path) -> Result<(), SandboxError> {
    let found = folder.metadata().map_err(|e| refusal(folder, e.to_string()))?;
    if !found.is_dir() {
        return Err(refusal(folder, "it is no folder".to_owned()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (mode, owner, me) = (found.mode(), found.uid(), rustix::process::geteuid().as_raw());
        if mode & 0o022 != 0 {
            return Err(refusal(
                folder,
                format!(
                    "others may write to it (mode {:o}), and what it holds is run as native code; run `chmod go-w` on it",
                    mode & 0o777
                ),
            ));
        }
        if owner != me && owner != 0 {
            return Err(refusal(
                folder,
                format!(
                    "it belongs to user {owner}, and what it holds is run as native code by user {me}; name a folder \
                     of this user's own"
                ),
            ));
        }
    }
    Ok(())
}

fn refusal(folder: &Path, reason: String) -> SandboxError {
    SandboxError::Cache { path: folder.to_owned(), reason }
}

/// The name of an entry: whose code, for which engine.
pub(super) fn entry_name(name: &super::Name) -> String {
    let short = crate::hex::encode(&name.compatibility[..8]);
    format!("{}-{short}{ENTRY}", crate::hex::encode(&name.digest))
}

/// A file to be written and then put in its place. It is locked for as long as that takes, so that nobody takes it for one
/// that was left.
pub(super) fn begin(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = tempfile::Builder::new().prefix(super::UNFINISHED).tempfile_in(folder)?;
        if let Err(e) = file.as_file().lock() {
            // What cannot be locked is not taken away either, until it is old.
            tracing::debug!("{}: {e}", file.path().display());
            return Ok(file);
        }
        // Somebody may have been faster with the lock, and have removed it.
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::nlink(&file.as_file().metadata()?) == 0 {
            continue;
        }
        return Ok(file);
    }
}

/// Removes what hosts that were killed have begun and nobody is writing.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        // Another host may finish or remove it meanwhile.
        if name.is_some_and(|name| name.starts_with(super::UNFINISHED))
            && fs::symlink_metadata(&path).is_ok_and(|found| found.is_file())
            && let Ok(file) = fs::File::open(&path)
            && file.try_lock().is_ok()
        {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes the entries that were not used for the longest time, until the rest fits into `most` bytes, and what was
/// never finished. The entry `newest` stays.
pub(super) fn prune(folder: &Path, newest: &Path, most: u64) -> io::Result<()> {
    let mut entries = Vec::new();
    let now = newest.metadata()?.modified()?;
    for file in fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name();
        let Some(name) = name.to_str() else { continue };
        // Another host may have removed it meanwhile.
        let Ok(found) = file.metadata() else { continue };
        let modified = found.modified()?;
        if name.starts_with(super::UNFINISHED) {
            if now.duration_since(modified).is_ok_and(|age| age > ABANDONED) {
                remove(&file.path())?;
            }
        } else if name.ends_with(ENTRY) {
            entries.push((modified, found.len(), file.path()));
        }
    }
    for path in surplus(entries, newest, most) {
        remove(&path)?;
    }
    Ok(())
}

/// The bytes of all entries together.
pub(super) fn size(folder: &Path) -> io::Result<u64> {
    let mut total: u64 = 0;
    for file in fs::read_dir(folder)? {
        let file = file?;
        if file.file_name().to_str().is_some_and(|name| name.ends_with(ENTRY))
            // Another host may have removed it meanwhile.
            && let Ok(found) = file.metadata()
        {
            total = total.saturating_add(found.len());
        }
    }
    Ok(total)
}

/// Which entries must go so that the rest fits: the oldest.
fn surplus(mut entries: Vec<(SystemTime, u64, PathBuf)>, newest: &Path, most: u64) -> Vec<PathBuf> {
    let mut total = entries.iter().fold(0_u64, |sum, (_, size, _)| sum.saturating_add(*size));
    entries.retain(|(_, _, path)| path != newest);
    entries.sort();
    let mut gone = Vec::new();
    for (_, size, path) in entries {
        if total <= most {
            break;
        }
        total = total.saturating_sub(size);
        gone.push(path);
    }
    gone
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_go_and_the_newest_stays() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let entries = || {
            vec![
                (at(3), 40, "c".into()),
                (at(1), 40, "a".into()),
                (at(2), 40, "b".into()),
                (at(0), 40, "new".into()),
            ]
        };
        let gone = |most| surplus(entries(), "new".as_ref(), most);
        assert_eq!(gone(160), Vec::<PathBuf>::new());
        assert_eq!(gone(159), [PathBuf::from("a")]);
        assert_eq!(gone(90), [PathBuf::from("a"), "b".into()]);
        assert_eq!(gone(0), [PathBuf::from("a"), "b".into(), "c".into()]);
    }
}
