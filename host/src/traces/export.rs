//! From the queue to the collector: one export at a time, tried again for as long as it takes.

use std::time::Duration;

use http::Uri;
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SpanData, SpanExporter as _},
};
use tokio::sync::watch;

use super::{TracesError, client::Client, queue::Queue, settings::Settings};

/// Exports what is in a queue.
pub(super) struct Export {
    exporter: SpanExporter,
    client: Client,
    queue: Queue,
    delay: Duration,
    batch: usize,
    /// Scheme, host and port: what else the URL says may be a secret.
    origin: String,
    /// Spans that a collector did not take yet.
    pending: Vec<SpanData>,
    is_failing: bool,
}

impl Export {
    pub(super) fn new(settings: &Settings, resource: &Resource, queue: Queue) -> Result<Self, TracesError> {
        let client = Client::new(settings.timeout);
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&settings.endpoint)
            .with_timeout(settings.timeout)
            // What fails is tried again with the next export; the library would hold its thread meanwhile.
            .with_retry_policy(RetryPolicy::disabled())
            .with_http_client(client.clone())
            .build()?;
        exporter.set_resource(resource);
        let uri: Option<Uri> = settings.endpoint.parse().ok();
        let origin =
            uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?.as_str())));
        Ok(Self {
            exporter,
            client,
            queue,
            delay: settings.delay,
            batch: settings.batch,
            origin: origin.unwrap_or_else(|| "the collector".to_owned()),
            pending: Vec::new(),
            is_failing: false,
        })
    }

    /// Exports what comes, until `closing` says so; then what is there, unless an export fails.
    pub(super) async fn run(&mut self, mut closing: watch::Receiver<bool>) {
        loop {
            let wait = async {
                if self.pending.is_empty() && self.queue.len() == 0 {
                    self.queue.news().await;
                }
                // Spans gather for a while; those of a collector that is away wait as long.
                tokio::time::sleep(self.delay).await;
            };
            tokio::select! {
                () = wait => {}
                // An error means that the other end is gone.
                _ = closing.wait_for(|closing| *closing) => break,
            }
            while self.export().await && self.queue.len() >= self.batch {}
        }
        while self.left() > 0 && self.export().await {}
    }

    /// Spans that were not exported.
    pub(super) fn left(&self) -> usize {
        self.queue.len() + self.pending.len()
    }

    pub(super) fn tell_dropped(&self) {
        let dropped = self.queue.dropped();
        if dropped > 0 {
            tracing::warn!("run spans were dropped, as too many wait for {}: {dropped}", self.origin);
        }
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Exports a batch, and answers whether it was taken.
    async fn export(&mut self) -> bool {
        if self.pending.is_empty() {
            self.pending = self.queue.take(self.batch);
        }
        if self.pending.is_empty() {
            return true;
        }
        let exported = self.exporter.export(self.pending.clone()).await;
        let why = self.client.why();
        self.tell_dropped();
        match exported {
            Ok(()) => {
                self.pending.clear();
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!("run spans are exported to {} again", self.origin);
                }
                true
            }
            Err(error) => {
                let why = why.unwrap_or_else(|| error.to_string());
                if !std::mem::replace(&mut self.is_failing, true) {
                    tracing::warn!(
                        "run spans cannot be exported to {}: {why}; they wait, as far as there is room",
                        self.origin
                    );
                } else {
                    tracing::debug!("run spans still cannot be exported to {}: {why}", self.origin);
                }
                false
            }
        }
    }
}
