//! A look into a cache that may belong to a running host: nothing is made, changed or marked as used.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use clockbox_core::model::{Limits, Timestamp};

use super::{Compilation, Key, Name, entry, folder, key, open_to_read, read};
use crate::{
    PluginKind, SandboxError,
    engine::{EngineSettings, compatibility},
    hex,
};

/// A compile cache to look into.
#[derive(Debug)]
pub struct CacheView {
    /// Nothing where there is no cache yet.
    place: Option<(PathBuf, Key)>,
    /// An entry that is larger is not used.
    most: u64,
    /// What code is known by, of each kind of engine that was asked for.
    engines: HashMap<EngineSettings, [u8; 32]>,
}

/// Code that a host would take from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheEntry {
    /// When it was compiled, and how long that took.
    pub compilation: Compilation,
    /// When a host last took it, as far as it had a clock.
    pub used_at: Option<Timestamp>,
    /// The size of the entry in bytes.
    pub size: u64,
}

impl CacheView {
    /// Looks into the cache in this folder, of which `most` bytes are the limit. A folder that is not there holds nothing.
    ///
    /// # Errors
    /// When a host would not use the cache as it is, or it cannot be read.
    pub fn open(folder: &Path, most: u64) -> Result<Self, SandboxError> {
        let bad = |reason: String| SandboxError::Cache { path: folder.to_owned(), reason };
        let engines = HashMap::new();
        let path = match folder.canonicalize() {
            Ok(path) => path,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self { place: None, most, engines }),
            Err(e) => return Err(bad(e.to_string())),
        };
        folder::check(&path)?;
        let place = match Key::read(&path.join(key::FILE)) {
            Ok(Some(key)) => Some((path, key)),
            Ok(None) => return Err(bad("its key is damaged or readable by others".to_owned())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(bad(format!("its key cannot be read: {e}"))),
        };
        Ok(Self { place, most, engines })
    }

    /// The code that a host would take for the file with this digest, as a plugin of this kind under these limits.
    ///
    /// # Errors
    /// When there is an entry that would not be used, and why.
    pub fn find(
        &mut self,
        sha256: &str,
        kind: PluginKind,
        limits: &Limits,
    ) -> Result<Option<CacheEntry>, SandboxError> {
        let Some(digest) = hex::decode(sha256) else { return Ok(None) };
        if self.place.is_none() {
            return Ok(None);
        }
        let compatibility = self.compatibility(EngineSettings::of(limits))?;
        let Some((folder, key)) = &self.place else { return Ok(None) };
        let name = Name { digest, compatibility, component: kind.is_component() };
        let path = folder.join(folder::entry_name(&name));
        let bad = |reason: String| SandboxError::Cache { path: path.clone(), reason };
        let (bytes, file) = match read(&path, self.most, open_to_read) {
            Ok(found) => found,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(bad(e.to_string())),
        };
        let (_, compilation) = entry::verify(&bytes, &name, key).map_err(|reason| bad(reason.to_owned()))?;
        let used_at = file.metadata().and_then(|found| found.modified()).ok().map(Timestamp::from);
        Ok(Some(CacheEntry { compilation, used_at, size: bytes.len() as u64 }))
    }

    fn compatibility(&mut self, settings: EngineSettings) -> Result<[u8; 32], SandboxError> {
        if let Some(known) = self.engines.get(&settings) {
            return Ok(*known);
        }
        let engine = settings.compiler().map_err(|e| SandboxError::Engine(format!("{e:#}")))?;
        let compatibility = compatibility(&engine);
        self.engines.insert(settings, compatibility);
        Ok(compatibility)
    }
}
