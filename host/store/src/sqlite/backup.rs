//! A copy of a database, made while its host goes on.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use super::{check::check, connect, error};
use crate::StoreError;

/// Writes a copy of the database at `path` to the new file `to`, and returns its size in bytes.
///
/// The copy is one snapshot, is compact, and is looked over before it gets its name: what is called `to` is whole.
pub(crate) fn backup(path: &Path, to: &Path) -> Result<u64, StoreError> {
    let (path, readers) = connect::to_read(path)?;
    let cannot = |doing: &str, e: &io::Error| {
        let remedy = match e.kind() {
            io::ErrorKind::StorageFull => "make room on its file system, or name another place",
            _ => "name a place where this user may write",
        };
        StoreError::Open(format!("cannot {doing} {}: {e}: {remedy}", to.display()))
    };
    if fs::symlink_metadata(to).is_ok() {
        return Err(StoreError::Open(format!(
            "{} exists already: name a new file, or remove that one first",
            to.display()
        )));
    }
    let mut part = to.as_os_str().to_owned();
    part.push(format!(".part-{}", std::process::id()));
    let part = Path::new(&part);
    // SQLite would open whatever lies there; and what this user may not create is told in plain words.
    File::create_new(part).map_err(|e| cannot("create", &e))?;
    let copied = (|| {
        let connection = readers.take().map_err(|e| error::in_use(&path, "read", &e))?;
        connection
            .execute("VACUUM INTO ?1", [part.to_string_lossy()])
            .map_err(|e| error::in_use(&path, "copy", &e))?;
        let copy = check(part)?;
        if let Some(problem) = copy.problems.first() {
            return Err(StoreError::Broken(format!(
                "the copy of {} is not in good order, so it was not kept: {problem}: see `clockbox store check`",
                path.display()
            )));
        }
        File::open(part).and_then(|file| file.sync_all()).map_err(|e| cannot("write", &e))?;
        // Unlike a rename, a link never takes the place of a file that somebody made meanwhile.
        match fs::hard_link(part, to) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => fs::rename(part, to),
            linked => linked,
        }
        .map_err(|e| cannot("create", &e))?;
        Ok(copy.size)
    })();
    // It may be renamed away; and where it stays behind, its name says what it is.
    _ = fs::remove_file(part);
    copied
}
