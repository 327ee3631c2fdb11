//! A connection to whom a request is for.

use std::{io, net::SocketAddr, path::Path};

use http::{HeaderValue, Uri, uri::Scheme};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};

use super::{SendError, tls};

/// A connection, with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Whom a request is for.
pub(super) struct Target {
    tls: bool,
    /// Without brackets.
    host: String,
    port: u16,
    pub(super) authority: HeaderValue,
    /// Path and query, as they stand in the request.
    pub(super) path: Uri,
}

impl Target {
    pub(super) fn of(uri: &Uri) -> Result<Self, SendError> {
        let bad = |what: &str| SendError::Address(format!("the URL {what}"));
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(bad("starts with neither http:// nor https://")),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        if authority.contains('@') {
            return Err(bad("has a user name"));
        }
        let authority = HeaderValue::from_str(authority).map_err(|_| bad("names no host"))?;
        let path = uri.path_and_query().cloned().map(Uri::from).unwrap_or_default();
        Ok(Self { tls, host, port, authority, path })
    }
}

/// Connects to the first address that answers.
pub(super) async fn open(target: &Target, ca_file: Option<&Path>) -> Result<Box<dyn Stream>, SendError> {
    let unknown = |error| SendError::Unknown { host: target.host.clone(), error };
    let addresses = lookup_host((target.host.as_str(), target.port)).await.map_err(unknown)?;
    let stream = first(addresses).await.map_err(SendError::Unreachable)?;
    // A request is written in one go; a socket that refuses still works.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY cannot be set: {error}");
    }
    if !target.tls {
        return Ok(Box::new(stream));
    }
    let config = tls::config(ca_file)?;
    Ok(Box::new(tls::handshake(config, &target.host, stream).await.map_err(SendError::Tls)?))
}

async fn first(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_whom_a_request_is_for() {
        let target = |text: &str| Target::of(&text.parse().unwrap());
        let told = target("https://a.example:8443/x?y=1").unwrap();
        assert_eq!((told.tls, told.host.as_str(), told.port), (true, "a.example", 8443));
        assert_eq!(
            (told.authority.to_str().unwrap(), told.path.to_string()),
            ("a.example:8443", "/x?y=1".into())
        );
        let local = target("http://[::1]").unwrap();
        assert_eq!((local.tls, local.host.as_str(), local.port), (false, "::1", 80));
        assert_eq!(local.path, "/");
        for bad in ["/x", "ftp://a.example/", "http://u@a.example/"] {
            assert!(matches!(target(bad), Err(SendError::Address(_))), "{bad}");
        }
    }
}
