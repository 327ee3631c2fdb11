//! Outgoing HTTP: what is granted arrives, and what is not never leaves.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use clockbox_core::model::{HttpGrant, LogStream, Outcome, PluginSpec, Rights};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use wit_parser::Resolve;

use crate::support::{component, run, sandbox, spec};

/// Numbers of `error-code`.
const IP_PROHIBITED: &str = "E04";
const REFUSED: &str = "E06";
const TERMINATED_OR_PROTOCOL: [&str; 2] = ["E07", "E35"];
const DENIED: &str = "E15";

fn guest() -> &'static [u8] {
    static GUEST: OnceLock<Vec<u8>> = OnceLock::new();
    GUEST.get_or_init(|| {
        let mut resolve = Resolve::default();
        resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
        let package = resolve.push_str("web.wit", include_str!("guests/web.wit")).unwrap();
        let world = resolve.select_world(&[package], Some("web")).unwrap();
        component(include_str!("guests/web.wat"), &resolve, world)
    })
}

/// A server on this machine that answers each connection with `answer` and counts them.
async fn server(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    tokio::spawn({
        let count = count.clone();
        async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut chunk = [0; 1024];
                    match stream.read(&mut chunk).await.unwrap() {
                        0 => break,
                        size => request.extend_from_slice(&chunk[..size]),
                    }
                }
                let request = String::from_utf8(request).unwrap();
                assert!(request.starts_with("GET /hello HTTP/1.1\r\n"), "{request}");
                assert!(request.to_lowercase().contains("host: "), "{request}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (address, count)
}

const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

/// Lets the guest ask `authority`, under these grants; its answer and the host's remarks.
async fn ask(authority: &str, http: &[String]) -> (String, Vec<String>) {
    let rights = Rights {
        http: http.iter().map(|origin| HttpGrant::to(origin.parse().unwrap())).collect(),
        ..Rights::default()
    };
    let plugin = sandbox().load(guest(), &PluginSpec { rights, ..spec("web") }).unwrap();
    let (report, sink) = run(&plugin, &format!("{authority:?}")).await;
    assert_eq!(report.outcome, Outcome::Succeeded, "{report:?}");
    (report.output.unwrap(), sink.texts(LogStream::Host))
}

#[tokio::test]
async fn a_granted_address_is_reached() {
    let (address, count) = server(HELLO).await;
    let (answer, remarks) = ask(&address.to_string(), &[format!("http://{address}")]).await;
    assert_eq!((answer.as_str(), remarks.len()), ("hello", 0));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_granted_localhost_is_reached_by_that_name() {
    let (address, _) = server(HELLO).await;
    let local = format!("localhost:{}", address.port());
    assert_eq!(ask(&local, &[format!("http://{local}")]).await.0, "hello");
}

#[tokio::test]
async fn another_origin_than_the_granted_one_is_denied_and_the_log_says_what_to_grant() {
    let (address, count) = server(HELLO).await;
    let authority = address.to_string();
    for granted in
        [format!("https://{address}"), "http://127.0.0.1:1".to_owned(), "http://a.example".to_owned()]
    {
        let (answer, remarks) = ask(&authority, &[granted]).await;
        assert_eq!(answer, DENIED);
        assert_eq!(remarks.len(), 1);
        assert!(remarks[0].contains(&format!("add \"http://{address}\"")), "{remarks:?}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_granted_name_that_leads_to_a_private_address_is_refused() {
    let (address, count) = server(HELLO).await;
    // No address as Rust reads them, and yet every resolver turns it into 127.0.0.1 without asking anybody.
    let name = format!("127.1:{}", address.port());
    let (answer, remarks) = ask(&name, &[format!("http://{name}")]).await;
    assert_eq!(answer, IP_PROHIBITED);
    assert!(remarks[0].contains("loopback"), "{remarks:?}");
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_the_guests_error_to_handle() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (answer, remarks) = ask(&address.to_string(), &[format!("http://{address}")]).await;
    assert_eq!(answer, REFUSED);
    assert_eq!(remarks.len(), 1);
}

#[tokio::test]
async fn a_server_that_hangs_up_is_the_guests_error_to_handle() {
    let (address, _) = server("").await;
    let (answer, _) = ask(&address.to_string(), &[format!("http://{address}")]).await;
    assert!(TERMINATED_OR_PROTOCOL.contains(&answer.as_str()), "{answer}");
}

#[tokio::test]
async fn without_any_grant_the_guest_does_not_load() {
    let refusal = sandbox().load(guest(), &spec("web")).unwrap_err();
    assert!(refusal.to_string().contains("allow.http"), "{refusal}");
}
