//! Durations as people write them: `30s`, `1h 30m`, `2 days`.

use std::{fmt, time::Duration};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a duration: {reason}; write for instance \"30s\", \"1h 30m\" or \"2days\"")]
pub struct DurationError {
    text: String,
    reason: String,
}

/// Reads a duration such as `30s`, `1h 30m`, `250ms` or `2 days`.
///
/// # Errors
/// When the text is not a sum of numbers with units, or is beyond 1,000 years.
///
/// ```
/// use std::time::Duration;
/// use clockbox_core::model::parse_duration;
/// assert_eq!(parse_duration("1h 30m").unwrap(), Duration::from_secs(5400));
/// assert!(parse_duration("soon").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    const LONGEST: Duration = Duration::from_secs(1000 * 366 * 86_400);
    let bad = |reason: String| DurationError { text: text.to_owned(), reason };
    // A month to the parser, and a minute to whoever writes it.
    let is_m = |word: &str| word == "M";
    if text.split(|c: char| !c.is_ascii_alphabetic()).any(is_m) {
        return Err(bad("\"M\" could be minutes or months: write \"m\" or \"months\"".to_owned()));
    }
    let parsed = humantime::parse_duration(text.trim()).map_err(|e| bad(e.to_string()))?;
    if parsed > LONGEST {
        return Err(bad("it is longer than 1,000 years".to_owned()));
    }
    Ok(parsed)
}

/// Writes a duration so that [`parse_duration`] reads it back: `1h 30m`.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(clockbox_core::model::format_duration(Duration::from_secs(5400)), "1h 30m");
/// ```
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

/// Writes a duration for people, by its two largest units: `6years 10months`. [`format_duration`] is exact.
///
/// ```
/// use std::time::Duration;
/// use clockbox_core::model::format_roughly;
/// assert_eq!(format_roughly(Duration::from_millis(90_061_500)), "1day 1h");
/// assert_eq!(format_roughly(Duration::from_millis(1500)), "1s 500ms");
/// assert_eq!(format_roughly(Duration::ZERO), "0s");
/// ```
#[must_use]
pub fn format_roughly(duration: Duration) -> String {
    let text = format_duration(duration);
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// How late a fire may be noticed and still run: a length of time, or `forever`.
///
/// ```
/// use clockbox_core::model::Grace;
/// assert_eq!("forever".parse::<Grace>().unwrap(), Grace::Forever);
/// assert_eq!("90s".parse::<Grace>().unwrap().to_string(), "1m 30s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Grace {
    /// At most this late.
    Within(Duration),
    /// However late.
    Forever,
}

impl Grace {
    /// Whether a fire that is `late` may still run.
    #[must_use]
    pub fn allows(self, late: TimeDelta) -> bool {
        match self {
            Self::Forever => true,
            Self::Within(grace) => late.to_std().is_ok_and(|late| late <= grace) || late < TimeDelta::zero(),
        }
    }
}

impl From<Duration> for Grace {
    fn from(grace: Duration) -> Self {
        Self::Within(grace)
    }
}

impl fmt::Display for Grace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(duration) => f.pad(&format_duration(*duration)),
            Self::Forever => f.pad("forever"),
        }
    }
}

impl std::str::FromStr for Grace {
    type Err = DurationError;
    fn from_str(text: &str) -> Result<Self, DurationError> {
        match text.trim() {
            "forever" => Ok(Self::Forever),
            text => parse_duration(text).map(Self::Within),
        }
    }
}

impl TryFrom<String> for Grace {
    type Error = DurationError;
    fn try_from(text: String) -> Result<Self, DurationError> {
        text.parse()
    }
}

impl From<Grace> for String {
    fn from(grace: Grace) -> String {
        grace.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_is_inclusive_and_forgives_an_early_look() {
        let grace = Grace::Within(Duration::from_secs(60));
        assert!(grace.allows(TimeDelta::seconds(60)));
        assert!(grace.allows(TimeDelta::seconds(-5)));
        assert!(!grace.allows(TimeDelta::milliseconds(60_001)));
        assert!(Grace::Forever.allows(TimeDelta::days(4000)));
    }

    #[test]
    fn absurd_lengths_are_refused() {
        assert!(parse_duration("99999999 years").is_err());
        assert!(parse_duration("").is_err());
        assert!(parse_duration("-3s").is_err());
    }

    #[test]
    fn an_m_that_could_be_two_things_is_refused() {
        assert!(parse_duration("5M").unwrap_err().to_string().contains("minutes or months"));
        assert_eq!(parse_duration("5m").unwrap(), Duration::from_secs(300));
        assert!(parse_duration("2months 3min").is_ok());
    }
}
