//! What a guest asks for with one call, as a request that can be sent, or why it is none.

use bytes::Bytes;
use clockbox_core::model::format_size;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, WasiBody};

use crate::bindings::clockbox::http::client::{self, Error};

/// The most bytes of all header fields, as for a guest that sends through `wasi:http`.
const MOST_FIELD_BYTES: usize = 16 << 10;

/// # Errors
/// [`Error::InvalidRequest`], which says what is wrong.
pub(super) fn asked(request: client::Request) -> Result<Request<WasiBody>, Error> {
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_| Error::InvalidRequest(format!("{:?} is not a method", short(&request.method))))?;
    let uri = uri(&request.url)?;
    let size: usize = request.headers.iter().map(|field| field.name.len() + field.value.len()).sum();
    if size > MOST_FIELD_BYTES {
        let (size, most) = (format_size(size as u64), format_size(MOST_FIELD_BYTES as u64));
        return Err(Error::InvalidRequest(format!("the headers have {size} and may have {most}")));
    }
    let length = request.body.len();
    let mut sent = Request::new(Full::new(Bytes::from(request.body)));
    for field in &request.headers {
        let (name, value) = header(field)?;
        if name == header::CONTENT_LENGTH {
            if value.to_str().ok().and_then(|text| text.parse().ok()) != Some(length) {
                return Err(Error::InvalidRequest(format!(
                    "content-length is {value:?}, and the body has {length} bytes; leave it out"
                )));
            }
            continue;
        }
        sent.headers_mut().append(name, value);
    }
    if let Some(authority) = uri.authority() {
        let host = HeaderValue::from_str(authority.as_str())
            .map_err(|_| Error::InvalidRequest(format!("{:?} is not a host", short(authority.as_str()))))?;
        sent.headers_mut().insert(header::HOST, host);
    }
    *sent.method_mut() = method;
    *sent.uri_mut() = uri;
    Ok(sent.map(|body| body.map_err(|never| match never {}).boxed_unsync()))
}

fn uri(url: &str) -> Result<Uri, Error> {
    let wrong = |why: &str| Error::InvalidRequest(format!("the URL {:?} {why}", short(url)));
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(wrong("begins neither with http:// nor with https://"));
    }
    url.parse().map_err(|e| wrong(&format!("cannot be asked: {e}")))
}

fn header(field: &client::Header) -> Result<(HeaderName, HeaderValue), Error> {
    let shown = short(&field.name);
    let name = HeaderName::from_bytes(field.name.as_bytes())
        .map_err(|_| Error::InvalidRequest(format!("{shown:?} is not the name of a header")))?;
    if DEFAULT_FORBIDDEN_HEADERS.contains(&name) {
        return Err(Error::InvalidRequest(format!("the header {name} is for the host to set; leave it out")));
    }
    let value = HeaderValue::from_bytes(field.value.as_bytes()).map_err(|_| {
        Error::InvalidRequest(format!("the value of the header {name} has control characters"))
    })?;
    Ok((name, value))
}

/// As much of a guest's text as an error has room for.
fn short(text: &str) -> &str {
    text.char_indices().nth(200).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    fn get(url: &str) -> client::Request {
        client::Request {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: None,
            max_body: None,
        }
    }

    fn with(name: &str, value: &str) -> client::Request {
        let headers = vec![client::Header { name: name.to_owned(), value: value.to_owned() }];
        client::Request { headers, body: b"four".to_vec(), ..get("http://a.example/") }
    }

    fn refusal(request: client::Request) -> String {
        match asked(request) {
            Err(Error::InvalidRequest(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_sent_as_it_was_asked_for() {
        let mut request = with("x-a", "1");
        request.url = "https://a.example:81/x?y=z#part".to_owned();
        let sent = asked(request).unwrap();
        assert_eq!(sent.uri(), "https://a.example:81/x?y=z");
        assert_eq!(
            (&sent.headers()["x-a"], &sent.headers()["host"]),
            (&"1".parse().unwrap(), &"a.example:81".parse().unwrap())
        );
        assert_eq!(sent.body().size_hint().exact(), Some(4));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(
            refusal(get("ftp://a.example/")),
            "the URL \"ftp://a.example/\" begins neither with http:// nor with https://"
        );
        assert!(refusal(get("http://")).starts_with("the URL \"http://\" cannot be asked: "));
        assert_eq!(
            refusal(client::Request { method: "G T".to_owned(), ..get("http://a/") }),
            "\"G T\" is not a method"
        );
        assert_eq!(refusal(with("a b", "1")), "\"a b\" is not the name of a header");
        assert_eq!(refusal(with("a", "1\r\nb: 2")), "the value of the header a has control characters");
        assert_eq!(
            refusal(with("Host", "b.example")),
            "the header host is for the host to set; leave it out"
        );
        assert_eq!(
            refusal(with("a", &"x".repeat(17 << 10))),
            "the headers have 17.0 KiB and may have 16.0 KiB"
        );
    }

    #[test]
    fn a_length_that_is_right_is_the_hosts_all_the_same() {
        assert!(!asked(with("Content-Length", "4")).unwrap().headers().contains_key("content-length"));
        assert_eq!(
            refusal(with("Content-Length", "5")),
            "content-length is \"5\", and the body has 4 bytes; leave it out"
        );
    }
}
