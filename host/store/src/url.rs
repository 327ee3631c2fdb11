//! Where a store is, as a manifest says it: `sqlite:clockbox.db` or `memory:`.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use clockbox_core::model::{Refusal, Write};

use crate::{Access, JobStore, MemoryStore, SqliteStore, StoreCheck, StoreError, sqlite};

/// The kind and place of a store.
///
/// ```
/// use clockbox_store::StoreUrl;
/// assert_eq!("memory:".parse(), Ok(StoreUrl::Memory));
/// assert_eq!("sqlite:clockbox.db".parse(), Ok(StoreUrl::Sqlite("clockbox.db".into())));
/// assert!("redis:here".parse::<StoreUrl>().unwrap_err().to_string().contains("sqlite:, memory:"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// Nothing is kept beyond the life of the host: `memory:`.
    Memory,
    /// A SQLite database: `sqlite:` and a path.
    Sqlite(PathBuf),
}

/// Why a text does not say where a store is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the URL of a store: {reason}")]
pub struct StoreUrlError {
    text: String,
    reason: String,
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        let bad = |reason: &str| StoreUrlError { text: text.to_owned(), reason: reason.to_owned() };
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("memory", _)) => Err(bad("write \"memory:\" alone, nothing follows it")),
            Some(("sqlite", "")) => {
                Err(bad("the path is missing; write for instance \"sqlite:clockbox.db\""))
            }
            Some(("sqlite", ":memory:")) => Err(bad("write \"memory:\" for a store in memory")),
            // With slashes, programs disagree on whether the path is relative.
            Some(("sqlite", path)) if path.starts_with("//") => {
                let path = path.trim_start_matches('/');
                Err(bad(&format!(
                    "write \"sqlite:{path}\" (beside the manifest) or \"sqlite:/{path}\" (from the root)"
                )))
            }
            Some(("sqlite", path)) if path.contains('\0') => Err(bad("a path has no NUL in it")),
            Some(("sqlite", path)) => Ok(Self::Sqlite(PathBuf::from(path))),
            _ => Err(bad(
                "the kinds of stores are sqlite:, memory:; write for instance \"sqlite:clockbox.db\"",
            )),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

/// Opens the store that `url` names; a relative path starts at `base`, the folder of the manifest.
///
/// # Errors
/// [`StoreError::Open`] when the URL is not understood, those of [`SqliteStore::open`], and [`StoreError::Missing`] when a
/// store in memory is
/// to be opened for reading only.
///
/// ```
/// use clockbox_store::{Access, open};
/// let opened_at = "2030-01-01T00:00:00Z".parse().unwrap();
/// let store = open("memory:", ".".as_ref(), Access::ReadWrite { opened_at })?;
/// assert!(store.load()?.jobs.is_empty());
/// # Ok::<(), clockbox_store::StoreError>(())
/// ```
pub fn open(url: &str, base: &Path, access: Access) -> Result<Arc<dyn JobStore>, StoreError> {
    match (parse(url)?, access) {
        (StoreUrl::Memory, Access::ReadWrite { .. }) => Ok(Arc::new(MemoryStore::new())),
        (StoreUrl::Memory, Access::ReadOnly) => Err(in_memory()),
        (StoreUrl::Sqlite(path), access) => Ok(Arc::new(SqliteStore::open(&base.join(path), access)?)),
    }
}

/// Looks over the store that `url` names: the file's integrity, every row, what belongs together; counts what is in it.
/// It may take long for a large store, and works beside a running host.
///
/// # Errors
/// [`StoreError`] when the store cannot be looked at: there is none, it may not be read, it is another program's or of
/// another version. Damage is no error but part of the answer.
///
/// ```
/// use clockbox_store::{Access, check, open};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let opened_at = "2030-01-01T00:00:00Z".parse()?;
/// let store = open("sqlite:clockbox.db", folder, Access::ReadWrite { opened_at })?;
/// let found = check("sqlite:clockbox.db", folder)?;
/// assert_eq!((found.problems.len(), found.contents.unwrap().runs), (0, 0));
/// assert!(found.host.unwrap().contains("since 2030-01-01"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check(url: &str, base: &Path) -> Result<StoreCheck, StoreError> {
    match parse(url)? {
        StoreUrl::Memory => Err(in_memory()),
        StoreUrl::Sqlite(path) => sqlite::check::check(&base.join(path)),
    }
}

/// Writes a copy of the store that `url` names to the new file `to`, beside a running host or without one; returns the
/// copy's size in bytes. The copy is one moment of the store, and a store itself: put in its place, a host goes on from
/// there.
///
/// # Errors
/// [`StoreError`] when there is no such store, it is damaged, or `to` exists already or cannot be written.
pub fn backup(url: &str, base: &Path, to: &Path) -> Result<u64, StoreError> {
    match parse(url)? {
        StoreUrl::Memory => Err(in_memory()),
        StoreUrl::Sqlite(path) => sqlite::backup::backup(&base.join(path), to),
    }
}

/// Makes one write to the store that `url` names in a transaction of its own, beside a running host or without one: for
/// changes by hand that a host does not keep in mind, such as [`Write::State`].
///
/// # Errors
/// [`StoreError`] when there is no such store, or it cannot be written.
pub fn edit(url: &str, base: &Path, write: &Write) -> Result<Result<(), Refusal>, StoreError> {
    match parse(url)? {
        StoreUrl::Memory => Err(in_memory()),
        StoreUrl::Sqlite(path) => sqlite::edit::edit(&base.join(path), write),
    }
}

/// The host that has the store open, in words such as `pid 7, on box, since 2030-01-01T00:00:00Z`; `None` when none has,
/// or when that cannot be told.
#[must_use]
pub fn host(url: &str, base: &Path) -> Option<String> {
    match url.parse() {
        Ok(StoreUrl::Sqlite(path)) => sqlite::lock::holder(&std::fs::canonicalize(base.join(path)).ok()?),
        _ => None,
    }
}

fn parse(url: &str) -> Result<StoreUrl, StoreError> {
    url.parse().map_err(|e: StoreUrlError| StoreError::Open(e.to_string()))
}

fn in_memory() -> StoreError {
    StoreError::Missing(
        "the store is memory: and ends with its host: ask the running host, or name a store such as \
         sqlite:clockbox.db to keep history"
            .to_owned(),
    )
}
