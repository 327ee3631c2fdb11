//! One try to deliver a message, and what its answer means.

use std::time::Duration;

use clockbox_core::model::Timestamp;
use http::{HeaderMap, Method, Request, StatusCode, header};

use super::{message::Message, signature::sign};
use crate::{manifest::WebhookSettings, outbound};

/// So much of the body of an answer is told.
const SHOWN: usize = 300;

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver took the message: a status of 200 to 299.
    Delivered(StatusCode),
    /// It did not, and may later.
    Failed {
        /// What it answered, or why it did not.
        why: String,
        /// How long it wants to be left alone.
        after: Option<Duration>,
    },
    /// It did not, and will not: there is no use in trying again.
    Refused {
        /// What it answered.
        why: String,
    },
}

/// Sends one message that is about nothing, once, and answers what came of it.
///
/// # Errors
/// When no request can be sent from here at all.
pub fn test(settings: &WebhookSettings, at: Timestamp) -> std::io::Result<(Message, Verdict)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let message = Message::test(&super::dispatcher::host_name(), at);
    let verdict = runtime.block_on(attempt(settings, &message, at));
    runtime.shutdown_background();
    Ok((message, verdict))
}

/// Tries once, for no longer than the webhook's timeout.
pub(super) async fn attempt(settings: &WebhookSettings, message: &Message, now: Timestamp) -> Verdict {
    match tokio::time::timeout(settings.timeout, request(settings, message, now)).await {
        Ok(verdict) => verdict,
        Err(_) => {
            let span = clockbox_core::model::format_duration(settings.timeout);
            Verdict::Failed { why: format!("no answer within {span}"), after: None }
        }
    }
}

async fn request(settings: &WebhookSettings, message: &Message, now: Timestamp) -> Verdict {
    let failed = |why: String| Verdict::Failed { why, after: None };
    let timestamp = now.timestamp();
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(settings.url.whole())
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", timestamp);
    if let Some(key) = &settings.key {
        request = request.header("webhook-signature", sign(key, &message.id, timestamp, &message.body));
    }
    let request = match request.body(message.body.clone()) {
        Ok(request) => request,
        Err(error) => return failed(format!("the request cannot be made: {error}")),
    };
    let answer = match outbound::send(request, settings.ca_file.as_deref()).await {
        Ok(answer) => answer,
        Err(error) => return failed(error.to_string()),
    };
    let (status, headers) = (answer.head.status, answer.head.headers.clone());
    if status.is_success() {
        return Verdict::Delivered(status);
    }
    judge(status, &headers, &answer.beginning(SHOWN).await)
}

/// What an answer means that is no success.
fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if status.is_redirection() {
        // Whoever answers for the old address does not decide who hears of the jobs. The place may hold a secret.
        return Verdict::Refused {
            why: format!("it answered {status}; redirects are not followed: name the new URL"),
        };
    }
    if status == StatusCode::GONE {
        return Verdict::Refused { why: format!("it answered {status}") };
    }
    let body = String::from_utf8_lossy(body);
    let line: String =
        body.trim().lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    let said = if line.is_empty() { String::new() } else { format!(": {line}") };
    let after = text(header::RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    Verdict::Failed { why: format!("it answered {status}{said}"), after }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, retry_after: Option<&str>, body: &[u8]) -> Verdict {
        let mut headers = HeaderMap::new();
        headers.extend(retry_after.map(|text| (header::RETRY_AFTER, text.parse().unwrap())));
        judge(StatusCode::from_u16(status).unwrap(), &headers, body)
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        let why = "it answered 503 Service Unavailable: busy".to_owned();
        let after = Some(Duration::from_secs(7));
        assert_eq!(judged(503, Some("7"), b" busy\x1b\nmore\n"), Verdict::Failed { why, after });
        let why = "it answered 401 Unauthorized".to_owned();
        assert_eq!(
            judged(401, Some("Fri, 31 Dec 1999 23:59:59 GMT"), b""),
            Verdict::Failed { why, after: None }
        );
    }

    #[test]
    fn what_is_gone_or_elsewhere_is_not() {
        assert!(matches!(judged(410, None, b""), Verdict::Refused { .. }));
        let Verdict::Refused { why } = judged(308, None, b"x") else { panic!("it is tried again") };
        assert!(why.contains("redirects are not followed"), "{why}");
    }
}
