//! Where clockbox remembers: the [`JobStore`] trait and its implementations.

mod query;
mod store;

pub use query::{RunDetail, RunFilter};
pub use store::{JobStore, Snapshot, StoreError};
