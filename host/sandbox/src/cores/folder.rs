//! The folder of core dumps: whole files, for this user alone, and so many.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use clockbox_core::model::RunId;

/// How the name of every dump ends.
const DUMP: &str = ".core";
/// How the names of files begin that are still being written.
const UNFINISHED: &str = ".core-new-";
/// What was begun so long before the newest dump was never finished.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What the dump of an attempt is called.
pub(super) fn file_name(run: RunId, attempt: u32) -> String {
    format!("{run}-{attempt}{DUMP}")
}

/// Whether a file is called like a dump.
fn is_dump(name: &str) -> bool {
    let parts = name.strip_suffix(DUMP).and_then(|name| name.rsplit_once('-'));
    let parsed = parts.and_then(|(run, attempt)| Some((run.parse().ok()?, attempt.parse().ok()?)));
    parsed.is_some_and(|(run, attempt)| file_name(run, attempt) == name)
}

/// Makes the folder for this user alone where it does not exist.
pub(super) fn open(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a dump, whole or not at all, and removes the oldest beyond `most`.
pub(super) fn write(folder: &Path, name: &str, bytes: &[u8], most: usize) -> io::Result<PathBuf> {
    // Somebody may have tidied it away.
    open(folder)?;
    // Readable by this user alone, as the crate makes all its files.
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let path = folder.join(name);
    file.persist(&path).map_err(|e| e.error)?;
    // The dump is there; what cannot be tidied costs disk.
    if let Err(e) = prune(folder, &path, most) {
        tracing::warn!("core dumps in {} cannot be tidied: {e}", folder.display());
    }
    Ok(path)
}

/// Removes the oldest dumps, until `most` are left, and what was never finished. The one called `newest` stays.
fn prune(folder: &Path, newest: &Path, most: usize) -> io::Result<()> {
    let (mut dumps, mut gone) = (Vec::new(), Vec::new());
    let now = newest.metadata()?.modified()?;
    for file in fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name();
        let Some(name) = name.to_str().filter(|_| file.path() != newest) else { continue };
        // Another host may have removed it meanwhile.
        let Ok(found) = file.metadata() else { continue };
        if !found.is_file() {
            continue;
        }
        let modified = found.modified()?;
        if is_dump(name) {
            dumps.push((modified, file.path()));
        } else if name.starts_with(UNFINISHED)
            && now.duration_since(modified).is_ok_and(|age| age > ABANDONED)
        {
            gone.push(file.path());
        }
    }
    gone.extend(surplus(dumps, most.saturating_sub(1)));
    for path in gone {
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

/// The oldest beyond `most`; those of one moment go by their names, which follow the order of runs.
fn surplus(mut dumps: Vec<(SystemTime, PathBuf)>, most: usize) -> impl Iterator<Item = PathBuf> {
    dumps.sort();
    let gone = dumps.len().saturating_sub(most);
    dumps.into_iter().take(gone).map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_of_dumps_are_names_of_dumps() {
        let run = RunId::from_i64(1 << 40).unwrap();
        assert!(is_dump(&file_name(run, 12)));
        for other in [format!("{run}-012.core"), format!("{run}.core"), "core".into(), "my-1.core".into()] {
            assert!(!is_dump(&other), "{other}");
        }
    }

    fn age_of(path: &Path, modified: SystemTime) {
        fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    }

    #[test]
    fn the_oldest_dumps_go_and_other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let name = |n: i64| file_name(RunId::from_i64((1 << 40) | n).unwrap(), 1);
        fs::write(folder.path().join("notes.core"), "mine").unwrap();
        let unfinished = folder.path().join(format!("{UNFINISHED}x"));
        fs::write(&unfinished, "half").unwrap();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        // The first by its name was written last.
        for (n, age) in [(1, 50), (2, 20), (3, 30), (4, 40)] {
            age_of(&write(folder.path(), &name(n), b"core", 9).unwrap(), at(age));
        }
        age_of(&unfinished, at(10));
        write(folder.path(), &name(5), b"core", 3).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected = vec![name(1), name(4), name(5), "notes.core".to_owned()];
        expected.sort();
        assert_eq!(left, expected);
    }
}
