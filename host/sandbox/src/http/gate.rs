//! Decides on each request of a guest, and sends what is granted.

use std::sync::Arc;

use clockbox_core::model::{HttpGrant, PluginSpec, format_size};
use http::{Method, Request, Response, Uri, uri::Scheme};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, io::TokioIo};

use super::{
    body::{Bounded, Bounds, Lease},
    client::{Client, Connection, Driver, Peer},
    connect::{Target, connect},
};
use crate::log::Journal;

/// The most of a request's body that waits to be sent: a guest can fill as many bodies as it has handles.
const BODY_CHUNK: usize = 64 << 10;
/// The most connections of one run at one time.
const MOST_CONNECTIONS: usize = 64;

/// The most that the head of a response may have: hyper's own defaults. Setting the number of fields would cost an allocation
/// for each response.
const MOST_FIELDS: usize = 100;
const LARGEST_HEAD: usize = 408 << 10;

/// The HTTP of one run.
pub(crate) struct Gate {
    spec: Arc<PluginSpec>,
    client: Arc<Client>,
    journal: Journal,
    /// Made with the first request.
    connections: Option<Arc<Semaphore>>,
}

type Sending = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Sending), Error>;

impl Gate {
    pub(crate) fn new(spec: Arc<PluginSpec>, client: Arc<Client>, journal: Journal) -> Self {
        Self { spec, client, journal, connections: None }
    }

    /// Where a request may go, or why it may not.
    fn admit(&mut self, request: &Request<WasiBody>) -> Result<(Target, OwnedSemaphorePermit), Error> {
        let target = target(request.uri())?;
        let method = request.method();
        if method == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let covering: Vec<&HttpGrant> = self
            .spec
            .rights
            .http
            .iter()
            .filter(|grant| grant.origin.covers(target.0, &target.1, target.2))
            .collect();
        let grants =
            covering.iter().filter(|grant| grant.takes(method.as_str())).map(|grant| (*grant).clone());
        let target = Target { tls: target.0, host: target.1, port: target.2, grants: grants.collect() };
        if target.grants.is_empty() {
            let origin = target.origin();
            self.journal.refuse(if covering.is_empty() {
                format!(
                    "HTTP request to {origin} refused: not granted; add \"{origin}\" to the plugin's allow.http to grant it"
                )
            } else {
                format!("HTTP {method} request to {origin} refused: add \"{method}\" to the methods granted there")
            });
            return Err(Error::HttpRequestDenied);
        }
        let connections = self.connections.get_or_insert_with(|| Arc::new(Semaphore::new(MOST_CONNECTIONS)));
        let permit = connections.clone().try_acquire_owned().map_err(|_| {
            self.journal.refuse(format!(
                "HTTP request refused: {MOST_CONNECTIONS} are under way at one time, and no key raises that; let some of them end \
                 first"
            ));
            Error::ConnectionLimitReached
        })?;
        Ok((target, permit))
    }
}

/// Whether TLS, the host without brackets, and the port.
fn target(uri: &Uri) -> Result<(bool, String, u16), Error> {
    let tls = uri.scheme() == Some(&Scheme::HTTPS);
    let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
    if authority.as_str().contains('@') {
        return Err(Error::HttpRequestUriInvalid);
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(Error::HttpRequestUriInvalid);
    }
    Ok((tls, host.to_owned(), authority.port_u16().unwrap_or(if tls { 443 } else { 80 })))
}

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Sending,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let admitted = self.admit(&request);
        let exchange = Exchange {
            client: self.client.clone(),
            options: options.unwrap_or_default(),
            most: self.spec.limits.response,
            journal: self.journal.clone(),
        };
        Box::new(async move {
            let (target, permit) = admitted?;
            exchange.send(target, request, permit).await
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK
    }
}

/// One request and its response.
struct Exchange {
    client: Arc<Client>,
    /// What the guest asks for.
    options: RequestOptions,
    /// The most bytes of the response's body.
    most: u64,
    journal: Journal,
}

