//! Compiled code on disk, so that the next start need not compile again.
//!
//! An entry is a file for one plugin file and one kind of engine. It is written whole or not at all, and it is used only
//! if the cache's own key vouches for every byte of it: what is damaged, cut, stale, swapped or foreign is compiled again
//! and replaced. The bytes that were verified are the bytes that are run; nothing is read twice. Whatever the disk does,
//! it costs a warning and a compilation.

mod entry;
mod folder;
mod key;
mod view;

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use clockbox_core::model::{Timestamp, format_size};

pub use self::{
    entry::Compilation,
    view::{CacheEntry, CacheView},
};
pub(crate) use self::{entry::Name, key::Key};
use crate::{SandboxError, code::Code};

/// How the names of files begin that are still being written.
const UNFINISHED: &str = ".new-";

/// The compile cache in one folder.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    key: Key,
    /// The most bytes of all entries together.
    most: u64,
    /// What tells when an entry was used.
    clock: Option<fn() -> Timestamp>,
}

impl Cache {
    /// Opens the cache in this folder, which is made for this user alone where it does not exist.
    pub(crate) fn open(
        folder: &Path,
        most: u64,
        clock: Option<fn() -> Timestamp>,
    ) -> Result<Self, SandboxError> {
        let folder = folder::open(folder)?;
        if let Err(e) = folder::sweep(&folder) {
            tracing::warn!("what was left unfinished in {} cannot be removed: {e}", folder.display());
        }
        let key = Key::open(&folder)
            .map_err(|e| SandboxError::Cache { path: folder.clone(), reason: e.to_string() })?;
        Ok(Self { folder, key, most, clock })
    }

    /// The code of this name, where the cache has it.
    pub(crate) fn get(&self, name: &Name) -> Option<(Code, Compilation)> {
        let path = self.path(name);
        let (bytes, file) = match read(&path, self.most, open_to_mark) {
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
            Err(e) => {
                tracing::warn!("{} cannot be read, the plugin is compiled again: {e}", path.display());
                return None;
            }
        };
        match entry::verify(&bytes, name, &self.key) {
            Ok((start, compilation)) => {
                if let Some(clock) = self.clock
                    && let Err(e) = file.set_modified(clock().into())
                {
                    tracing::debug!("{}: {e}", path.display());
                }
                Some((Code::vouched_for(bytes, start), compilation))
            }
            Err(reason) => {
                tracing::warn!("{} is not used, the plugin is compiled again: {reason}", path.display());
                None
            }
        }
    }

    /// Keeps code. A disk that is full or read-only costs a warning.
    pub(crate) fn put(&self, name: &Name, compilation: Compilation, code: &Code) {
        if let Err(e) = self.try_put(name, compilation, code) {
            tracing::warn!(
                "compiled code cannot be kept in {}, the next start compiles again: {e}",
                self.folder.display()
            );
        }
    }

    fn try_put(&self, name: &Name, compilation: Compilation, code: &Code) -> io::Result<()> {
        let bytes = entry::encode(name, compilation, code.bytes(), &self.key);
        if bytes.len() as u64 > self.most {
            let (size, most) = (format_size(bytes.len() as u64), format_size(self.most));
            return Err(io::Error::other(format!(
                "it has {size} and the whole cache may have {most} (raise scheduler.compile.cache)"
            )));
        }
        let path = self.path(name);
        // Readable by this user alone, as the crate makes all its files.
        let mut file = folder::begin(&self.folder)?;
        file.write_all(&bytes)?;
        if let Some(clock) = self.clock {
            file.as_file().set_modified(clock().into())?;
        }
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|e| e.error)?;
        #[cfg(unix)]
        File::open(&self.folder)?.sync_all()?;
        folder::prune(&self.folder, &path, self.most)
    }

    /// The bytes of its entries.
    pub(crate) fn size(&self) -> io::Result<u64> {
        folder::size(&self.folder)
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.folder.join(folder::entry_name(name))
    }
}

/// The bytes of a file. Not of a pipe or device that somebody put in its place, which could be waited for in vain, nor of
/// a file that is larger than the whole cache may be.
fn read(path: &Path, most: u64, open: impl Fn(&Path) -> io::Result<File>) -> io::Result<(Vec<u8>, File)> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if found.len() > most {
        return Err(io::Error::other(format!(
            "it has {}, more than the whole cache may",
            format_size(found.len())
        )));
    }
    let mut file = open(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    // It may grow meanwhile; then the length that it names is wrong.
    (&mut file).take(found.len().saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes, file))
}

/// Opened for writing as well, where that is allowed: the time of an entry is set when it is used.
fn open_to_mark(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).open(path).or_else(|_| File::open(path))
}

fn open_to_read(path: &Path) -> io::Result<File> {
    File::open(path)
}
