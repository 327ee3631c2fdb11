//! One host for each database: a lock held by the operating system for as long as the process lives.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use clockbox_core::model::Timestamp;

use crate::StoreError;

/// How often a lock that is taken is tried again, and after which pause: whoever asks whether a host runs holds it for a
/// moment.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// The lock of a database, `<database>.lock` beside it. Let go when dropped, or by the operating system when the
/// process ends in whatever way; the file stays, as deleting it would let two hosts lock two files of that name.
#[derive(Debug)]
pub(super) struct HostLock {
    file: File,
    path: PathBuf,
}

impl HostLock {
    /// Takes the lock and leaves word of who holds it.
    pub(super) fn take(database: &Path, opened_at: Timestamp) -> Result<Self, StoreError> {
        let path = beside(database);
        let cannot = |doing: &str, error: &io::Error| {
            let remedy = match error.kind() {
                io::ErrorKind::StorageFull => "make room on its file system",
                io::ErrorKind::ReadOnlyFilesystem => "let the file system be written",
                _ => "let this user write in that folder",
            };
            StoreError::Open(format!(
                "cannot {doing} {}: {error}: {remedy}, or name another place for the store",
                path.display()
            ))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| cannot("create", &e))?;
        let mut tries = 1;
        let taken = loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) if tries < TRIES => thread::sleep(PAUSE),
                taken => break taken,
            }
            tries += 1;
        };
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let database = database.display();
                let holder = word(&path);
                return Err(StoreError::Open(format!(
                    "{database} is in use by another host ({holder}): end that one, or name another store for this one"
                )));
            }
            Err(TryLockError::Error(e)) => return Err(cannot("lock", &e)),
        }
        let host = hostname::get().unwrap_or_else(|_| OsString::from("unknown"));
        let word = format!(
            "pid {}\non {}\nsince {}\n(clockbox holds this file locked while it runs: do not delete it)\n",
            std::process::id(),
            host.display(),
            opened_at.format("%Y-%m-%dT%H:%M:%SZ")
        );
        file.set_len(0).and_then(|()| file.write_all(word.as_bytes())).map_err(|e| cannot("write", &e))?;
        Ok(Self { file, path })
    }

    /// The lock's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for HostLock {
    fn drop(&mut self) {
        // A process that this one is just starting has the file open until it runs its own program; closing would leave
        // the lock with it. If this fails, the operating system lets go of it in any case.
        _ = self.file.unlock();
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

/// The host that holds a database, in words; `None` when none does, or when that cannot be told.
pub(crate) fn holder(database: &Path) -> Option<String> {
    let path = beside(database);
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        // It is let go of at once, with the file.
        Ok(()) | Err(TryLockError::Error(_)) => None,
        Err(TryLockError::WouldBlock) => Some(word(&path)),
    }
}

/// Who holds the lock, in words: "pid 7, on box, since 2030-01-01T00:00:00Z".
fn word(path: &Path) -> String {
    // Where the lock also keeps others from reading (Windows), the refusal still says what to do.
    let word = fs::read_to_string(path).unwrap_or_default();
    let word: Vec<&str> = word.lines().filter(|line| !line.is_empty() && !line.starts_with('(')).collect();
    if word.is_empty() { "which left no word of itself".to_owned() } else { word.join(", ") }
}
