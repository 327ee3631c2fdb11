//! Hears which runs end, and records them.

use std::time::Duration;

use clockbox_core::model::{Event, RunId};
use clockbox_store::{RunDetail, StoreError};
use opentelemetry_sdk::trace::SdkTracer;
use tokio::sync::{oneshot, watch};

use super::{export::Export, record::record};
use crate::scheduler::{Happening, Scheduler, Subscription};

pub(super) struct Watch {
    scheduler: Scheduler,
    events: Subscription,
    tracer: SdkTracer,
}

impl Watch {
    pub(super) fn new(scheduler: Scheduler, events: Subscription, tracer: SdkTracer) -> Self {
        Self { scheduler, events, tracer }
    }

    /// Goes on until it is told to stop, or nobody is left who could.
    pub(super) async fn run(mut self, mut export: Export, mut stop: oneshot::Receiver<Duration>) {
        let (closing, closed) = watch::channel(false);
        let mut is_ended = false;
        let patience = {
            let mut exporting = std::pin::pin!(export.run(closed));
            let patience = loop {
                tokio::select! {
                    biased;
                    patience = &mut stop => break patience,
                    heard = self.events.next(), if !is_ended => match heard {
                        Some(heard) => self.hear(heard),
                        None => is_ended = true,
                    },
                    // It ends when it is told to, which is below.
                    () = &mut exporting => return,
                }
            };
            let Ok(patience) = patience else { return };
            while let Some(heard) = self.events.try_next() {
                self.hear(heard);
            }
            closing.send_replace(true);
            tokio::time::timeout(patience, exporting).await
        };
        export.tell_dropped();
        let left = export.left();
        if left > 0 {
            let why = if patience.is_err() { "in time" } else { "any more" };
            tracing::warn!("run spans could not be exported to {} {why}: {left}", export.origin());
        }
    }

    fn hear(&self, heard: Result<Happening, u64>) {
        match heard {
            Ok(Happening { event: Event::RunFinished { run, .. }, .. }) => {
                if let Err(error) = self.record(run) {
                    tracing::warn!("run {run} becomes no span: {error}");
                }
            }
            Ok(_) => {}
            Err(lost) => {
                tracing::warn!("events were too many for the export of run spans, and are lost to it: {lost}")
            }
        }
    }

    fn record(&self, run: RunId) -> Result<(), StoreError> {
        let store = self.scheduler.store();
        // It may be pruned by now.
        let Some(RunDetail { run, attempts }) = store.run(run)? else { return Ok(()) };
        let log = store.logs(run.id, None)?;
        record(&self.tracer, &run, &attempts, &log);
        Ok(())
    }
}
