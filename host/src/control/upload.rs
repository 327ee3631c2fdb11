//! A plugin file that is put into the plugin folder: whole or not at all, and put back where it does no good.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clockbox_core::model::PluginName;

/// A file that was put in its place, and what was there before.
#[derive(Debug)]
pub(super) struct Placed {
    path: PathBuf,
    /// A copy of what was there.
    before: Option<PathBuf>,
}

/// The file of a plugin of that name.
pub(super) fn path_of(folder: &Path, name: &PluginName) -> PathBuf {
    folder.join(format!("{name}.wasm"))
}

impl Placed {
    /// Puts a file in its place at one stroke: nobody ever sees a part of it. It is on the disk then.
    pub(super) fn put(folder: &Path, name: &PluginName, bytes: &[u8]) -> io::Result<Self> {
        let path = path_of(folder, name);
        match fs::symlink_metadata(&path) {
            Ok(meta) if !meta.is_file() => {
                let message = format!("{} is a link or a folder, and is left alone", path.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // No plugin is made of files with such names.
        let beside = |what: &str| folder.join(format!(".{name}-{}.{what}", std::process::id()));
        let (new, old) = (beside("new"), beside("old"));
        let put = || -> io::Result<Option<PathBuf>> {
            let mut file = fs::File::create(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            let before = path.exists().then_some(&old);
            if let Some(old) = before {
                fs::copy(&path, old)?;
            }
            fs::rename(&new, &path)?;
            sync_folder(folder)?;
            Ok(before.cloned())
        };
        let put = put();
        if put.is_err() {
            // What is left of it does no harm.
            drop((fs::remove_file(&new), fs::remove_file(&old)));
        }
        Ok(Self { path, before: put? })
    }

    /// Whether there was a file before.
    pub(super) fn replaced(&self) -> bool {
        self.before.is_some()
    }

    /// It is to stay.
    pub(super) fn keep(self) -> io::Result<()> {
        self.before.map_or(Ok(()), fs::remove_file)
    }

    /// Puts back what was there before.
    pub(super) fn undo(self) -> io::Result<()> {
        match &self.before {
            Some(before) => fs::rename(before, &self.path),
            None => fs::remove_file(&self.path),
        }
    }
}

/// A new name in a folder lasts once the folder is on the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_put_replaced_and_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, name) = (folder.path(), "a".parse().unwrap());
        let read = || fs::read_to_string(path_of(folder, &name)).ok();
        let placed = Placed::put(folder, &name, b"one").unwrap();
        assert!(!placed.replaced());
        placed.keep().unwrap();
        let placed = Placed::put(folder, &name, b"two").unwrap();
        assert!(placed.replaced());
        assert_eq!(read().as_deref(), Some("two"));
        placed.undo().unwrap();
        assert_eq!(read().as_deref(), Some("one"));
        Placed::put(folder, &name, b"three").unwrap().keep().unwrap();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing else is left");
        Placed::put(folder, &"b".parse().unwrap(), b"x").unwrap().undo().unwrap();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "mine").unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.path().join("a.wasm")).unwrap();
        let error = Placed::put(folder.path(), &"a".parse().unwrap(), b"x").unwrap_err();
        assert!(error.to_string().ends_with("a.wasm is a link or a folder, and is left alone"), "{error}");
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
    }
}
