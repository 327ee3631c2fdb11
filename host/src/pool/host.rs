//! What a guest may look at: the state that its job has stored, and jobs.

use std::sync::Arc;

use clockbox_core::{
    model::{JobId, JobState, PluginName},
    timetable::Timetable,
};
use clockbox_sandbox::{JobView, Pending};
use clockbox_store::JobStore;

use crate::{
    clock::Clock,
    scheduler::{Inbox, Message, Reply},
};

/// The state that a job has stored.
pub(super) fn state(store: &Arc<dyn JobStore>, job: JobId, clock: &Clock) -> Pending<JobState> {
    let (store, now) = (Arc::clone(store), clock.now());
    let read = move || store.state(&job, now).map_err(|error| error.to_string());
    Box::pin(async move {
        // Reading may wait for a disk.
        let read = tokio::task::spawn_blocking(read).await;
        read.unwrap_or_else(|error| Err(format!("the state could not be read: {error}")))
    })
}

/// What the timetable knows of a job.
pub(super) fn job(inbox: &Inbox, name: JobId, plugin: PluginName) -> Pending<JobView> {
    ask(inbox, move |timetable| {
        let pools = timetable.pools().cloned().collect();
        JobView { record: timetable.job(&name).cloned(), added: timetable.added_by(&plugin), pools }
    })
}

/// The names of the jobs of these plugins.
pub(super) fn jobs(inbox: &Inbox, plugins: Vec<PluginName>) -> Pending<Vec<JobId>> {
    ask(inbox, move |timetable| {
        let theirs = timetable.jobs().filter(|record| plugins.contains(&record.job.plugin));
        theirs.map(|record| record.job.id.clone()).collect()
    })
}

fn ask<T: Send + 'static>(
    inbox: &Inbox,
    question: impl FnOnce(&Timetable) -> T + Send + 'static,
) -> Pending<T> {
    let (reply_to, reply) = Reply::channel();
    inbox.hand(Message::Ask(Box::new(move |timetable| reply_to.answer(Ok(question(timetable))))));
    Box::pin(async move { reply.await.map_err(|error| error.to_string()) })
}
