//! TCP connections: to what is granted, and to nothing else.

use std::net::SocketAddr;

use clockbox_core::model::{LogStream, Outcome, PluginSpec, Report, Rights};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::support::{run, sandbox, spec};

const GUEST: &[u8] = include_bytes!("../../../../tests/guests/connect.wat");

/// A server for one connection, and what it was told over that.
async fn server() -> (SocketAddr, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let told = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut told = vec![0; 4];
        stream.read_exact(&mut told).await.unwrap();
        stream.write_all(b"pong").await.unwrap();
        told
    });
    (address, told)
}

/// Lets the guest connect under these grants; how that ended, and the host's remarks.
async fn connect(to: &str, granted: &[String]) -> (Report, Vec<String>) {
    let tcp = granted.iter().map(|endpoint| endpoint.parse().unwrap()).collect();
    let rights = Rights { tcp, ..Rights::default() };
    let plugin = sandbox().load(GUEST, &PluginSpec { rights, ..spec("connect") }).unwrap();
    let (report, sink) = run(&plugin, &format!("[{to:?}]")).await;
    (report, sink.texts(LogStream::Host))
}

#[tokio::test]
async fn a_granted_address_is_connected_to_and_bytes_go_both_ways() {
    for grant in ["127.0.0.1", "127.0.0.0/8", "localhost"] {
        let (address, told) = server().await;
        let (report, remarks) = connect(&address.to_string(), &[format!("{grant}:{}", address.port())]).await;
        assert_eq!(
            (report.outcome, remarks.len()),
            (Outcome::Succeeded, 0),
            "{grant}: {report:?} {remarks:?}"
        );
        assert_eq!(told.await.unwrap(), b"ping");
    }
}

#[tokio::test]
async fn another_port_and_another_address_are_refused_and_the_reason_says_what_to_grant() {
    let (address, told) = server().await;
    let port = address.port();
    let elsewhere =
        [format!("127.0.0.1:{}", port ^ 1), format!("127.0.0.2:{port}"), "db.invalid:5432".to_owned()];
    let (report, remarks) = connect(&address.to_string(), &elsewhere).await;
    let reason = report.reason.unwrap();
    assert_eq!(report.outcome, Outcome::Failed, "{reason}");
    assert!(reason.starts_with("exit code 1; during the run: TCP connection to"), "{reason}");
    assert!(reason.ends_with(&remarks[0]) && remarks[0].contains(&format!("add \"{address}\"")), "{reason}");
    // Nobody knocked.
    assert!(!told.is_finished());
    told.abort();
}

#[tokio::test]
async fn without_the_right_there_is_no_socket_and_the_reason_names_the_right() {
    let (report, remarks) = connect("127.0.0.1:80", &[]).await;
    let reason = report.reason.unwrap();
    assert_eq!(report.outcome, Outcome::Failed, "{reason}");
    assert!(reason.contains("the right allow.tcp is not granted"), "{reason}");
    assert_eq!(remarks.len(), 1);
}
