//! What a job remembers.

use chrono::{DateTime, Utc};
use clockbox_core::model::StateEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::control::tag::tag_of;

/// A value that a job remembers: as text, or in hexadecimal digits where it is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct EntryView {
    /// Its key.
    pub(crate) key: String,
    /// The bytes of its value.
    pub(crate) size: usize,
    /// From when on it is as good as gone.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// The value, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// The value, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hex: Option<String>,
    /// Its version, for If-Match.
    pub(crate) etag: String,
}

impl EntryView {
    pub(crate) fn new(key: &str, entry: &StateEntry) -> Self {
        let value = str::from_utf8(&entry.value).ok().map(ToOwned::to_owned);
        let hex = || entry.value.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            key: key.to_owned(),
            size: entry.value.len(),
            expires_at: entry.expires_at,
            hex: value.is_none().then(hex),
            value,
            etag: tag_of(&entry.value),
        }
    }

    /// The value; `None` when neither its text nor its digits are there.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        match &self.value {
            Some(text) => Some(text.clone().into_bytes()),
            None => self.hex.as_deref().and_then(bytes_of_hex),
        }
    }
}

/// What pairs of hexadecimal digits stand for.
pub(crate) fn bytes_of_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let pair = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).ok();
    digits.chunks_exact(2).map(pair).collect()
}
