//! The secret with which a cache vouches for its entries.

use std::{
    io::{self, Read as _, Write as _},
    path::Path,
};

/// The name of its file.
pub(super) const FILE: &str = "key";

/// A random secret of this user's.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    #[cfg(test)]
    pub(super) fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key in this folder, or one that is made there. One that is damaged or that others may read is replaced: what
    /// it vouched for is compiled again.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        match Self::read(&path) {
            Ok(Some(key)) => return Ok(key),
            Ok(None) => {
                tracing::warn!(
                    "{} is damaged or readable by others and is replaced: plugins are compiled again",
                    path.display()
                );
                std::fs::remove_file(&path)?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let mut file = super::folder::begin(folder)?;
        file.write_all(&secret)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(Self(secret)),
            // Another host was faster: its key is as good.
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => {
                Self::read(&path)?.ok_or_else(|| io::Error::other("the key is damaged"))
            }
            Err(e) => Err(e.error),
        }
    }

    /// The key in this file; `None` when it is none that can be trusted.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let file = std::fs::File::open(path)?;
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::mode(&file.metadata()?) & 0o077 != 0 {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(33);
        file.take(33).read_to_end(&mut bytes)?;
        Ok(bytes.try_into().ok().map(Self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_and_a_bad_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let first = Key::open(folder.path()).unwrap();
        assert_eq!(Key::open(folder.path()).unwrap(), first);
        std::fs::write(&path, b"short").unwrap();
        let second = Key::open(folder.path()).unwrap();
        assert_ne!(second, first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing unfinished is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert_ne!(Key::open(folder.path()).unwrap(), second, "others could have read it");
        }
    }
}
