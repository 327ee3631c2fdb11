//! Decides on each request of a guest, and sends what is granted.

use std::{sync::Arc, time::Duration};

use clockbox_core::model::{Origin, PluginSpec};
use http::{Method, Request, Response, Uri, uri::Scheme};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use wasmtime_wasi::runtime::spawn;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, io::TokioIo};

use super::{
    body::Paced,
    connect::{Target, connect},
};
use crate::log::Journal;

/// How long to wait where the guest does not say.
const CONNECT: Duration = Duration::from_secs(10);
const FIRST_BYTE: Duration = Duration::from_secs(30);
const BETWEEN_BYTES: Duration = Duration::from_secs(30);
/// The most connections of one run at one time.
const MOST_CONNECTIONS: usize = 64;

/// The HTTP of one run.
pub(crate) struct Gate {
    spec: Arc<PluginSpec>,
    journal: Journal,
    /// Made with the first request.
    connections: Option<Arc<Semaphore>>,
}

type Sending = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Sending), Error>;

impl Gate {
    pub(crate) fn new(spec: Arc<PluginSpec>, journal: Journal) -> Self {
        Self { spec, journal, connections: None }
    }

    /// Where a request may go, or why it may not.
    fn admit(&mut self, request: &Request<WasiBody>) -> Result<(Target, OwnedSemaphorePermit), Error> {
        let target = target(request.uri())?;
        if request.method() == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let origins: Vec<Origin> = self
            .spec
            .rights
            .http
            .iter()
            .filter(|origin| origin.covers(target.0, &target.1, target.2))
            .cloned()
            .collect();
        let target = Target { tls: target.0, host: target.1, port: target.2, origins };
        if target.origins.is_empty() {
            let origin = target.origin();
            self.journal.remark(format!(
                "HTTP request to {origin} refused: not granted; add \"{origin}\" to the plugin's allow.http to grant it"
            ));
            return Err(Error::HttpRequestDenied);
        }
        let connections = self.connections.get_or_insert_with(|| Arc::new(Semaphore::new(MOST_CONNECTIONS)));
        let permit = connections.clone().try_acquire_owned().map_err(|_| {
            self.journal
                .remark(format!("HTTP request refused: {MOST_CONNECTIONS} are under way at one time"));
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
        let journal = self.journal.clone();
        Box::new(async move {
            let (target, permit) = admitted?;
            send(target, request, options.unwrap_or_default(), journal, permit).await
        })
    }
}

async fn send(
    target: Target,
    mut request: Request<WasiBody>,
    options: RequestOptions,
    journal: Journal,
    permit: OwnedSemaphorePermit,
) -> Sent {
    let within = options.connect_timeout.unwrap_or(CONNECT);
    let stream =
        timeout(within, connect(&target, &journal)).await.map_err(|_| Error::ConnectionTimeout)??;
    let (mut sender, connection) = timeout(within, http1::handshake(TokioIo::new(stream)))
        .await
        .map_err(|_| Error::ConnectionTimeout)??;
    // Aborted when it is dropped, with the response or with the run.
    let connection = spawn(async move {
        let _permit = permit;
        connection.await
    });
    // The host is in its header; what is left for the request line is the path.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    let response = timeout(options.first_byte_timeout.unwrap_or(FIRST_BYTE), sender.send_request(request))
        .await
        .map_err(|_| Error::ConnectionReadTimeout)??;
    let pause = options.between_bytes_timeout.unwrap_or(BETWEEN_BYTES);
    let response = response.map(|body| Paced::new(body, pause).boxed_unsync());
    let sending: Sending = Box::new(async move { connection.await.map_err(Error::from) });
    Ok((response, sending))
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
