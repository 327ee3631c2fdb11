//! How far the run has come.

use crate::backend;

/// Reports `done` of `total` (where it is known), with a note. Reports that come too fast are merged by the host:
/// the latest counts, so a loop may report every step.
///
/// ```
/// use clockbox_sdk::{progress, testing};
///
/// progress::report(3, 10, "copying");
/// progress::report(4, None, None::<&str>);
/// assert_eq!(testing::latest_progress().unwrap().done, 4);
/// ```
pub fn report<'a>(done: u64, total: impl Into<Option<u64>>, note: impl Into<Option<&'a str>>) {
    backend::progress(done, total.into(), note.into());
}
