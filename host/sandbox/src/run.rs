//! run
use crate::{CancelToken, Plugin, RunRequest, RunSink};
use clockbox_core::model::{Outcome, Report};
use std::sync::Arc;
pub(crate) async fn run(_: &Plugin, _: RunRequest, _: Arc<dyn RunSink>, _: CancelToken) -> Report {
    Report::new(Outcome::HostError).because("not built yet")
}
