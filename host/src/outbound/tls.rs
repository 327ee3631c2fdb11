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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
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
    use crate::outbound;

    /// A server that answers 204 to whoever trusts its certificate for `localhost`; its port and that certificate.
    async fn server() -> (u16, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let (listener, acceptor) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), TlsAcceptor::from(Arc::new(config)));
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that refuses the certificate ends the handshake.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                stream.read_u8().await.unwrap();
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        (port, made.cert.pem())
    }

    async fn get(port: u16, ca_file: Option<&Path>) -> Result<u16, String> {
        let request = Request::get(format!("https://localhost:{port}/")).body(Bytes::new()).unwrap();
        let answer = outbound::send(request, ca_file).await;
        answer.map(|answer| answer.head.status.as_u16()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_certificate_of_the_operators_is_trusted_and_one_of_nobody_is_not() {
        let (port, certificate) = server().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs::write(&file, certificate).unwrap();
        assert_eq!(get(port, Some(&file)).await, Ok(204));
        let refused = get(port, None).await.unwrap_err();
        assert!(refused.starts_with("TLS failed: invalid peer certificate"), "{refused}");
    }

    #[tokio::test]
    async fn a_file_without_a_certificate_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let told = |file: &Path| config(Some(file)).unwrap_err().to_string();
        assert!(told(&file).contains("ca.pem cannot be used: No such file"), "{}", told(&file));
        fs::write(&file, "nothing").unwrap();
        assert!(told(&file).ends_with("there is none in PEM form"), "{}", told(&file));
    }
}
