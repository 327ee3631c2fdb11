//! What webhooks are signed with.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What a secret begins with whose rest is the key in base64, as the libraries of Standard Webhooks write it.
const PREFIX: &str = "whsec_";
/// A key of fewer bytes can be guessed; the specification asks for as many at least.
pub(super) const SHORTEST: usize = 24;

/// Why a secret is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what follows {PREFIX:?} in the secret is not base64")]
pub struct WebhookKeyError;

/// What webhooks are signed with. It is shown nowhere.
///
/// ```
/// use clockbox::manifest::WebhookKey;
/// assert_eq!(WebhookKey::new("whsec_aGVsbG8=").unwrap().bytes(), b"hello");
/// assert_eq!(WebhookKey::new("plain text").unwrap().bytes(), b"plain text");
/// assert!(WebhookKey::new("whsec_!").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookKey(Arc<[u8]>);

impl WebhookKey {
    /// The key of a secret: of `whsec_…` the bytes that its base64 stands for, of any other text the text itself.
    ///
    /// # Errors
    /// When what follows `whsec_` is not base64.
    pub fn new(secret: &str) -> Result<Self, WebhookKeyError> {
        match secret.strip_prefix(PREFIX) {
            Some(coded) => {
                STANDARD.decode(coded).map(|bytes| Self(bytes.into())).map_err(|_| WebhookKeyError)
            }
            None => Ok(Self(secret.as_bytes().into())),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(***)")
    }
}
