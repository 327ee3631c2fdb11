//! HTTP requests that the host itself sends, to webhooks and collectors: one connection each, no redirects, no proxy.

mod connection;
mod tls;

use std::{
    error::Error as _,
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

/// Who asks, as servers are told.
pub(crate) const USER_AGENT: &str = concat!("clockbox/", env!("CARGO_PKG_VERSION"));

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The address is none that a request can be sent to.
    #[error("{0}")]
    Address(String),
    /// The host has no address.
    #[error("{host} cannot be resolved: {error}")]
    Unknown { host: String, error: io::Error },
    /// Nobody listens there.
    #[error("it cannot be connected to: {0}")]
    Unreachable(io::Error),
    /// The file of certificates is no good.
    #[error("the certificates {} cannot be used: {why}", file.display())]
    Certificates { file: PathBuf, why: String },
    /// The connection cannot be made private.
    #[error("TLS failed: {0}")]
    Tls(io::Error),
    /// The connection broke before the answer was there.
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl From<hyper::Error> for SendError {
    fn from(error: hyper::Error) -> Self {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::Broken(format!("{error}{cause}"))
    }
}

/// An answer, of which the head has come.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    body: Incoming,
    /// Drives the connection for as long as this is kept.
    _connection: JoinSet<()>,
}

impl Answer {
    /// Its body, unless that is longer than `most` bytes.
    pub(crate) async fn body(self, most: usize) -> Result<Bytes, SendError> {
        let body = Limited::new(self.body, most).collect().await;
        body.map(|body| body.to_bytes()).map_err(|error| SendError::Broken(error.to_string()))
    }

    /// What its body begins with, as far as it can be read.
    pub(crate) async fn beginning(mut self, most: usize) -> Vec<u8> {
        let mut read = Vec::new();
        while read.len() < most {
            let Some(Ok(frame)) = self.body.frame().await else { break };
            read.extend(frame.data_ref().into_iter().flatten().take(most - read.len()));
        }
        read
    }
}

/// Sends a request, whose URI is absolute, and waits for the head of the answer. Certificates in `ca_file` are trusted
/// beside those that browsers trust. Dropping the future gives it up.
pub(crate) async fn send(request: Request<Bytes>, ca_file: Option<&Path>) -> Result<Answer, SendError> {
    let (mut head, body) = request.into_parts();
    let target = connection::Target::of(&head.uri)?;
    let stream = connection::open(&target, ca_file).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a connection ended: {error}");
        }
    });
    head.uri = target.path;
    head.headers.insert(header::HOST, target.authority);
    head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    head.headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
    let response: Response<Incoming> =
        sender.send_request(Request::from_parts(head, Full::new(body))).await?;
    let (head, body) = response.into_parts();
    Ok(Answer { head, body, _connection: driver })
}
