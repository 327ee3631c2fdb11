//! A host behind a proxy that speaks TLS.

use std::{path::Path, process::Command, sync::Arc};

use clockbox::control::client::{Address, Client, ClientError};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::Host;

/// A proxy in front of a host; its certificate is its own authority.
struct Proxy {
    address: String,
    _runtime: tokio::runtime::Runtime,
}

impl Proxy {
    /// Writes its certificate into a file.
    fn start(to: std::net::SocketAddr, ca: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(ca, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that does not trust it hangs up.
                    let Ok(mut inside) = acceptor.accept(stream).await else { return };
                    let mut outside = TcpStream::connect(to).await.unwrap();
                    drop(tokio::io::copy_bidirectional(&mut inside, &mut outside).await);
                });
            }
        });
        Self { address, _runtime: runtime }
    }
}

fn behind_proxy() -> (Host, Proxy, tempfile::TempDir) {
    let host = Host::start_with(
        |settings| settings.listen = Some("127.0.0.1:0".parse().unwrap()),
        |_, _| clockbox::control::Hooks::default(),
    );
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(host.tcp_address(), &folder.path().join("ca.pem"));
    (host, proxy, folder)
}

#[test]
fn a_host_behind_a_proxy_is_asked_over_tls() {
    let (_host, proxy, folder) = behind_proxy();
    let address = Address::Tls(proxy.address.clone());
    let ca = folder.path().join("ca.pem");
    let mut client = Client::connect_trusting(address, None, Some(&ca)).unwrap();
    let status: serde_json::Value = client.get("/v1/status").unwrap();
    assert_eq!(status["jobs"], 0);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (_host, proxy, folder) = behind_proxy();
    let connect = |ca: Option<&Path>| {
        Client::connect_trusting(Address::Tls(proxy.address.clone()), None, ca).map(|_| ()).unwrap_err()
    };
    let error = connect(None);
    assert!(matches!(&error, ClientError::Untrusted { .. }), "{error}");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    assert!(connect(Some(&empty)).to_string().contains("holds no certificate"));
    // A certificate for another name.
    let other = Address::Tls(proxy.address.replace("localhost", "127.0.0.1"));
    let ca = folder.path().join("ca.pem");
    let error = Client::connect_trusting(other, None, Some(&ca)).map(|_| ()).unwrap_err();
    assert!(matches!(&error, ClientError::Untrusted { .. }), "{error}");
    // What does not speak TLS at all is no host either.
    let plain = Address::Tls(format!("localhost:{}", _host.tcp_address().port()));
    let error = Client::connect_trusting(plain, None, Some(&ca)).map(|_| ()).unwrap_err();
    assert!(matches!(&error, ClientError::Unreachable { .. }), "{error}");
}

#[test]
fn the_command_line_takes_https_and_says_what_to_do_about_a_stranger() {
    let (_host, proxy, folder) = behind_proxy();
    let status = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clockbox"));
        command.current_dir(folder.path()).args(["status", "--url", &format!("https://{}", proxy.address)]);
        let output = command.args(more).output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    };
    let (code, text) = status(&["--ca", "ca.pem"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("running"), "{text}");
    let (code, text) = status(&[]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("is not trusted") && text.contains("hint: give --ca"), "{text}");
    let (code, text) = status(&["--ca", "missing.pem"]);
    assert!(code == Some(2) && text.contains("--ca missing.pem: "), "{text}");
}
