//! TLS with the certificate authorities that browsers trust, and those that the operator adds.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::SendError;

/// What to trust. A file is read each time: certificates are renewed while a host runs.
pub(super) fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, SendError> {
    static USUAL: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let Some(file) = ca_file else {
        if let Some(usual) = USUAL.get() {
            return Ok(Arc::clone(usual));
        }
        let usual = trusting(roots)?;
        return Ok(Arc::clone(USUAL.get_or_init(|| usual)));
    };
    let bad = |why: String| SendError::Certificates { file: file.to_owned(), why };
    let text = fs::read(file).map_err(|error| bad(error.to_string()))?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| bad(format!("one is damaged: {error}")))?;
        roots.add(certificate).map_err(|error| bad(format!("one is refused: {error}")))?;
    }
    if roots.len() == before {
        return Err(bad("there is none in PEM form".to_owned()));
    }
    trusting(roots)
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, SendError> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| SendError::Tls(io::Error::other(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Negotiates TLS with `host`, which the certificate must be for.
pub(super) async fn handshake(
    config: Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}
