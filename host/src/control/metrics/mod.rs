//! Metrics, as Prometheus reads them.
//!
//! What happens is counted by a task that listens to the scheduler's events, as any listener does: a scheduler without a
//! control API pays nothing for it. How things stand is asked when somebody reads.

mod names;
mod page;
mod process;
mod reading;
mod recorder;
mod series;
mod sheet;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::{encoding::prometheus_text, registry::Registry};
use tokio::sync::watch;

use self::{
    page::Page,
    reading::{Reading, Standing},
    recorder::{Heard, Recorder},
};
use super::{app::App, problem::Problem};
use crate::{
    clock::monotonic_time,
    scheduler::{Scheduler, Subscription},
};

/// What the page is called.
pub(super) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;
/// Events that are taken in together.
const AT_ONCE: usize = 256;
/// How long a reader waits for what has happened to be counted, before it gets what there is.
const PATIENCE: Duration = Duration::from_secs(2);

/// The metrics of a scheduler.
#[derive(Debug)]
pub(super) struct Metrics {
    recorder: Arc<Mutex<Recorder>>,
    /// The number of the latest event that is counted.
    counted: watch::Sender<u64>,
}

impl Metrics {
    /// Of a scheduler of which at most so many jobs have series of their own.
    pub(super) fn new(most_jobs: u32) -> Self {
        let most = usize::try_from(most_jobs).unwrap_or(usize::MAX);
        Self { recorder: Arc::new(Mutex::new(Recorder::new(most))), counted: watch::channel(0).0 }
    }

    /// Counts what happens, until the scheduler has stopped.
    pub(super) async fn count(&self, scheduler: &Scheduler, mut events: Subscription) {
        scheduler.writer().measure(monotonic_time);
        let most = self.recorder().most();
        // An error means that the scheduler has stopped already; what is left to hear is counted all the same.
        let first = scheduler.ask(move |timetable| names::first(timetable, most)).await.unwrap_or_default();
        self.recorder().name_all(first);
        self.counted.send_replace(events.heard());
        while let Some(heard) = events.next().await {
            let mut batch = vec![heard];
            while batch.len() < AT_ONCE
                && let Some(heard) = events.try_next()
            {
                batch.push(heard);
            }
            self.take_in(scheduler, batch).await;
            self.counted.send_replace(events.heard());
        }
    }

    async fn take_in(&self, scheduler: &Scheduler, batch: Vec<Heard>) {
        let news = self.recorder().asks_about(&batch);
        let lasting = match news.is_empty() {
            true => Default::default(),
            false => {
                scheduler.ask(move |timetable| names::lasting(timetable, news)).await.unwrap_or_default()
            }
        };
        let has_lost = batch.iter().any(Result::is_err);
        self.recorder().take_in(batch, &lasting);
        if has_lost {
            // The end of a job may be among what was lost.
            let named = self.recorder().named();
            let gone = scheduler.ask(move |timetable| names::gone(timetable, named)).await;
            let gone = gone.unwrap_or_default();
            self.recorder().drop_all(&gone);
        }
    }

    /// The whole of it as text, with all that has happened until now.
    ///
    /// # Errors
    /// When the scheduler has stopped.
    pub(super) async fn page(&self, app: &App) -> Result<String, Problem> {
        let latest = app.scheduler.latest_event();
        let mut counted = self.counted.subscribe();
        // Where that takes too long, the page says by how much it is behind.
        _ = tokio::time::timeout(PATIENCE, counted.wait_for(|counted| *counted >= latest)).await;
        let behind = latest.saturating_sub(*self.counted.borrow());
        let standing = self.ask(&app.scheduler).await?;
        let (recorder, app) = (Arc::clone(&self.recorder), app.clone());
        let write = move || {
            let reading = Reading::new(&app, standing, behind);
            let mut registry = Registry::default();
            registry.register_collector(Box::new(Page { recorder, reading }));
            let mut text = String::new();
            prometheus_text::encode(&mut text, &registry).map(|()| text)
        };
        // It reads folders as well, which may take its time.
        let written = tokio::task::spawn_blocking(write).await.map_err(|error| error.to_string());
        let text = written.and_then(|text| text.map_err(|error| error.to_string()));
        text.map_err(|error| Problem::broken(format!("the metrics could not be written: {error}")))
    }

    async fn ask(&self, scheduler: &Scheduler) -> Result<Standing, Problem> {
        let now = scheduler.clock().now();
        let (named, counts_jobs) = {
            let mut recorder = self.recorder();
            (recorder.named(), recorder.wants_count_of_jobs(now))
        };
        let standing = scheduler.ask(move |timetable| Standing::of(timetable, named, counts_jobs)).await?;
        if let Some(jobs) = &standing.jobs {
            self.recorder().jobs_were_counted(jobs.clone(), now);
        }
        Ok(standing)
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
