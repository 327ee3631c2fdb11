//! Names that change their minds: what was checked is what is connected to.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use clockbox_core::model::{HttpGrant, HttpOptions, LogStream, PluginSpec, Rights};
use clockbox_sandbox::{Resolver, Sandbox, SandboxOptions};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    http::guest,
    support::{run, spec},
};

/// A resolver that gives one answer after the other, the last one for ever; and how often it was asked.
fn fickle(answers: &'static [&'static str]) -> (Sandbox, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let resolver = Resolver::new(move |name| {
        assert_eq!(name, "rebind.example");
        let at = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        async move { Ok(vec![answers[at].parse().unwrap()]) }
    });
    let options = SandboxOptions { max_instances: 1, resolver, ..Default::default() };
    (Sandbox::new(options).unwrap(), asked)
}

/// A server on an address of this machine that says its name; and how many connections it had.
async fn server(address: &str, says: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let connections = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            connections.fetch_add(1, Ordering::SeqCst);
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{says}", says.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, count)
}

fn granted(port: u16, private: bool) -> PluginSpec {
    let origin = format!("http://rebind.example:{port}").parse().unwrap();
    let rights = Rights { http: vec![HttpGrant { private, ..HttpGrant::to(origin) }], ..Rights::default() };
    // Where the first answer leads nobody answers, if anything leads there at all.
    let http =
        HttpOptions { connect_timeout: std::time::Duration::from_millis(200), ..HttpOptions::default() };
    PluginSpec { rights, http, ..spec("web") }
}

#[tokio::test]
async fn a_name_that_turns_inwards_after_the_check_leads_nowhere() {
    let (port, connections) = server("127.0.0.1:0", "inner").await;
    // Nobody has the first address: it lies outside of what is given out, and is not reserved either.
    let (sandbox, asked) = fickle(&["4000::1", "127.0.0.1"]);
    let plugin = sandbox.load(guest(), &granted(port, false)).unwrap();
    let args = format!("\"rebind.example:{port}\"");
    let (report, _) = run(&plugin, &args).await;
    // Checked and connected to: the resolver was asked once, so nothing else can have been.
    assert!(report.output.as_deref().unwrap().starts_with('E'), "{report:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let (report, sink) = run(&plugin, &args).await;
    assert_eq!(report.output.as_deref(), Some("E04"), "{report:?}");
    let remarks = sink.texts(LogStream::Host);
    assert!(remarks[0].contains("resolves to a loopback address"), "{remarks:?}");
    assert_eq!((asked.load(Ordering::SeqCst), connections.load(Ordering::SeqCst)), (2, 0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let (port, first) = server("127.0.0.1:0", "first").await;
    let (_, second) = server(&format!("127.0.0.2:{port}"), "second").await;
    let (sandbox, asked) = fickle(&["127.0.0.1", "127.0.0.2"]);
    let plugin = sandbox.load(guest(), &granted(port, true)).unwrap();
    let args = format!("\"rebind.example:{port}\"");
    assert_eq!(run(&plugin, &args).await.0.output.as_deref(), Some("first"));
    assert_eq!((asked.load(Ordering::SeqCst), first.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(second.load(Ordering::SeqCst), 0);
}
