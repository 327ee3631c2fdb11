//! Outgoing HTTP: what is granted arrives, and what is not never leaves.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clockbox_core::model::{Allow, HttpGrant, HttpOptions, Limits, LogStream, Outcome, PluginSpec, Rights};
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

pub(crate) fn guest() -> &'static [u8] {
    static GUEST: OnceLock<Vec<u8>> = OnceLock::new();
    GUEST.get_or_init(|| web(include_str!("guests/web.wat")))
}

/// The component of such a module.
pub(crate) fn web(text: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
    let package = resolve.push_str("web.wit", include_str!("guests/web.wit")).unwrap();
    let world = resolve.select_world(&[package], Some("web")).unwrap();
    component(text, &resolve, world)
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

/// Answers every request of every connection with HELLO, and counts connections and requests.
async fn lasting_server() -> (SocketAddr, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (connections.clone(), requests.clone());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counts.0.fetch_add(1, Ordering::SeqCst);
            let requests = counts.1.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                let mut chunk = [0; 1024];
                while let Ok(size @ 1..) = stream.read(&mut chunk).await {
                    request.extend_from_slice(&chunk[..size]);
                    if request.ends_with(b"\r\n\r\n") {
                        request.clear();
                        requests.fetch_add(1, Ordering::SeqCst);
                        stream.write_all(HELLO.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    (address, connections, requests)
}

fn granting(grant: HttpGrant) -> PluginSpec {
    PluginSpec { rights: Rights { http: vec![grant], ..Rights::default() }, ..spec("web") }
}

#[tokio::test]
async fn the_runs_of_a_plugin_take_over_its_connections() {
    let (address, connections, requests) = lasting_server().await;
    let origin = format!("http://{address}").parse().unwrap();
    let plugin = sandbox().load(guest(), &granting(HttpGrant::to(origin))).unwrap();
    for _ in 0..5 {
        let (report, _) = run(&plugin, &format!("\"{address}\"")).await;
        assert_eq!(report.output.as_deref(), Some("hello"));
        // The task that drives the connection gets its turn.
        tokio::task::yield_now().await;
    }
    assert_eq!((requests.load(Ordering::SeqCst), connections.load(Ordering::SeqCst)), (5, 1));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_is_replaced() {
    // This one closes after each answer without saying so beforehand.
    let (address, count) = server(HELLO).await;
    let origin = format!("http://{address}").parse().unwrap();
    let plugin = sandbox().load(guest(), &granting(HttpGrant::to(origin))).unwrap();
    for _ in 0..3 {
        let (report, _) = run(&plugin, &format!("\"{address}\"")).await;
        assert_eq!(report.output.as_deref(), Some("hello"));
    }
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_method_that_is_not_granted_is_refused() {
    let (address, count) = server(HELLO).await;
    let grant = HttpGrant {
        methods: vec!["POST".to_owned()],
        ..HttpGrant::to(format!("http://{address}").parse().unwrap())
    };
    let plugin = sandbox().load(guest(), &granting(grant)).unwrap();
    let (report, sink) = run(&plugin, &format!("\"{address}\"")).await;
    assert_eq!(report.output.as_deref(), Some(DENIED));
    assert!(
        sink.texts(LogStream::Host)[0].contains("add \"GET\" to the methods"),
        "{:?}",
        sink.texts(LogStream::Host)
    );
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn leave_for_private_addresses_opens_a_name_that_leads_there() {
    let (address, _) = server(HELLO).await;
    let name = format!("127.1:{}", address.port());
    let grant = HttpGrant { private: true, ..HttpGrant::to(format!("http://{name}").parse().unwrap()) };
    let plugin = sandbox().load(guest(), &granting(grant)).unwrap();
    assert_eq!(run(&plugin, &format!("{name:?}")).await.0.output.as_deref(), Some("hello"));
}

#[tokio::test]
async fn a_response_beyond_its_limit_is_cut_off_whether_it_says_its_size_or_not() {
    for answer in [HELLO, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"] {
        let (address, _) = server(answer).await;
        let limits = Limits { response: 4, ..Limits::default() };
        let grant = HttpGrant::to(format!("http://{address}").parse().unwrap());
        let plugin = sandbox().load(guest(), &PluginSpec { limits, ..granting(grant) }).unwrap();
        let (report, sink) = run(&plugin, &format!("\"{address}\"")).await;
        assert_ne!(report.output.as_deref(), Some("hello"));
        let remarks = sink.texts(LogStream::Host);
        assert!(
            remarks[0].contains("larger than the 4 B") && remarks[0].contains("limits.response"),
            "{remarks:?}"
        );
    }
}

#[tokio::test]
async fn a_response_that_never_ends_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n").await.unwrap();
        // Open until the other side gives up.
        while let Ok(1..) = stream.read(&mut [0; 1024]).await {}
    });
    let http = HttpOptions { total_timeout: Duration::from_millis(50), ..HttpOptions::default() };
    let grant = HttpGrant::to(format!("http://{address}").parse().unwrap());
    let plugin = sandbox().load(guest(), &PluginSpec { http, ..granting(grant) }).unwrap();
    let (report, sink) = run(&plugin, &format!("\"{address}\"")).await;
    assert_ne!(report.output.as_deref(), Some("hello"));
    assert!(
        sink.texts(LogStream::Host)[0].contains("http.total_timeout"),
        "{:?}",
        sink.texts(LogStream::Host)
    );
}

#[tokio::test]
async fn a_job_of_the_plugin_can_be_denied_what_the_plugin_may() {
    let (address, count) = server(HELLO).await;
    let grant = HttpGrant::to(format!("http://{address}").parse().unwrap());
    let plugin = sandbox().load(guest(), &granting(grant)).unwrap().narrowed(&Allow::default());
    let (report, sink) = run(&plugin, &format!("\"{address}\"")).await;
    assert_eq!(report.output.as_deref(), Some(DENIED));
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let remarks = sink.texts(LogStream::Host);
    assert!(
        remarks[0].ends_with("; the job has an allow of its own, which must name it, too"),
        "{remarks:?}"
    );
}

#[test]
fn certificates_that_cannot_be_read_refuse_the_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let mut spec = granting(HttpGrant::to("https://a.example".parse().unwrap()));
    spec.http.ca_file = Some(file.clone());
    let refusal = |spec: &PluginSpec| sandbox().load(guest(), spec).unwrap_err().to_string();
    assert!(refusal(&spec).contains("cannot be read"));
    std::fs::write(&file, "no certificate").unwrap();
    assert!(refusal(&spec).contains("holds no certificate"));
    let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    std::fs::write(&file, made.cert.pem()).unwrap();
    assert!(sandbox().load(guest(), &spec).is_ok());
}
