//! `clockbox:http/client`: the same rights and limits as those of `wasi:http`, in one call.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use clockbox_core::model::{HttpGrant, HttpOptions, Limits, LogStream, Outcome, PluginSpec, Rights};
use clockbox_sandbox::Plugin;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::support::{Memory, job_importing, run, sandbox, spec};

/// A request of the guest.
struct Asked {
    method: &'static str,
    url: String,
    header: (&'static str, &'static str),
    body: &'static str,
    timeout_ms: Option<u64>,
    max_body: Option<u64>,
}

impl Asked {
    fn get(url: String) -> Self {
        Self { method: "GET", url, header: ("x-a", "1"), body: "", timeout_ms: None, max_body: None }
    }

    /// A guest that sends it and answers with status, first header and body, or with the number of the error and its text.
    fn guest(&self) -> Vec<u8> {
        let texts = [self.method, &self.url, self.header.0, self.header.1, self.body];
        let mut data = String::new();
        let mut places = Vec::new();
        let mut at = 1024;
        for text in texts {
            data += &format!("(data (i32.const {at}) {text:?})\n");
            places.push(format!("(i32.const {at}) (i32.const {})", text.len()));
            at += text.len();
        }
        let option = |value: Option<u64>| {
            format!("(i32.const {}) (i64.const {})", u8::from(value.is_some()), value.unwrap_or_default())
        };
        let [method, url, name, value, body] = &places[..] else { unreachable!() };
        let (timeout, most) = (option(self.timeout_ms), option(self.max_body));
        let headers: String = [name, value]
            .iter()
            .zip([4000, 4008])
            .map(|(place, at)| {
                let (text, length) = place.split_once(") (").unwrap();
                format!("(i32.store (i32.const {at}) {text})) (i32.store (i32.const {}) ({length})", at + 4)
            })
            .collect();
        job_importing(
            r#"(import "clockbox:http/client@0.1.0" "send"
                 (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i64 i32)))"#,
            &data,
            &format!(
                "{headers}
                 (call $send {method} {url} (i32.const 4000) (i32.const 1) {body} {timeout} {most} (i32.const 256))
                 (if (i32.load8_u (i32.const 256))
                   (then
                     (call $add_byte (i32.add (i32.const 48) (i32.load8_u (i32.const 260))))
                     (call $add_byte (i32.const 32))
                     (call $add (i32.load (i32.const 264)) (i32.load (i32.const 268))))
                   (else
                     (call $add_byte (i32.add (i32.const 48) (i32.div_u (i32.load16_u (i32.const 260)) (i32.const 100))))
                     (call $add_byte (i32.add (i32.const 48) (i32.rem_u (i32.load16_u (i32.const 260)) (i32.const 10))))
                     (call $add_byte (i32.const 10))
                     (call $add_line (i32.load (i32.const 264)))
                     (call $add_line (i32.add (i32.load (i32.const 264)) (i32.const 8)))
                     (call $add (i32.load (i32.const 272)) (i32.load (i32.const 276)))))
                 (call $answer_text)"
            ),
        )
    }

    async fn send(&self, spec: PluginSpec) -> (String, Vec<String>) {
        let (report, sink) = run(&self.load(spec), "null").await;
        assert_eq!(report.outcome, Outcome::Succeeded, "{report:?}");
        (report.output.unwrap(), sink.texts(LogStream::Host))
    }

    fn load(&self, spec: PluginSpec) -> Plugin {
        sandbox().load(&self.guest(), &spec).unwrap()
    }
}

fn granted(address: SocketAddr) -> PluginSpec {
    let http = vec![HttpGrant::to(format!("http://{address}").parse().unwrap())];
    PluginSpec { rights: Rights { http, ..Rights::default() }, ..spec("web") }
}

