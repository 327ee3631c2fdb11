//! What an examination of a store finds.

use std::{fmt, path::PathBuf};

use clockbox_core::model::Timestamp;

/// What a store holds and what is wrong with it: see [`check`](crate::check()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreCheck {
    /// The database file, absolute and free of symbolic links.
    pub path: PathBuf,
    /// Bytes on the disk, the write-ahead log included.
    pub size: u64,
    /// The host that has the store open, in words; `None` when none has.
    pub host: Option<String>,
    /// What is in it; `None` when it is too damaged to be counted.
    pub contents: Option<StoreContents>,
    /// What is wrong, the worst first; empty for a store in good order.
    pub problems: Vec<StoreProblem>,
}

/// What a store holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreContents {
    /// Jobs.
    pub jobs: u64,
    /// Runs, missed and skipped fires included.
    pub runs: u64,
    /// Runs that wait, run or are to be tried again. With no host running, the next one takes them up.
    pub unfinished: u64,
    /// Attempts on record.
    pub attempts: u64,
    /// Entries of the state of jobs, expired ones included.
    pub state: u64,
    /// The scheduled time of the oldest run.
    pub oldest: Option<Timestamp>,
    /// The scheduled time of the newest run.
    pub newest: Option<Timestamp>,
}

/// Something that is wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreProblem {
    /// The file itself is damaged: what is lost cannot be told.
    Damaged(String),
    /// A row is not understood; it is left as it is, and whoever reads the others goes on without it.
    Unreadable(String),
    /// A row belongs to one that is not there.
    Dangling(String),
}

impl StoreProblem {
    /// What kind it is, in one word for programs: `damaged`, `unreadable`, `dangling`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged",
            Self::Unreadable(_) => "unreadable",
            Self::Dangling(_) => "dangling",
        }
    }
}

impl fmt::Display for StoreProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Damaged(what) | Self::Unreadable(what) | Self::Dangling(what)) = self;
        write!(f, "{}: {what}", self.kind())
    }
}
