//! The other end: what the command line asks a host with.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use super::{problem::Problem, tls};

/// Where a host is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// At a unix socket.
    Socket(PathBuf),
    /// At a host and port, over TCP.
    Tcp(String),
    /// The same, behind a proxy that speaks TLS.
    Tls(String),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Tcp(authority) => write!(f, "http://{authority}"),
            Self::Tls(authority) => write!(f, "https://{authority}"),
        }
    }
}

/// Why a host did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers there.
    #[error("no host answers at {address}: {error}")]
    Unreachable {
        /// Where.
        address: Address,
        /// Why.
        error: io::Error,
    },
    /// Whoever answers there cannot prove to be the host.
    #[error("the certificate of {address} is not trusted: {why}")]
    Untrusted {
        /// Where.
        address: Address,
        /// Why not.
        why: String,
    },
    /// The host says no.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The answer is not one of a host.
    #[error("{0}")]
    Broken(String),
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status: one of success.
    pub status: StatusCode,
    /// Its head.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// What its body says.
    ///
    /// # Errors
    /// When that is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ClientError::Broken(format!("the host's answer is not understood: {error}")))
    }
}

/// A connection to a host.
#[derive(Debug)]
pub struct Client {
    runtime: tokio::runtime::Runtime,
    address: Address,
    token: Option<HeaderValue>,
    tls: Option<Arc<ClientConfig>>,
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects to a host.
    ///
    /// # Errors
    /// When nobody answers there.
    pub fn connect(address: Address, token: Option<&str>) -> Result<Self, ClientError> {
        Self::connect_trusting(address, token, None)
    }

    /// The same; over TLS, the certificate authorities of a PEM file are trusted as well as those of this system and those
    /// that browsers trust.
    ///
    /// # Errors
    /// When nobody answers there, or somebody who is not trusted.
    pub fn connect_trusting(
        address: Address,
        token: Option<&str>,
        ca: Option<&Path>,
    ) -> Result<Self, ClientError> {
        let broken = |error: io::Error| ClientError::Broken(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
        let token = token
            .map(|token| HeaderValue::try_from(format!("Bearer {token}")))
            .transpose()
            .map_err(|_| ClientError::Broken("the token has characters that no token has".to_owned()))?;
        let tls = match &address {
            Address::Tls(_) => Some(tls::config(ca).map_err(ClientError::Broken)?),
            Address::Socket(_) | Address::Tcp(_) => None,
        };
        let sender = runtime.block_on(open(&address, tls.as_ref()))?;
        Ok(Self { runtime, address, token, tls, sender })
    }

    /// Where it is connected to.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Gets what is at a path.
    ///
    /// # Errors
    /// When the host says no, or is gone.
    pub fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, &[], None)?.json()
    }

    /// Sends a request with a JSON body.
    ///
    /// # Errors
    /// When the host says no, or is gone.
    pub fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, ClientError> {
        let body = body.map(|body| ("application/json", body.to_string().into()));
        self.call_with(method, path, headers, body)
    }

    /// Sends a request with a body of any kind: its media type and its bytes.
    ///
    /// # Errors
    /// When the host says no, or is gone.
    pub fn call_with(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<(&str, Bytes)>,
    ) -> Result<Answer, ClientError> {
        let response = self.send(method, path, headers, body)?;
        let (head, body) = response.into_parts();
        let body = self.runtime.block_on(body.collect()).map_err(gone)?.to_bytes();
        let answer = Answer { status: head.status, headers: head.headers, body };
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(match serde_json::from_slice(&answer.body) {
            Ok(problem) => ClientError::Refused(Box::new(problem)),
            Err(_) => ClientError::Broken(format!("the host answered {}", answer.status)),
        })
    }

    /// Gets what is at a path as it comes, part by part, until `each` says that it is enough or the host has no more.
    ///
    /// # Errors
    /// When the host says no, or is gone.
    pub fn follow(
        &mut self,
        path: &str,
        headers: &[(HeaderName, &str)],
        each: impl FnMut(&[u8]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), ClientError> {
        self.follow_begun(path, headers, || (), each)
    }

    /// The same; `begun` is called once the host has said yes: whatever happens from then on is heard.
    ///
    /// # Errors
    /// When the host says no, or is gone.
    pub fn follow_begun(
        &mut self,
        path: &str,
        headers: &[(HeaderName, &str)],
        begun: impl FnOnce(),
        mut each: impl FnMut(&[u8]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), ClientError> {
        let response = self.send(Method::GET, path, headers, None)?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let bytes = self.runtime.block_on(body.collect()).map_err(gone)?.to_bytes();
            return Err(match serde_json::from_slice(&bytes) {
                Ok(problem) => ClientError::Refused(Box::new(problem)),
                Err(_) => ClientError::Broken(format!("the host answered {status}")),
            });
        }
        begun();
        while let Some(frame) = self.runtime.block_on(body.frame()) {
            let frame = frame.map_err(gone)?;
            if frame.data_ref().is_some_and(|data| each(data).is_break()) {
                break;
            }
        }
        Ok(())
    }

    fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<(&str, Bytes)>,
    ) -> Result<hyper::Response<Incoming>, ClientError> {
        let host = match &self.address {
            Address::Socket(_) => "localhost",
            Address::Tcp(authority) | Address::Tls(authority) => authority,
        };
        let mut request = Request::builder().method(method).uri(path).header(HOST, host);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        if let Some((kind, _)) = &body {
            request = request.header(CONTENT_TYPE, *kind);
        }
        let body = body.map(|(_, body)| body).unwrap_or_default();
        let request = request
            .header(ACCEPT, "*/*")
            .body(Full::from(body))
            .map_err(|error| ClientError::Broken(format!("the request cannot be made: {error}")))?;
        if self.sender.is_closed() {
            self.sender = self.runtime.block_on(open(&self.address, self.tls.as_ref()))?;
        }
        self.runtime.block_on(async {
            self.sender.ready().await.map_err(gone)?;
            self.sender.send_request(request).await.map_err(gone)
        })
    }
}

async fn open(
    address: &Address,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<SendRequest<Full<Bytes>>, ClientError> {
    let unreachable = |error| ClientError::Unreachable { address: address.clone(), error };
    match address {
        #[cfg(unix)]
        Address::Socket(path) => {
            let stream = tokio::net::UnixStream::connect(path).await.map_err(unreachable)?;
            greet(TokioIo::new(stream)).await
        }
        #[cfg(not(unix))]
        Address::Socket(_) => Err(unreachable(io::Error::other("there are no unix sockets here"))),
        Address::Tcp(authority) | Address::Tls(authority) => {
            let stream = TcpStream::connect(authority).await.map_err(unreachable)?;
            drop(stream.set_nodelay(true));
            let Some(config) = tls else { return greet(TokioIo::new(stream)).await };
            match tls::handshake(Arc::clone(config), authority, stream).await {
                Ok(stream) => greet(TokioIo::new(stream)).await,
                Err(error) => Err(match tls::distrust(&error) {
                    Some(why) => ClientError::Untrusted { address: address.clone(), why },
                    None => unreachable(error),
                }),
            }
        }
    }
}

async fn greet<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, ClientError>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(stream).await.map_err(gone)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("the connection to the host ended: {error}");
        }
    });
    Ok(sender)
}

fn gone(error: hyper::Error) -> ClientError {
    ClientError::Broken(format!("the connection to the host broke: {error}"))
}
