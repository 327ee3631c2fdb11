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
        sweep(folder);
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

/// Deletes what an upload has left that was cut short by the end of its host. There is only one at a time.
fn sweep(folder: &Path) {
    let is_left = |name: &str| {
        let stem =
            name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".new").or(rest.strip_suffix(".old")));
        stem.and_then(|stem| stem.rsplit_once('-')).is_some_and(|(plugin, process)| {
            plugin.parse::<PluginName>().is_ok() && process.parse::<u32>().is_ok()
        })
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_left)
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!("{}: {error}", entry.path().display());
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

    #[test]
    fn what_an_upload_left_that_was_cut_short_is_swept_with_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for name in [".a-17.new", ".b-c-4294967295.old", ".a-17.news", ".a-x.new", "a-17.new", ".new"] {
            fs::write(folder.join(name), "").unwrap();
        }
        Placed::put(folder, &"a".parse().unwrap(), b"one").unwrap().keep().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".a-17.news", ".a-x.new", ".new", "a-17.new", "a.wasm"]);
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
