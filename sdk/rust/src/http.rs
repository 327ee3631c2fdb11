//! A small blocking HTTP client, allowed to reach the origins that the manifest grants (`allow.http`).
//!
//! Needs the feature `http`. Redirects are not followed: their target may be another origin. An [`Error`] that `?`
//! turns into a [`JobError`](crate::JobError) keeps its code, and asks for a retry unless it is permanent.
//!
//! ```
//! use clockbox_sdk::{JobError, http, testing};
//!
//! fn run(_: ()) -> Result<String, JobError> {
//!     let response = http::Request::get("https://api.example.com/v1/rate").send()?;
//!     Ok(response.text())
//! }
//!
//! testing::answer_http(|_| Ok(http::Response { status: 200, body: b"1.25".to_vec(), ..Default::default() }));
//! assert_eq!(testing::call(run, "null"), Ok(Some("1.25".into())));
//! ```

use std::{borrow::Cow, fmt, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

/// A request, to be sent with [`send`](Self::send).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The whole address: scheme, host, optional port, path and query.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The longest that the whole exchange may take; `None` leaves it to the run's own timeout.
    pub timeout: Option<Duration>,
    /// The most bytes of the response's body that are taken; more are an error. 8 MiB unless set.
    pub max_body: usize,
}

impl Request {
    /// A request with any method.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
            max_body: 8 << 20,
        }
    }

    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A POST request.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Makes `value` the body, as JSON, and says so in `content-type`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] when JSON cannot hold the value.
    pub fn json(self, value: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(value).map_err(|error| {
            Error::new(ErrorKind::InvalidRequest, format!("the body is not JSON: {error}"))
        })?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// Limits how long the whole exchange may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it and waits for the whole response. Any status is a response, not an error.
    ///
    /// # Errors
    /// [`Error`] when there is no response.
    pub fn send(&self) -> Result<Response, Error> {
        crate::backend::send(self)
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// From sending until the status and the headers were there.
    pub first_byte: Duration,
    /// From sending until the end of the body.
    pub elapsed: Duration,
}

impl Response {
    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are not UTF-8 become `U+FFFD`.
    #[must_use]
    pub fn text(&self) -> String {
        match String::from_utf8_lossy(&self.body) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        }
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::new(ErrorKind::Protocol, format!("the body is not the JSON expected: {error}"))
        })
    }
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// Kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request itself is wrong: its address, method, a header or the body.
    InvalidRequest,
    /// The plugin may not reach this origin or address.
    Denied,
    /// The host's name was not resolved.
    Dns,
    /// There is no connection, or it broke.
    Connect,
    /// It took too long.
    Timeout,
    /// TLS failed.
    Tls,
    /// The response is larger than allowed.
    TooLarge,
    /// The other side does not keep to HTTP, or sent something unexpected.
    Protocol,
}

impl Error {
    /// An error of this kind, with a message for people.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The code of the failure that it becomes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            ErrorKind::InvalidRequest => "invalid-request",
            ErrorKind::Denied => "http-denied",
            ErrorKind::Dns => "dns",
            ErrorKind::Connect => "connect",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Tls => "tls",
            ErrorKind::TooLarge => "too-large",
            ErrorKind::Protocol => "protocol",
        }
    }

    /// Whether the same request will fail the same way again.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self.kind, ErrorKind::InvalidRequest | ErrorKind::Denied | ErrorKind::TooLarge)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JobError, testing};

    #[test]
    fn a_transport_error_asks_for_a_retry_and_a_denied_one_does_not() {
        let job_error = |kind| JobError::from(Error::new(kind, "because"));
        assert_eq!(job_error(ErrorKind::Connect), JobError::retry("connect", "because"));
        assert_eq!(job_error(ErrorKind::Denied), JobError::fatal("http-denied", "because"));
        let invalid = job_error(ErrorKind::InvalidRequest);
        assert!(matches!(&invalid, JobError::InvalidArgs(failure) if failure.code == "invalid-request"));
    }

    #[test]
    fn without_an_answer_a_request_on_the_build_machine_is_denied() {
        assert_eq!(Request::get("http://a").send().unwrap_err().kind(), ErrorKind::Denied);
    }

    #[test]
    fn a_request_reaches_the_answer_as_it_was_built() {
        testing::answer_http(|request| {
            let body = format!("{} {} {:?}", request.method, request.url, request.headers);
            let headers = vec![("x-echo".into(), String::from_utf8_lossy(&request.body).into_owned())];
            Ok(Response { status: 201, headers, body: body.into_bytes(), ..Default::default() })
        });
        let response = Request::post("http://a").header("x", "y").json(&[1]).unwrap().send().unwrap();
        assert!(response.is_success());
        assert_eq!(response.header("X-Echo"), Some("[1]"));
        assert_eq!(response.text(), r#"POST http://a [("x", "y"), ("content-type", "application/json")]"#);
        assert_eq!(response.json::<u8>().unwrap_err().kind(), ErrorKind::Protocol);
    }
}
