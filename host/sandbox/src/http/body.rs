//! A response body within its limits of time and size, which gives its connection back at its end.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use clockbox_core::model::format_size;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};
use wasmtime_wasi_http::Error;

use super::client::{Client, Connection, Peer};
use crate::log::Journal;

/// What a response may take.
pub(super) struct Bounds {
    /// The longest pause between two parts.
    pub(super) pause: Duration,
    /// Ends when it must be over.
    pub(super) total: Pin<Box<Sleep>>,
    /// The most bytes.
    pub(super) size: u64,
}

/// The connection that a response comes over, with the run's leave to have it.
pub(super) struct Lease {
    pub(super) client: Arc<Client>,
    pub(super) peer: Peer,
    pub(super) connection: Connection,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// A body that fails when it pauses for too long, takes too long in all, or is too large.
pub(super) struct Bounded {
    body: Incoming,
    bounds: Bounds,
    read: u64,
    journal: Journal,
    /// Given back at the end of the body; dropped, the connection ends.
    lease: Option<Lease>,
    /// Runs while a part is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Bounded {
    /// # Errors
    /// When the response says beforehand that it is too large.
    pub(super) fn new(body: Incoming, bounds: Bounds, journal: Journal, lease: Lease) -> Result<Self, Error> {
        let told = body.size_hint().lower();
        let mut bounded = Self { body, bounds, read: 0, journal, lease: Some(lease), timer: None };
        if told > bounded.bounds.size {
            return Err(bounded.too_large());
        }
        if bounded.body.is_end_stream() {
            bounded.give_back();
        }
        Ok(bounded)
    }

    fn too_large(&mut self) -> Error {
        self.lease = None;
        self.journal.refuse(format!(
            "an HTTP response is larger than the {} that are allowed (raise limits.response)",
            format_size(self.bounds.size)
        ));
        Error::HttpResponseBodySize(Some(self.bounds.size))
    }

    fn give_back(&mut self) {
        if let Some(Lease { client, peer, connection, .. }) = self.lease.take() {
            client.put(peer, connection);
        }
    }
}

impl Body for Bounded {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.timer = None;
            return Poll::Ready(match frame {
                Some(Ok(frame)) => {
                    this.read += frame.data_ref().map_or(0, |data| data.len() as u64);
                    if this.read > this.bounds.size {
                        Some(Err(this.too_large()))
                    } else {
                        if this.body.is_end_stream() {
                            this.give_back();
                        }
                        Some(Ok(frame))
                    }
                }
                Some(Err(e)) => {
                    this.lease = None;
                    Some(Err(Error::from(e)))
                }
                None => {
                    this.give_back();
                    None
                }
            });
        }
        let pause = this.bounds.pause;
        let is_over = this.bounds.total.as_mut().poll(cx).is_ready();
        if !is_over {
            ready!(this.timer.get_or_insert_with(|| Box::pin(sleep(pause))).as_mut().poll(cx));
        }
        this.timer = None;
        this.lease = None;
        if is_over {
            this.journal.refuse(
                "an HTTP response took too long in all (raise the plugin's http.total_timeout)".to_owned(),
            );
        }
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