impl Exchange {
    async fn send(
        self,
        target: Target,
        mut request: Request<WasiBody>,
        permit: OwnedSemaphorePermit,
    ) -> Sent {
        let ours = &self.client.options;
        let mut total = Box::pin(sleep(ours.total_timeout));
        let first_byte =
            self.options.first_byte_timeout.unwrap_or(ours.first_byte_timeout).min(ours.first_byte_timeout);
        let pause = self
            .options
            .between_bytes_timeout
            .unwrap_or(ours.first_byte_timeout)
            .min(ours.first_byte_timeout);
        // The host is in its header; what is left for the request line is the path.
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;

        let private = target.grants.iter().any(|grant| grant.private);
        let peer = Peer { tls: target.tls, host: target.host.clone(), port: target.port, private };
        let exchanged = async {
            // A connection that waited may have been closed meanwhile: then the request has not been sent.
            if let Some(mut connection) = self.client.take(&peer) {
                match timeout(first_byte, connection.sender.try_send_request(request)).await {
                    Ok(Ok(response)) => return Ok((response, connection)),
                    Ok(Err(mut e)) => match e.take_message() {
                        Some(unsent) => request = unsent,
                        None => return Err(self.failed(e.into_error())),
                    },
                    Err(_) => return Err(Error::ConnectionReadTimeout),
                }
            }
            let mut connection = self.open(&target).await?;
            let response = timeout(first_byte, connection.sender.send_request(request)).await;
            let response = response.map_err(|_| Error::ConnectionReadTimeout)?;
            Ok((response.map_err(|e| self.failed(e))?, connection))
        };
        let (response, connection) = tokio::select! {
            exchanged = exchanged => exchanged?,
            () = total.as_mut() => return Err(Error::ConnectionReadTimeout),
        };

        let bounds = Bounds { pause, total, size: self.most };
        let lease = Lease { client: self.client, peer, connection, _permit: permit };
        let (head, body) = response.into_parts();
        let body = Bounded::new(body, bounds, self.journal, lease)?;
        Ok((Response::from_parts(head, body.boxed_unsync()), Box::new(async { Ok(()) })))
    }

    /// What a response that cannot be understood is to the guest.
    fn failed(&self, e: hyper::Error) -> Error {
        if !e.is_parse_too_large() {
            return Error::from(e);
        }
        self.journal.refuse(format!(
            "the head of an HTTP response is larger than the host takes ({MOST_FIELDS} fields, {}, which no key raises)",
            format_size(LARGEST_HEAD as u64)
        ));
        Error::HttpResponseHeaderSectionSize(u32::try_from(LARGEST_HEAD).ok())
    }

    /// A new connection, with the task that drives it.
    async fn open(&self, target: &Target) -> Result<Connection, Error> {
        let ours = self.client.options.connect_timeout;
        let within = self.options.connect_timeout.unwrap_or(ours).min(ours);
        let opening = async {
            let stream = connect(target, &self.client, &self.journal).await?;
            Ok::<_, Error>(http1::handshake(TokioIo::new(stream)).await?)
        };
        let (sender, connection) = timeout(within, opening).await.map_err(|_| Error::ConnectionTimeout)??;
        let driver = tokio::spawn(async move {
            if let Err(e) = connection.await {
                // The request that it served has been told.
                tracing::debug!("an HTTP connection ended: {e}");
            }
        });
        Ok(Connection { sender, _driver: Driver(driver.abort_handle()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<(bool, String, u16), Error> {
        target(&uri.parse().unwrap())
    }

    #[test]
    fn ports_follow_the_scheme_and_brackets_go() {
        assert_eq!(parse("https://a.example/x").unwrap(), (true, "a.example".to_owned(), 443));
        assert_eq!(parse("http://[::1]:81/").unwrap(), (false, "::1".to_owned(), 81));
    }

    #[test]
    fn a_user_name_cannot_hide_the_host() {
        assert!(matches!(parse("https://granted.example@evil.example/"), Err(Error::HttpRequestUriInvalid)));
    }
}
