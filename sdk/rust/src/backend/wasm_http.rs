//! HTTP through `wasi:http/outgoing-handler`, waiting where it must.

use wasip2::{
    clocks::monotonic_clock,
    http::{
        outgoing_handler,
        types::{
            ErrorCode, Fields, HeaderError, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
        },
    },
    io::{
        poll::{self, Pollable},
        streams::StreamError,
    },
};

use crate::{
    http::{Error, ErrorKind, Request, Response},
    url::Url,
};

/// The clock of one exchange.
struct Watch {
    started: u64,
    timeout: Option<Pollable>,
}

impl Watch {
    fn start(request: &Request) -> Self {
        let timeout = request.timeout.map(|timeout| {
            monotonic_clock::subscribe_duration(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
        });
        Self { started: monotonic_clock::now(), timeout }
    }

    fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::from_nanos(monotonic_clock::now().saturating_sub(self.started))
    }

    /// Waits until `ready`, or until the time is over.
    fn wait(&self, ready: &Pollable) -> Result<(), Error> {
        match &self.timeout {
            None => ready.block(),
            Some(timeout) if poll::poll(&[ready, timeout]).contains(&0) => {}
            Some(_) => {
                let message = format!("no complete response after {} ms", self.elapsed().as_millis());
                return Err(Error::new(ErrorKind::Timeout, message));
            }
        }
        Ok(())
    }
}

