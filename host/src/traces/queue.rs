//! The spans that wait for an export: never more than there is room for.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use tokio::sync::Notify;

/// Spans that wait. Clones are the same queue.
#[derive(Debug, Clone)]
pub(super) struct Queue(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    room: usize,
    spans: Mutex<VecDeque<SpanData>>,
    dropped: AtomicU64,
    news: Notify,
}

impl Queue {
    pub(super) fn new(room: usize) -> Self {
        let (spans, dropped, news) = (Mutex::default(), AtomicU64::new(0), Notify::new());
        Self(Arc::new(Parts { room, spans, dropped, news }))
    }

    /// Takes a span in, or drops it where there is no room.
    fn push(&self, span: SpanData) {
        let mut spans = self.lock();
        if spans.len() >= self.0.room {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        spans.push_back(span);
        drop(spans);
        self.0.news.notify_one();
    }

    /// Those that have waited longest.
    pub(super) fn take(&self, most: usize) -> Vec<SpanData> {
        let mut spans = self.lock();
        let most = most.min(spans.len());
        spans.drain(..most).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// How many were dropped since this was asked the last time.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.swap(0, Ordering::Relaxed)
    }

    /// Waits until a span comes, unless one has come since this ended the last time.
    pub(super) async fn news(&self) {
        self.0.news.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<SpanData>> {
        self.0.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts spans that ended into a queue.
#[derive(Debug)]
pub(super) struct Collect(Queue);

impl Collect {
    pub(super) fn new(queue: Queue) -> Self {
        Self(queue)
    }
}

impl SpanProcessor for Collect {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.0.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
