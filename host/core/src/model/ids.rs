//! Identifiers: names that people choose, and the run id that the timetable makes.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The longest name of a job, plugin or pool, in bytes.
const MAX_NAME: usize = 128;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The name is empty.
    #[error("a {0} name must not be empty")]
    Empty(&'static str),
    /// The name is longer than 128 bytes.
    #[error("the {0} name is {1} bytes long; at most 128 are allowed")]
    TooLong(&'static str, usize),
    /// The name has a character that would be unsafe in a file name, a URL or a terminal.
    #[error("{1:?} is not allowed in a {0} name; use letters, digits, '.', '_', '-', ':' and '@'")]
    Character(&'static str, char),
    /// The text is not a run id.
    #[error("{0:?} is not a run id (13 characters of 0-9 and a-z without i, l, o, u)")]
    RunId(String),
}

fn check_name(kind: &'static str, text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty(kind));
    }
    if text.len() > MAX_NAME {
        return Err(IdError::TooLong(kind, text.len()));
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '@');
    match text.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(IdError::Character(kind, c)),
        None => Ok(()),
    }
}

// The names of plugins and pools are shared by many jobs, each of which has a pointer of one word to them.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $text:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type($text);

        impl $type {
            /// Checks and takes a name.
            ///
            /// # Errors
            /// When the text is empty, longer than 128 bytes, or has a character other than letters, digits and
            /// `. _ - : @`.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                check_name($kind, text)?;
                Ok(Self(Box::<str>::from(text).into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.as_str().to_owned()
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// The name of a job, unique in its scheduler.
    ///
    /// ```
    /// use clockbox_core::model::JobId;
    /// assert_eq!(JobId::new("nightly-report").unwrap().as_str(), "nightly-report");
    /// assert!(JobId::new("no spaces").is_err());
    /// ```
    JobId, "job", Arc<str>
}
name! {
    /// The name of a plugin.
    PluginName, "plugin", Arc<Box<str>>
}
name! {
    /// The name of a pool.
    PoolName, "pool", Arc<Box<str>>
}
name! {
    /// The name of a webhook.
    WebhookName, "webhook", Arc<str>
}

impl PoolName {
    /// The pool of jobs that name none: `default`.
    #[must_use]
    pub fn default_pool() -> Self {
        Self(Box::<str>::from("default").into())
    }
}

/// The id of a run: 63 bits, increasing with time, printed as 13 characters of Crockford's base 32.
///
/// It is the idempotency key that a guest sees, and stays the same over all attempts of the run.
///
/// ```
/// use clockbox_core::model::RunId;
/// let first = RunId::next(None, "2030-01-01T00:00:00Z".parse().unwrap());
/// let second = RunId::next(Some(first), "2030-01-01T00:00:00Z".parse().unwrap());
/// assert!(second > first);
/// assert_eq!(first.to_string().parse::<RunId>().unwrap(), first);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(u64);

impl RunId {
    const DIGITS: &'static [u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    const LEN: usize = 13;
    /// Bits below the millisecond: a sequence within it.
    const SEQUENCE_BITS: u32 = 20;

    /// The id that follows `last` at `now`: at least one more than `last`, so that a clock that steps back cannot
    /// repeat an id.
    #[must_use]
    pub fn next(last: Option<Self>, now: Timestamp) -> Self {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        let by_time = (millis << Self::SEQUENCE_BITS) & (i64::MAX as u64);
        Self(last.map_or(by_time, |last| by_time.max(last.0 + 1)))
    }

    /// The id as a number that fits a signed 64-bit database column.
    #[must_use]
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The id from its number; `None` when negative.
    #[must_use]
    pub fn from_i64(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }

    /// The lowest and highest id whose text starts with `prefix`; `None` when no id can.
    #[must_use]
    pub fn range_of_prefix(prefix: &str) -> Option<(Self, Self)> {
        if prefix.is_empty() || prefix.len() > Self::LEN || !prefix.is_ascii() {
            return None;
        }
        let low = format!("{prefix:0<13}").parse().ok()?;
        let high = format!("{prefix:z<13}").parse().unwrap_or(Self(i64::MAX as u64));
        Some((low, high))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'0'; Self::LEN];
        let mut rest = self.0;
        for digit in text.iter_mut().rev() {
            *digit = Self::DIGITS[(rest & 31) as usize];
            rest >>= 5;
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for RunId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bad = || IdError::RunId(text.to_owned());
        if text.len() != Self::LEN {
            return Err(bad());
        }
        text.bytes()
            .try_fold(0_u64, |sum, byte| {
                let lower = byte.to_ascii_lowercase();
                let digit = Self::DIGITS.iter().position(|d| *d == lower)? as u64;
                sum.checked_mul(32)?.checked_add(digit)
            })
            .filter(|number| i64::try_from(*number).is_ok())
            .map(Self)
            .ok_or_else(bad)
    }
}

impl TryFrom<String> for RunId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn run_ids_increase_even_when_the_clock_steps_back() {
        let first = RunId::next(None, at("2030-01-01T00:00:01Z"));
        let second = RunId::next(Some(first), at("2030-01-01T00:00:00Z"));
        assert!(second > first);
    }

    #[test]
    fn run_ids_sort_as_text_as_they_sort_as_numbers() {
        let early = RunId::next(None, at("2026-01-01T00:00:00Z"));
        let late = RunId::next(None, at("2036-01-01T00:00:00Z"));
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.to_string().len(), 13);
        assert_eq!(RunId::from_i64(late.as_i64()), Some(late));
    }

    #[test]
    fn a_prefix_spans_its_ids() {
        let id = RunId::next(None, at("2026-01-01T00:00:00Z"));
        let text = id.to_string();
        let (low, high) = RunId::range_of_prefix(&text[..6]).unwrap();
        assert!(low <= id && id <= high);
        assert_eq!(RunId::range_of_prefix(&text), Some((id, id)));
        assert!(RunId::range_of_prefix("é").is_none());
        assert!(RunId::range_of_prefix("").is_none());
    }

    #[test]
    fn bad_names_are_refused_with_the_character() {
        assert_eq!(JobId::new("a/b"), Err(IdError::Character("job", '/')));
        assert_eq!(PluginName::new(""), Err(IdError::Empty("plugin")));
        assert!(PoolName::new("x".repeat(129)).is_err());
        assert!("not-an-id".parse::<RunId>().is_err());
        assert!("zzzzzzzzzzzzz".parse::<RunId>().is_err());
    }
}
