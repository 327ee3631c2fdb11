//! A run as JSON: what the control API shows of it.

use clockbox_core::model::{Attempt, LogLine, Run};
use serde_json::{Value, json};

use crate::control::view::{LogView, RunDetailView, RunView};

/// The run as a JSON object.
pub(crate) fn run(run: &Run) -> Value {
    json!(RunView::new(run))
}

/// The run with its attempts and its log.
pub(crate) fn detail(record: &Run, attempts: &[Attempt], logs: &[(u32, LogLine)]) -> Value {
    let mut value = json!(RunDetailView::new(record, attempts));
    value["logs"] = logs.iter().map(|line| json!(LogView::new(line))).collect();
    value
}
