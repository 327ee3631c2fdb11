//! TLS with the certificate authorities that browsers trust, and those that the operator adds.

use std::{io, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use wasmtime_wasi_http::Error;

/// The certificate authorities that browsers trust.
pub(super) fn public_roots() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

/// Adds the certificates of a PEM text, and answers how many there were.
///
/// # Errors
/// When one of them is damaged.
pub(super) fn add_pem(roots: &mut RootCertStore, text: &[u8]) -> Result<usize, String> {
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(text) {
        let certificate = certificate.map_err(|e| format!("a certificate is damaged: {e}"))?;
        roots.add(certificate).map_err(|e| format!("a certificate cannot be used: {e}"))?;
        added += 1;
    }
    Ok(added)
}

/// Negotiates TLS for `host`, which the certificate must be for.
pub(super) async fn handshake(
    config: Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

pub(super) fn config(roots: RootCertStore) -> io::Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Why the certificate is not trusted, where the handshake failed for that.
pub(super) fn distrust(e: &io::Error) -> Option<String> {
    match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => Some(why.to_string()),
        _ => None,
    }
}

/// What a failed handshake is to the guest.
pub(super) fn error(e: &io::Error) -> Error {
    match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
        Some(rustls::Error::AlertReceived(alert)) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}

#[cfg(test)]
mod tests {
    use rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// A server for one connection that says "hi", with a certificate for `name`; and the roots that trust it.
    async fn server(name: &str) -> (std::net::SocketAddr, RootCertStore) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that refuses the certificate ends the handshake.
            if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
                stream.write_all(b"hi").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        (address, roots)
    }

    #[tokio::test]
    async fn a_trusted_certificate_for_the_host_is_accepted() {
        let (address, roots) = server("a.example").await;
        let stream = TcpStream::connect(address).await.unwrap();
        let mut stream = handshake(config(roots).unwrap(), "a.example", stream).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "hi");
    }

    #[tokio::test]
    async fn a_certificate_for_another_host_is_refused() {
        let (address, roots) = server("a.example").await;
        let stream = TcpStream::connect(address).await.unwrap();
        let e = handshake(config(roots).unwrap(), "b.example", stream).await.unwrap_err();
        assert!(matches!(error(&e), Error::TlsCertificateError), "{e}");
    }

    #[tokio::test]
    async fn a_certificate_of_nobody_is_refused() {
        let (address, _) = server("a.example").await;
        let stream = TcpStream::connect(address).await.unwrap();
        let e = handshake(config(public_roots()).unwrap(), "a.example", stream).await.unwrap_err();
        assert!(matches!(error(&e), Error::TlsCertificateError), "{e}");
    }
}
