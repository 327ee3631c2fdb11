//! When to look again: told by the file system, and every so often in any case.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::ModifyKind};

use super::fingerprint::matters;
use crate::clock::Stopwatch;

/// Looks happen at least so often: network file systems and exhausted watches tell nothing.
const RESTAT: Duration = Duration::from_secs(2);

/// What makes a reloader look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Something in a watched folder changed, or it is time.
    Look,
    /// Somebody asked for a reload, whether or not anything seems changed.
    Demand,
    /// The reloader is to end.
    Stop,
}

/// Watches folders, and wakes at intervals.
pub(crate) struct Watch {
    sender: mpsc::Sender<Wake>,
    wakes: mpsc::Receiver<Wake>,
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    /// What was heard during a pause: somebody asked for a reload, or something changed.
    is_demanded: bool,
    is_touched: bool,
}

impl Watch {
    pub(crate) fn new(enabled: bool) -> Self {
        let (sender, wakes) = mpsc::channel();
        let tell = sender.clone();
        let heard = move |event: notify::Result<notify::Event>| {
            // A closed channel means that the reloader has ended.
            if event.is_ok_and(|event| is_reason(&event)) {
                _ = tell.send(Wake::Look);
            }
        };
        let watcher = enabled.then(|| notify::recommended_watcher(heard)).and_then(|watcher| {
            watcher
                .inspect_err(|error| {
                    tracing::warn!(
                        "folders cannot be watched, they are looked at every 2 s instead: {error}"
                    );
                })
                .ok()
        });
        Self { sender, wakes, watcher, folders: BTreeSet::new(), is_demanded: false, is_touched: false }
    }

    /// The way to wake it.
    pub(crate) fn waker(&self) -> mpsc::Sender<Wake> {
        self.sender.clone()
    }

    /// Watches these folders and no others.
    pub(crate) fn set(&mut self, folders: BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.folders.difference(&folders) {
            // It may be gone from the disk as well, and its watch with it.
            drop(watcher.unwatch(gone));
        }
        for folder in folders.difference(&self.folders) {
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                tracing::debug!("{} is looked at every 2 s only: {error}", folder.display());
            }
        }
        self.folders = folders;
    }

    /// Waits for a reason to look.
    pub(crate) fn next(&mut self, enabled: bool) -> Wake {
        if std::mem::take(&mut self.is_demanded) {
            return Wake::Demand;
        }
        if std::mem::take(&mut self.is_touched) && enabled {
            return Wake::Look;
        }
        if !enabled {
            return self.wakes.recv().unwrap_or(Wake::Stop);
        }
        match self.wakes.recv_timeout(RESTAT) {
            Ok(wake) => wake,
            Err(mpsc::RecvTimeoutError::Timeout) => Wake::Look,
            Err(mpsc::RecvTimeoutError::Disconnected) => Wake::Stop,
        }
    }

    /// Lets time pass, whatever is heard meanwhile, which [`next`](Self::next) tells afterwards: a folder may be written
    /// to all the time. False when the reloader is to end.
    pub(crate) fn pause(&mut self, span: Duration) -> bool {
        let watch = Stopwatch::start();
        while let Some(left) = span.checked_sub(watch.elapsed()) {
            match self.wakes.recv_timeout(left) {
                Ok(Wake::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return false,
                Ok(Wake::Demand) => self.is_demanded = true,
                Ok(Wake::Look) => self.is_touched = true,
                Err(mpsc::RecvTimeoutError::Timeout) => break,
            }
        }
        true
    }
}

/// Whether something may have changed that matters. Reading a file is no change of it; and a database that lies in the
/// folder is written to all the time. A manifest or plugin of an unusual name that is written to is found by the looks
/// at intervals.
fn is_reason(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(_) => false,
        EventKind::Modify(ModifyKind::Data(_)) => event.paths.iter().any(|path| matters(path)),
        _ => true,
    }
}

/// The folders that a file's changes show in: its own and, for a symbolic link, that of its target.
pub(crate) fn folders_of(file: &Path) -> Vec<PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut folders = vec![folder(file)];
    if file.is_symlink() {
        folders.extend(std::fs::canonicalize(file).ok().map(|target| folder(&target)));
    }
    folders
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use notify::event::{AccessKind, CreateKind, DataChange, RenameMode};

    use super::*;

    #[test]
    fn a_folder_that_is_written_to_all_the_time_does_not_prolong_a_pause() {
        let mut watch = Watch::new(false);
        let (waker, is_over) = (watch.waker(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    waker.send(Wake::Look).unwrap();
                }
            });
            assert!(watch.pause(Duration::from_millis(20)));
            is_over.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn what_is_heard_during_a_pause_is_not_forgotten_and_an_end_ends_it() {
        let mut watch = Watch::new(false);
        let waker = watch.waker();
        for wake in [Wake::Look, Wake::Demand, Wake::Look] {
            waker.send(wake).unwrap();
        }
        assert!(watch.pause(Duration::from_millis(20)));
        waker.send(Wake::Stop).unwrap();
        assert_eq!([watch.next(true), watch.next(true)], [Wake::Demand, Wake::Look]);
        assert!(!watch.pause(Duration::from_secs(3600)));
    }

    #[test]
    fn only_writing_to_files_of_no_account_is_no_reason_to_look() {
        let event = |kind, name: &str| Event::new(kind).add_path(Path::new("/srv").join(name));
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let is_reason = |kind, name| is_reason(&event(kind, name));
        assert!(is_reason(written, "clockbox.toml") && is_reason(written, "x.wasm"));
        assert!(!is_reason(written, "clockbox.db-wal"));
        assert!(!is_reason(EventKind::Access(AccessKind::Any), "clockbox.toml"));
        // What a link is pointed at by deployments need not be named like what is found there.
        assert!(is_reason(EventKind::Modify(ModifyKind::Name(RenameMode::To)), "current"));
        assert!(is_reason(EventKind::Create(CreateKind::Any), "current"));
    }
}
