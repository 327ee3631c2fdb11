//! From a granted origin to a connection: resolved once, checked, and connected to what was checked.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
};

use clockbox_core::model::HttpGrant;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use wasmtime_wasi_http::Error;

use super::{address::reserved, client::Client, tls};
use crate::log::Journal;

/// A connection, with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where a request goes, and the grants that cover it.
pub(super) struct Target {
    pub(super) tls: bool,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) grants: Vec<HttpGrant>,
}

impl Target {
    /// The origin as it would be written in `allow.http`.
    pub(super) fn origin(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let scheme = if self.tls { "https" } else { "http" };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => format!("{scheme}://{host}"),
            (_, port) => format!("{scheme}://{host}:{port}"),
        }
    }

    /// Whether a private address is meant to be reached.
    fn opens(&self, address: IpAddr) -> bool {
        self.grants.iter().any(|grant| grant.private || grant.origin.names_address(address))
    }

    /// Of the addresses that the host resolves to, those that may be reached; or why the last one may not.
    fn reachable(
        &self,
        all: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Option<&'static str>> {
        let mut why = None;
        let open: Vec<_> = all
            .filter(|address| match reserved(address.ip()) {
                Some(reason) if !self.opens(address.ip()) => {
                    why = Some(reason);
                    false
                }
                _ => true,
            })
            .collect();
        if open.is_empty() { Err(why) } else { Ok(open) }
    }
}

/// Connects to the first reachable address that answers.
pub(super) async fn connect(
    target: &Target,
    client: &Client,
    journal: &Journal,
) -> Result<Box<dyn Stream>, Error> {
    let found = client.resolver.resolve(&target.host, target.port).await.map_err(|e| {
        journal.remark(format!("{} cannot be resolved: {e}", target.host));
        Error::DnsError { rcode: Some(e.to_string()), info_code: None }
    })?;
    let open = target.reachable(found.into_iter()).map_err(|why| match why {
        None => Error::DestinationNotFound,
        Some(why) => {
            journal.refuse(format!(
                "HTTP request to {} refused: the host resolves to {why}, which only an allow.http entry that names the \
                 address itself (or localhost), or has private = true, opens",
                target.origin()
            ));
            Error::DestinationIpProhibited
        }
    })?;
    let stream = first(&open).await.map_err(|e| {
        journal.remark(format!("{} cannot be connected to: {e}", target.origin()));
        connect_error(&e)
    })?;
    // A request is written in one go; waiting for more would only delay it. A socket that refuses still works.
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY cannot be set: {e}");
    }
    if !target.tls {
        return Ok(Box::new(stream));
    }
    let config = client.tls().map_err(|e| {
        journal.remark(format!("TLS cannot be set up: {e}"));
        Error::TlsProtocolError
    })?;
    let stream = tls::handshake(config, &target.host, stream).await.map_err(|e| {
        match tls::distrust(&e) {
            Some(why) => journal.refuse(format!(
                "HTTP request to {} refused: its certificate is not trusted ({why}); if it is meant, put the certificate of \
                 its authority into the file that the plugin's http.ca_file names",
                target.origin()
            )),
            None => journal.remark(format!("TLS with {} failed: {e}", target.origin())),
        }
        tls::error(&e)
    })?;
    Ok(Box::new(stream))
}

async fn first(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn connect_error(e: &io::Error) -> Error {
    match e.kind() {
        ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        ErrorKind::TimedOut => Error::ConnectionTimeout,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Error::ConnectionTerminated,
        _ => Error::DestinationUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, origins: &[&str]) -> Target {
        let grants = origins.iter().map(|origin| HttpGrant::to(origin.parse().unwrap())).collect();
        Target { tls: true, host: host.to_owned(), port: 443, grants }
    }

    fn addresses(all: &[&str]) -> impl Iterator<Item = SocketAddr> {
        all.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 443)).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn a_name_that_resolves_inwards_is_refused() {
        let target = target("rebind.example", &["https://rebind.example"]);
        assert_eq!(target.reachable(addresses(&["10.0.0.7"])), Err(Some("a private address")));
        let mixed = target.reachable(addresses(&["127.0.0.1", "8.8.8.8", "::1"])).unwrap();
        assert_eq!(mixed, addresses(&["8.8.8.8"]).collect::<Vec<_>>());
        assert_eq!(target.reachable(addresses(&[])), Err(None));
    }

    #[test]
    fn an_address_that_is_named_is_reached() {
        let named = target("10.0.0.7", &["https://10.0.0.7"]);
        assert!(named.reachable(addresses(&["10.0.0.7"])).is_ok());
        assert!(named.reachable(addresses(&["10.0.0.8"])).is_err());
        let local = target("localhost", &["https://localhost"]);
        assert_eq!(local.reachable(addresses(&["::1", "127.0.0.1"])).unwrap().len(), 2);
    }

    #[test]
    fn leave_for_private_addresses_opens_them() {
        let mut inner = target("inner.example", &["https://inner.example"]);
        inner.grants[0].private = true;
        assert!(inner.reachable(addresses(&["10.0.0.7"])).is_ok());
    }

    #[test]
    fn an_origin_prints_as_it_would_be_granted() {
        assert_eq!(target("a.example", &[]).origin(), "https://a.example");
        assert_eq!(Target { port: 8443, ..target("::1", &[]) }.origin(), "https://[::1]:8443");
    }
}
