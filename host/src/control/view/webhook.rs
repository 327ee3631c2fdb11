//! Webhooks.

use clockbox_core::model::{WebhookName, format_duration};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{manifest::WebhookSettings, webhooks::Counts};

/// Who is told of what happens, and how that went. The path of the URL and the secret are not shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct WebhookView {
    /// Its name.
    pub(crate) name: String,
    /// Scheme, host and port of its URL.
    #[schema(example = "https://hooks.example.com")]
    pub(crate) origin: String,
    /// What it is told of: words of the manifest and names of events.
    pub(crate) events: Vec<String>,
    /// Of which jobs; none means all.
    pub(crate) jobs: Vec<String>,
    /// Whether what it is sent is signed.
    pub(crate) signed: bool,
    /// How long one try may take.
    #[schema(example = "10s")]
    pub(crate) timeout: String,
    /// How often it is tried again.
    pub(crate) retries: u32,
    /// The longest pause before the first retry.
    #[schema(example = "1s")]
    pub(crate) backoff: String,
    /// How many messages it was sent, and was not; `null` where no host runs.
    pub(crate) messages: Option<Messages>,
}

/// What became of the messages of a webhook since the host started, or since the webhook was declared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Messages {
    /// Those that it took.
    pub(crate) delivered: u64,
    /// Those that were given up after the last retry.
    pub(crate) failed: u64,
    /// Those that found its queue full.
    pub(crate) dropped: u64,
    /// Those that wait, the one that is being sent included.
    pub(crate) waiting: u64,
}

impl WebhookView {
    pub(crate) fn new(name: &WebhookName, settings: &WebhookSettings, counts: Option<Counts>) -> Self {
        let messages = counts.map(|Counts { delivered, failed, dropped, waiting }| Messages {
            delivered,
            failed,
            dropped,
            waiting,
        });
        Self {
            name: name.to_string(),
            origin: settings.url.origin().to_owned(),
            events: settings.events.iter().map(ToString::to_string).collect(),
            jobs: settings.jobs.iter().map(ToString::to_string).collect(),
            signed: settings.key.is_some(),
            timeout: format_duration(settings.timeout),
            retries: settings.retries,
            backoff: format_duration(settings.backoff),
            messages,
        }
    }
}
