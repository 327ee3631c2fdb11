//! The host's own HTTP client for the exporter.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};

use crate::outbound;

/// The longest answer that is read.
const LONGEST_ANSWER: usize = 1 << 20;

/// Sends the exporter's requests. Clones are the same client.
#[derive(Clone)]
pub(super) struct Client(Arc<Parts>);

struct Parts {
    timeout: Duration,
    /// Why the latest request failed: the exporter does not say so itself.
    why: Mutex<Option<String>>,
}

impl Client {
    pub(super) fn new(timeout: Duration) -> Self {
        Self(Arc::new(Parts { timeout, why: Mutex::default() }))
    }

    /// Why the latest request failed, where it did.
    pub(super) fn why(&self) -> Option<String> {
        self.0.why.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn send(self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = async {
            let answer = outbound::send(request, None).await?;
            let head = answer.head.clone();
            Ok(Response::from_parts(head, answer.body(LONGEST_ANSWER).await?))
        };
        let answer = match tokio::time::timeout(self.0.timeout, sent).await {
            Ok(answer) => answer.map_err(|error: outbound::SendError| error.to_string()),
            Err(_) => Err(format!("no answer within {} ms", self.0.timeout.as_millis())),
        };
        answer.map_err(|why| {
            *self.0.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
            why.into()
        })
    }
}

impl HttpClient for Client {
    fn send_bytes<'a, 'f>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(self.clone().send(request))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}
