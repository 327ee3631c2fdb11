//! Where clockbox remembers: the [`JobStore`] trait, its implementations [`MemoryStore`] and [`SqliteStore`], and the
//! [`Writer`] that gathers what is to be written into few commits.

mod check;
mod memory;
mod micros;
mod query;
mod sqlite;
mod store;
mod url;
mod writer;

pub use check::{StoreCheck, StoreContents, StoreProblem};
pub use memory::MemoryStore;
pub use query::{JobFilter, LogPart, LogPlace, RunDetail, RunFilter};
pub use sqlite::{Access, SqliteStore};
pub use store::{JobStore, Snapshot, StoreError};
pub use url::{StoreUrl, StoreUrlError, backup, check, edit, host, open};
pub use writer::{CloseError, CommitFigures, NotWritten, Trouble, Writer, WriterOptions};
