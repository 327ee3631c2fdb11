//! HTTPS through a guest: the certificates that the operator names are trusted, and no others of that kind.

use std::{net::SocketAddr, path::Path, sync::Arc};

use clockbox_core::model::{HttpGrant, HttpOptions, LogStream, PluginSpec, Rights};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    http::guest,
    support::{run, sandbox, spec},
};

/// What the guest answers for `TLS-certificate-error`.
const CERTIFICATE: &str = "E13";

/// A server that answers over TLS as 127.0.0.1; and the certificate of the authority that vouches for it, as PEM text.
async fn server() -> (SocketAddr, String) {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust the certificate ends the handshake.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await.unwrap();
            stream.flush().await.unwrap();
        }
    });
    (address, pem)
}

async fn ask(address: SocketAddr, ca_file: Option<&Path>) -> (String, Vec<String>) {
    let origin = format!("https://{address}");
    let rights = Rights { http: vec![HttpGrant::to(origin.parse().unwrap())], ..Rights::default() };
    let http = HttpOptions { ca_file: ca_file.map(Path::to_owned), ..HttpOptions::default() };
    let plugin = sandbox().load(guest(), &PluginSpec { rights, http, ..spec("web") }).unwrap();
    let (report, sink) = run(&plugin, &format!("{origin:?}")).await;
    (report.output.unwrap(), sink.texts(LogStream::Host))
}

#[tokio::test]
async fn a_server_is_trusted_under_the_authority_in_the_ca_file_only() {
    let (address, pem) = server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    let (answer, remarks) = ask(address, Some(&file)).await;
    assert_eq!((answer.as_str(), remarks.len()), ("secret", 0), "{remarks:?}");

    let (other, _) = server().await;
    for (address, file) in [(address, None), (other, Some(&*file))] {
        let (answer, remarks) = ask(address, file).await;
        assert_eq!(answer, CERTIFICATE);
        assert!(
            remarks[0].contains("its certificate is not trusted") && remarks[0].contains("http.ca_file"),
            "{remarks:?}"
        );
    }
}
