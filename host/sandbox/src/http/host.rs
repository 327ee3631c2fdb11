//! The interface `clockbox:http/client`: a request and its whole response in one call.

use std::{pin::Pin, time::Duration};

use clockbox_core::model::format_size;
use http_body_util::BodyExt as _;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error as Fault, WasiBody, WasiHttpHooks as _};

use super::{asked::asked, gate::Gate};
use crate::{
    bindings::clockbox::http::client::{Error, Header, Host, Request, Response},
    guest::Guest,
};

impl Host for Guest {
    async fn send(&mut self, request: Request) -> Result<Response, Error> {
        // What is larger than the guest's memory cannot be handed over, and would be held beside it.
        let limits = &self.facts.spec.limits;
        let most = request.max_body.unwrap_or(u64::MAX).min(limits.response).min(limits.memory);
        let within = request.timeout_ms.map(Duration::from_millis);
        let asked = asked(request)?;
        let what = format!("{} {}", asked.method(), asked.uri());
        let exchange = exchange(self.gate(), asked, most);
        match within {
            None => exchange.await,
            Some(within) => match timeout(within, exchange).await {
                Ok(answer) => answer,
                Err(_) => Err(Error::Timeout(format!("no whole answer within {} ms", within.as_millis()))),
            },
        }
        .map_err(|error| with(&what, error))
    }
}

async fn exchange(gate: &mut Gate, asked: http::Request<WasiBody>, most: u64) -> Result<Response, Error> {
    let sending = gate.send_request(asked, None, Box::new(async { Ok(()) }));
    let (response, _) = Pin::from(sending).await.map_err(fault)?;
    let (head, mut rest) = response.into_parts();
    let mut body = Vec::new();
    while let Some(frame) = rest.frame().await {
        let Ok(data) = frame.map_err(fault)?.into_data() else { continue };
        if (body.len() + data.len()) as u64 > most {
            return Err(Error::TooLarge(format!("more than {}", format_size(most))));
        }
        body.extend_from_slice(&data);
    }
    let headers = head.headers.iter().map(|(name, value)| Header {
        name: name.as_str().to_owned(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    });
    Ok(Response { status: head.status.as_u16(), headers: headers.collect(), body })
}

/// What became of it, in the guest's words.
fn fault(fault: Fault) -> Error {
    let text = fault.to_string();
    match fault {
        Fault::HttpRequestDenied => Error::Denied(
            "the plugin's allow.http does not grant it; the run's log says what would".to_owned(),
        ),
        Fault::DestinationIpProhibited | Fault::ConnectionLimitReached => Error::Denied(text),
        Fault::HttpRequestUriInvalid | Fault::HttpRequestMethodInvalid | Fault::HttpRequestUriTooLong => {
            Error::InvalidRequest(text)
        }
        Fault::DnsTimeout | Fault::DnsError { .. } | Fault::DestinationNotFound => Error::Dns(text),
        Fault::ConnectionTimeout
        | Fault::ConnectionReadTimeout
        | Fault::ConnectionWriteTimeout
        | Fault::HttpResponseTimeout => Error::Timeout(text),
        Fault::Connect(_)
        | Fault::ConnectionRefused
        | Fault::ConnectionTerminated
        | Fault::DestinationUnavailable
        | Fault::DestinationIpUnroutable => Error::Connect(text),
        Fault::Tls(_)
        | Fault::TlsProtocolError
        | Fault::TlsCertificateError
        | Fault::TlsAlertReceived { .. } => Error::Tls(text),
        Fault::HttpResponseBodySize(_) | Fault::HttpResponseHeaderSectionSize(_) => Error::TooLarge(text),
        Fault::Hyper(ref e) if e.is_parse() || e.is_incomplete_message() => Error::Protocol(text),
        Fault::Hyper(_) => Error::Connect(text),
        Fault::HttpProtocolError | Fault::HttpResponseIncomplete => Error::Protocol(text),
        _ => Error::Other(text),
    }
}

/// The same, said of which request.
fn with(what: &str, error: Error) -> Error {
    let said = |text: String| format!("{what}: {text}");
    match error {
        Error::InvalidRequest(text) => Error::InvalidRequest(said(text)),
        Error::Denied(text) => Error::Denied(said(text)),
        Error::Dns(text) => Error::Dns(said(text)),
        Error::Connect(text) => Error::Connect(said(text)),
        Error::Timeout(text) => Error::Timeout(said(text)),
        Error::Tls(text) => Error::Tls(said(text)),
        Error::TooLarge(text) => Error::TooLarge(said(text)),
        Error::Protocol(text) => Error::Protocol(said(text)),
        Error::Other(text) => Error::Other(said(text)),
    }
}
