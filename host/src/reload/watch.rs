//! When to look again: told by the file system, and every so often in any case.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// Looks happen at least so often: network file systems and exhausted watches tell nothing.
const RESTAT: Duration = Duration::from_secs(2);

/// What makes a reloader look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    /// Something in a watched folder changed, or it is time.
    Look,
    /// Somebody asked for a reload, whether or not anything seems changed.
    Demand,
    /// The reloader is to end.
    Stop,
}

/// Watches folders, and wakes at intervals.
pub(super) struct Watch {
    sender: mpsc::Sender<Wake>,
    wakes: mpsc::Receiver<Wake>,
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
}

impl Watch {
    pub(super) fn new(enabled: bool) -> Self {
        let (sender, wakes) = mpsc::channel();
        let tell = sender.clone();
        let heard = move |event: notify::Result<notify::Event>| {
            // Reading a file is no change of it. A closed channel means that the reloader has ended.
            if event.is_ok_and(|event| !event.kind.is_access()) {
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
        Self { sender, wakes, watcher, folders: BTreeSet::new() }
    }

    /// The way to wake it.
    pub(super) fn waker(&self) -> mpsc::Sender<Wake> {
        self.sender.clone()
    }

    /// Watches these folders and no others.
    pub(super) fn set(&mut self, folders: BTreeSet<PathBuf>) {
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
    pub(super) fn next(&self, enabled: bool) -> Wake {
        if !enabled {
            return self.wakes.recv().unwrap_or(Wake::Stop);
        }
        match self.wakes.recv_timeout(RESTAT) {
            Ok(wake) => wake,
            Err(mpsc::RecvTimeoutError::Timeout) => Wake::Look,
            Err(mpsc::RecvTimeoutError::Disconnected) => Wake::Stop,
        }
    }

    /// Waits until nothing has been heard for `quiet`; false when the reloader is to end.
    pub(super) fn settle(&self, quiet: Duration) -> bool {
        loop {
            match self.wakes.recv_timeout(quiet) {
                Ok(Wake::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return false,
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Timeout) => return true,
            }
        }
    }
}

/// The folders that a file's changes show in: its own and, for a symbolic link, that of its target.
pub(super) fn folders_of(file: &Path) -> Vec<PathBuf> {
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