/// Takes whole requests whose body ends with `until`, keeps what came in, and answers each with `answer`.
async fn server(answer: String, until: &'static str) -> (SocketAddr, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(String::new()));
    tokio::spawn({
        let heard = heard.clone();
        async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(until.as_bytes()) {
                    let mut chunk = [0; 1024];
                    match stream.read(&mut chunk).await {
                        Ok(size @ 1..) => request.extend_from_slice(&chunk[..size]),
                        _ => break,
                    }
                }
                *heard.lock().unwrap() = String::from_utf8(request).unwrap();
                let _gone_is_fine = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    (address, heard)
}

const END: &str = "\r\n\r\n";

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_request_goes_out_whole_and_its_response_comes_back_whole() {
    let (address, heard) = server(answer("201 Created\r\nX-Kind: ä", "made"), "{\"a\":1}").await;
    let asked =
        Asked { method: "POST", body: "{\"a\":1}", ..Asked::get(format!("http://{address}/x?y=1#z")) };
    let (output, remarks) = asked.send(granted(address)).await;
    assert_eq!((output.as_str(), remarks.len()), ("21\nx-kind\nä\nmade", 0));
    let heard = heard.lock().unwrap().to_lowercase();
    assert!(heard.starts_with("post /x?y=1 http/1.1\r\n"), "{heard}");
    for line in [format!("host: {address}"), "x-a: 1".to_owned(), "content-length: 7".to_owned()] {
        assert!(heard.contains(&format!("\r\n{line}\r\n")), "{line}: {heard}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let (address, _) = server(answer("302 Found\r\nlocation: http://b.example/", "over there"), END).await;
    let (output, _) = Asked::get(format!("http://{address}/")).send(granted(address)).await;
    assert_eq!(output, "32\nlocation\nhttp://b.example/\nover there");
}

#[tokio::test]
async fn what_is_not_granted_is_denied_and_the_log_says_what_to_grant() {
    let (address, heard) = server(answer("200 OK", ""), END).await;
    let other = "127.0.0.1:1".parse().unwrap();
    let (output, remarks) = Asked::get(format!("http://{address}/")).send(granted(other)).await;
    assert_eq!(
        output,
        format!(
            "1 GET http://{address}/: the plugin's allow.http does not grant it; the run's log says what would"
        )
    );
    assert!(remarks[0].contains(&format!("add \"http://{address}\"")), "{remarks:?}");
    assert_eq!(*heard.lock().unwrap(), "");
}

#[test]
fn without_any_grant_the_plugin_is_refused() {
    let guest = Asked::get("http://a.example/".to_owned()).guest();
    let refusal = sandbox().load(&guest, &spec("web")).unwrap_err().to_string();
    assert!(refusal.contains("clockbox:http/client") && refusal.contains("allow.http"), "{refusal}");
}

#[tokio::test]
async fn a_request_that_is_none_says_what_is_wrong() {
    let (address, _) = server(answer("200 OK", ""), END).await;
    let (output, _) = Asked::get("a.example/".to_owned()).send(granted(address)).await;
    assert_eq!(output, "0 the URL \"a.example/\" begins neither with http:// nor with https://");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_from_one_that_talks_nonsense() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = listener.local_addr().unwrap();
    drop(listener);
    let (output, _) = Asked::get(format!("http://{gone}/")).send(granted(gone)).await;
    assert!(output.starts_with("3 GET http://") && output.ends_with("connection refused"), "{output}");
    let (address, _) = server("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), END).await;
    let (output, _) = Asked::get(format!("http://{address}/")).send(granted(address)).await;
    assert!(output.starts_with("7 GET http://"), "{output}");
}

#[tokio::test]
async fn a_response_is_as_large_as_the_guest_the_manifest_and_its_memory_allow() {
    let (address, _) = server(answer("200 OK", &"x".repeat(5_000)), END).await;
    let asked = |max_body| Asked { max_body, ..Asked::get(format!("http://{address}/")) };
    let limited = |limits| PluginSpec { limits, ..granted(address) };

    let (output, remarks) = asked(Some(5_000)).send(granted(address)).await;
    assert!(output.ends_with("xxx") && remarks.is_empty(), "{output}");
    let (output, _) = asked(Some(4_999)).send(granted(address)).await;
    assert!(output.starts_with("6 GET ") && output.ends_with("more than 4.9 KiB"), "{output}");
    let (output, remarks) = asked(None).send(limited(Limits { response: 4_000, ..Limits::default() })).await;
    assert!(output.starts_with("6 GET ") && remarks[0].contains("limits.response"), "{output} {remarks:?}");
}

#[tokio::test]
async fn a_response_larger_than_the_guests_memory_is_not_held_for_it() {
    let (address, _) = server(answer("200 OK", &"x".repeat(300_000)), END).await;
    let limits = Limits { memory: 256 << 10, ..Limits::default() };
    let spec = PluginSpec { limits, ..granted(address) };
    let (output, _) = Asked::get(format!("http://{address}/")).send(spec).await;
    assert!(output.starts_with("6 GET ") && output.ends_with("more than 256.0 KiB"), "{output}");
}

/// Accepts, and never answers.
async fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    address
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up() {
    let address = silent().await;
    let asked = Asked { timeout_ms: Some(20), ..Asked::get(format!("http://{address}/")) };
    assert_eq!(
        asked.send(granted(address)).await.0,
        format!("4 GET http://{address}/: no whole answer within 20 ms")
    );
    let http = HttpOptions { first_byte_timeout: Duration::from_millis(20), ..HttpOptions::default() };
    let (output, _) =
        Asked::get(format!("http://{address}/")).send(PluginSpec { http, ..granted(address) }).await;
    assert!(output.starts_with("4 GET ") && output.ends_with("connection read timeout"), "{output}");
}

#[tokio::test]
async fn a_run_that_waits_for_an_answer_ends_at_its_timeout() {
    let address = silent().await;
    let limits = Limits { timeout: Duration::from_millis(50), ..Limits::default() };
    let plugin = Asked::get(format!("http://{address}/")).load(PluginSpec { limits, ..granted(address) });
    let report = plugin.run(crate::support::request("null"), Memory::new(), Default::default()).await;
    assert_eq!(report.outcome, Outcome::TimedOut, "{report:?}");
}
