//! TLS towards a host that has a proxy in front of it.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Trusts the certificate authorities of this system, those that browsers trust, and those of a PEM file.
pub(super) fn config(ca: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let of_system = rustls_native_certs::load_native_certs();
    for error in &of_system.errors {
        tracing::debug!("certificate authorities of the system: {error}");
    }
    // A system may have some that cannot be used; they vouch for nobody.
    roots.add_parsable_certificates(of_system.certs);
    if let Some(ca) = ca {
        let failed = |why: &dyn std::fmt::Display| format!("--ca {}: {why}", ca.display());
        let text = std::fs::read(ca).map_err(|error| failed(&error))?;
        let mut added = 0;
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate =
                certificate.map_err(|error| failed(&format!("a certificate is damaged: {error}")))?;
            let added_one = roots.add(certificate);
            added_one.map_err(|error| failed(&format!("a certificate cannot be used: {error}")))?;
            added += 1;
        }
        if added == 0 {
            return Err(failed(&"holds no certificate; it is to be a PEM file"));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be spoken: {error}"))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Negotiates TLS with the host of an address, which the certificate must be for.
pub(super) async fn handshake(
    config: Arc<ClientConfig>,
    authority: &str,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

/// Why the certificate is not trusted, where the handshake failed for that.
pub(super) fn distrust(error: &io::Error) -> Option<String> {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => Some(why.to_string()),
        _ => None,
    }
}
