//! OpenTelemetry: each run becomes a span, with its attempts as children, and is exported by OTLP over HTTP.
//!
//! A thread of its own listens to the scheduler's events, as any program can, and reads the records of runs that ended from
//! the store; nothing waits for it. Spans wait in a bounded queue for a collector. Where the environment does not ask for an
//! export there is neither thread nor cost.

mod client;
mod export;
mod queue;
mod record;
mod settings;
mod watch;

use std::{sync::mpsc, time::Duration};

use opentelemetry::{InstrumentationScope, trace::TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::sync::oneshot;

use crate::scheduler::{Scheduler, Subscription};
use export::Export;
use queue::{Collect, Queue};
use watch::Watch;

pub use settings::{Settings, SettingsError};

/// How long the end waits for a thread beyond its patience: it may hang in the resolver of names.
const END_SLACK: Duration = Duration::from_millis(500);

/// Why no spans can be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TracesError {
    /// The exporter does not understand its settings.
    #[error("the exporter: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// A thread could not be started.
    #[error("a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// The export of run spans. It goes on until [`stop`](Self::stop), or until this is dropped.
#[derive(Debug)]
pub struct Traces {
    stop: Option<oneshot::Sender<Duration>>,
    ended: mpsc::Receiver<()>,
}

impl Traces {
    /// Exports the spans of runs that end from here on.
    ///
    /// ```
    /// use clockbox::{Scheduler, traces::{Settings, Traces}};
    ///
    /// let scheduler = Scheduler::builder().start()?;
    /// let settings = Settings::from_env(&|name| std::env::var(name).ok())?;
    /// let traces = settings.map(|settings| Traces::start(&scheduler, &settings)).transpose()?;
    /// scheduler.shutdown(std::time::Duration::ZERO).wait()?;
    /// if let Some(traces) = traces {
    ///     traces.stop(std::time::Duration::from_secs(2));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the settings are not understood, or there is no thread left for it.
    pub fn start(scheduler: &Scheduler, settings: &Settings) -> Result<Self, TracesError> {
        Self::start_with(scheduler, scheduler.subscribe(), settings)
    }

    /// The same with a subscription that is older, so that what ends at the very start is exported too:
    /// [`Builder::subscribe`](crate::Builder::subscribe).
    ///
    /// # Errors
    /// When the settings are not understood, or there is no thread left for it.
    pub fn start_with(
        scheduler: &Scheduler,
        events: Subscription,
        settings: &Settings,
    ) -> Result<Self, TracesError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(2)
            .thread_name("clockbox-traces-io")
            .build()?;
        let queue = Queue::new(settings.queue);
        let resource = settings::resource();
        let export = Export::new(settings, &resource, queue.clone())?;
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Collect::new(queue))
            .with_resource(resource)
            .build();
        let scope = InstrumentationScope::builder("clockbox").with_version(env!("CARGO_PKG_VERSION")).build();
        let watch = Watch::new(scheduler.clone(), events, provider.tracer_with_scope(scope));
        let (stop, asked) = oneshot::channel();
        let (end, ended) = mpsc::channel();
        std::thread::Builder::new().name("clockbox-traces".into()).spawn(move || {
            runtime.block_on(watch.run(export, asked));
            // Whoever waits for the resolver of names is not waited for.
            runtime.shutdown_background();
            drop(provider);
            drop(end);
        })?;
        Ok(Self { stop: Some(stop), ended })
    }

    /// Ends it. What has ended so far is exported within `patience`; what could not be is counted in the log.
    pub fn stop(mut self, patience: Duration) {
        if let Some(stop) = self.stop.take() {
            // An error means that the thread has ended.
            _ = stop.send(patience);
        }
        // Nothing is ever sent: the thread drops its end.
        _ = self.ended.recv_timeout(patience + END_SLACK);
    }
}
