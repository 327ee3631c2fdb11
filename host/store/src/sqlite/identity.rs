//! Whether a file is still the one that was opened: a database that is deleted under its host would go on taking records
//! that nobody will ever read.

use std::path::{Path, PathBuf};

use crate::StoreError;

/// A file as it was when it was opened.
#[derive(Debug)]
pub(super) struct Identity {
    path: PathBuf,
    number: Option<(u64, u64)>,
}

impl Identity {
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), number: number(path) }
    }

    /// That the path still leads to the file.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if number(&self.path) == self.number {
            return Ok(());
        }
        Err(StoreError::Broken(format!(
            "{} was deleted or replaced while this host had it open: what is recorded from here on would be lost; put the file \
             back or remove what is left of it, and start the host again",
            self.path.display()
        )))
    }
}

#[cfg(unix)]
fn number(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn number(_: &Path) -> Option<(u64, u64)> {
    None
}
