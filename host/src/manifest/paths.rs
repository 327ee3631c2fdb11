//! Paths as the manifest writes them.

use std::path::{Path, PathBuf};

/// A path relative to `folder` unless it is absolute, without a needless `./` in front, so that one file has one path.
pub(super) fn resolve(folder: &Path, path: impl AsRef<Path>) -> PathBuf {
    let joined: PathBuf = folder.join(path).components().collect();
    match joined.strip_prefix(".") {
        Ok(rest) if rest != Path::new("") => rest.to_owned(),
        _ => joined,
    }
}

/// The folder that a file is in: `.` for a bare file name.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_path() {
        for (folder, path, wanted) in [
            ("", "jobs", "jobs"),
            (".", "jobs/x.wasm", "jobs/x.wasm"),
            ("", "./jobs/./x.wasm", "jobs/x.wasm"),
            ("etc", "./jobs", "etc/jobs"),
            ("etc", "../jobs", "etc/../jobs"),
            ("./etc", "jobs", "etc/jobs"),
            ("etc", "/srv/jobs", "/srv/jobs"),
            (".", ".", "."),
        ] {
            assert_eq!(resolve(Path::new(folder), path).as_os_str(), wanted, "{folder:?} {path:?}");
        }
        assert_eq!(folder_of(Path::new("a.toml")), Path::new("."));
        assert_eq!(folder_of(Path::new("/a.toml")), Path::new("/"));
    }
}