pub(crate) fn send(request: &Request) -> Result<Response, Error> {
    let outgoing = outgoing(request)?;
    let body = outgoing.body().map_err(|()| invalid("the body of the request was taken before"))?;
    let watch = Watch::start(request);
    let future = outgoing_handler::handle(outgoing, None).map_err(failed)?;
    let whole = write(&body, &request.body, &watch)?;
    let finished = OutgoingBody::finish(body, None).map_err(failed);
    if whole {
        finished?;
    }
    let ready = future.subscribe();
    let incoming = loop {
        if let Some(result) = future.get() {
            break result.map_err(|()| protocol("the response was taken before"))?.map_err(failed)?;
        }
        watch.wait(&ready)?;
    };
    let first_byte = watch.elapsed();
    let status = incoming.status();
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let headers = incoming.headers().entries();
    let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect();
    let body = read(&incoming, request.max_body, &watch)?;
    Ok(Response { status, headers, body, first_byte, elapsed: watch.elapsed() })
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, Error> {
    let url = Url::parse(&request.url)?;
    let headers = Fields::new();
    let length = ("content-length".to_owned(), request.body.len().to_string());
    let length = (!request.body.is_empty()).then_some(&length);
    for (name, value) in request.headers.iter().chain(length) {
        let refused = |error| invalid(format!("the header {name:?} is refused: {}", reason(error)));
        headers.append(name, value.as_bytes()).map_err(refused)?;
    }
    let outgoing = OutgoingRequest::new(headers);
    let method = match request.method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    };
    let scheme = if url.tls { Scheme::Https } else { Scheme::Http };
    let wrong = |what: &'static str| move |()| invalid(format!("the host refuses the request's {what}"));
    outgoing.set_method(&method).map_err(wrong("method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(wrong("scheme"))?;
    outgoing.set_authority(Some(url.authority)).map_err(wrong("host and port"))?;
    outgoing.set_path_with_query(Some(&url.path)).map_err(wrong("path"))?;
    Ok(outgoing)
}

fn reason(error: HeaderError) -> &'static str {
    match error {
        HeaderError::InvalidSyntax => "its name or value has a character that headers cannot have",
        HeaderError::Forbidden => "it is the host's to set",
        _ => "the host gives no reason",
    }
}

/// Writes the body, and says whether all of it was taken: a receiver may answer without reading on.
fn write(body: &OutgoingBody, mut bytes: &[u8], watch: &Watch) -> Result<bool, Error> {
    if bytes.is_empty() {
        return Ok(true);
    }
    let stream = body.write().map_err(|()| invalid("the body of the request was taken before"))?;
    let ready = stream.subscribe();
    let mut flushing = false;
    let sent = loop {
        match stream.check_write() {
            Err(StreamError::Closed) => break Ok(false),
            Err(StreamError::LastOperationFailed(error)) => break Err(error),
            Ok(0) => watch.wait(&ready)?,
            Ok(_) if flushing => break Ok(true),
            Ok(room) => {
                let room = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
                let (now, later) = bytes.split_at(room);
                bytes = later;
                flushing = bytes.is_empty();
                let done = stream.write(now).and_then(|()| if flushing { stream.flush() } else { Ok(()) });
                if let Err(StreamError::LastOperationFailed(error)) = done {
                    break Err(error);
                }
            }
        }
    };
    sent.map_err(|error| Error::new(ErrorKind::Connect, error.to_debug_string()))
}

fn read(incoming: &IncomingResponse, limit: usize, watch: &Watch) -> Result<Vec<u8>, Error> {
    let body = incoming.consume().map_err(|()| protocol("the body of the response was taken before"))?;
    let stream = body.stream().map_err(|()| protocol("the body of the response was taken before"))?;
    let ready = stream.subscribe();
    let mut bytes = Vec::new();
    loop {
        match stream.read(64 << 10) {
            Ok(chunk) if chunk.is_empty() => watch.wait(&ready)?,
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match wasip2::http::types::http_error_code(&error) {
                    Some(code) => failed(code),
                    None => Error::new(ErrorKind::Connect, error.to_debug_string()),
                });
            }
        }
        if bytes.len() > limit {
            let message = format!("the body of the response has more than the {limit} bytes allowed");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

fn protocol(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Protocol, message)
}

fn failed(code: ErrorCode) -> Error {
    use ErrorCode as E;
    use ErrorKind as K;
    let kind = match &code {
        E::DnsTimeout | E::DnsError(_) | E::DestinationNotFound => K::Dns,
        E::DestinationIpProhibited | E::HttpRequestDenied => K::Denied,
        E::DestinationUnavailable
        | E::DestinationIpUnroutable
        | E::ConnectionRefused
        | E::ConnectionTerminated
        | E::ConnectionLimitReached => K::Connect,
        E::ConnectionTimeout
        | E::ConnectionReadTimeout
        | E::ConnectionWriteTimeout
        | E::HttpResponseTimeout => K::Timeout,
        E::TlsProtocolError | E::TlsCertificateError | E::TlsAlertReceived(_) => K::Tls,
        E::HttpRequestLengthRequired
        | E::HttpRequestBodySize(_)
        | E::HttpRequestMethodInvalid
        | E::HttpRequestUriInvalid
        | E::HttpRequestUriTooLong
        | E::HttpRequestHeaderSectionSize(_)
        | E::HttpRequestHeaderSize(_)
        | E::HttpRequestTrailerSectionSize(_)
        | E::HttpRequestTrailerSize(_)
        | E::ConfigurationError => K::InvalidRequest,
        E::HttpResponseBodySize(_) => K::TooLarge,
        _ => K::Protocol,
    };
    Error::new(kind, describe(&code))
}

/// The usual ones in words, the others by their WASI name.
fn describe(code: &ErrorCode) -> String {
    let text = match code {
        ErrorCode::HttpRequestDenied => {
            "the plugin may not reach this origin: grant it in the manifest, as in allow = { http = [\"https://host\"] }"
        }
        ErrorCode::DestinationIpProhibited => {
            "the plugin may not reach the address that the host's name stands for"
        }
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => "the host's name could not be resolved",
        ErrorCode::ConnectionRefused => "the connection was refused",
        ErrorCode::ConnectionTerminated => "the connection broke",
        ErrorCode::ConnectionTimeout => "no connection in time",
        ErrorCode::HttpResponseTimeout => "no response in time",
        ErrorCode::TlsCertificateError => "the certificate of the host is not trusted",
        ErrorCode::InternalError(Some(reason)) => reason,
        other => return other.to_string(),
    };
    text.to_owned()
}
