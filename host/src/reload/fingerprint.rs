//! Whether anything that a manifest depends on has changed, told from the files' metadata.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What identifies a file's content without reading it: its real place, length and time of change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    target: Option<PathBuf>,
    len: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

/// The manifest, sidecars and plugin files as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fingerprint(BTreeMap<PathBuf, Mark>);

impl Fingerprint {
    /// Looks at the files that matter in these folders, and at these files. What cannot be looked at is absent.
    pub(super) fn take(folders: &BTreeSet<PathBuf>, files: &BTreeSet<PathBuf>) -> Self {
        let in_folders = folders
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
            .filter(|path| matters(path));
        let marks = in_folders.chain(files.iter().cloned()).filter_map(|path| {
            let mark = mark(&path)?;
            Some((path, mark))
        });
        Self(marks.collect())
    }

    /// Whether a file is not what it was then.
    pub(super) fn differs_at(&self, path: &Path, then: &Self) -> bool {
        self.0.get(path) != then.0.get(path)
    }
}

/// Whether a file name is that of a manifest, sidecar or plugin, and not of an editor's or a copy's temporary file.
pub(super) fn matters(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let known =
        path.extension().and_then(OsStr::to_str).is_some_and(|end| matches!(end, "toml" | "wasm" | "wat"));
    known && !hidden
}

/// Follows symbolic links, so that one that is pointed elsewhere is noticed.
fn mark(path: &Path) -> Option<Mark> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Mark {
        target: std::fs::canonicalize(path).ok(),
        len: metadata.len(),
        modified: metadata.modified().ok(),
        inode: inode(&metadata),
    })
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path) -> Fingerprint {
        Fingerprint::take(&BTreeSet::from([folder.to_owned()]), &BTreeSet::new())
    }

    #[test]
    fn a_changed_added_renamed_or_removed_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let empty = take(folder.path());
        std::fs::write(path("a.wasm"), "one").unwrap();
        let one = take(folder.path());
        assert_ne!(empty, one);
        assert_eq!(one, take(folder.path()));
        std::fs::write(path("a.wasm"), "longer").unwrap();
        let two = take(folder.path());
        assert_ne!(one, two);
        std::fs::rename(path("a.wasm"), path("b.wasm")).unwrap();
        assert_ne!(two, take(folder.path()));
        std::fs::remove_file(path("b.wasm")).unwrap();
        assert_eq!(empty, take(folder.path()));
    }

    #[test]
    fn a_file_that_changed_is_told_from_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a.wasm"), "one").unwrap();
        std::fs::write(path("b.wasm"), "one").unwrap();
        let then = take(folder.path());
        std::fs::write(path("a.wasm"), "longer").unwrap();
        let now = take(folder.path());
        assert_eq!(
            ["a.wasm", "b.wasm", "c.wasm"].map(|name| now.differs_at(&path(name), &then)),
            [true, false, false]
        );
    }

    #[test]
    fn temporary_and_foreign_files_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let before = take(folder.path());
        for name in [".a.wasm.swp", ".hidden.toml", "a.wasm.tmp", "a.wasm~", "clockbox.db", "clockbox.db-wal"]
        {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(before, take(folder.path()));
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_that_is_pointed_elsewhere_is_noticed() {
        let (folder, releases) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let link = folder.path().join("a.wasm");
        for release in ["1", "2"] {
            std::fs::write(releases.path().join(release), "same").unwrap();
        }
        std::os::unix::fs::symlink(releases.path().join("1"), &link).unwrap();
        let before = take(folder.path());
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(releases.path().join("2"), &link).unwrap();
        assert_ne!(before, take(folder.path()));
    }
}
