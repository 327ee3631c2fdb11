//! What follows the `?`, where it is more than a word: several at once, times, and where a page ends.

use std::{fmt::Display, str::FromStr};

use chrono::{DateTime, TimeDelta};
use clockbox_core::model::{Run, RunId, Timestamp, parse_duration};

use super::problem::Problem;

/// One or several, parted by commas.
pub(super) fn several<T: FromStr<Err: Display>>(key: &str, text: Option<String>) -> Result<Vec<T>, Problem> {
    let wrong = |error: T::Err| Problem::bad_request(format!("{key}: {error}"));
    let text = text.unwrap_or_default();
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(wrong)).collect()
}

/// A time as RFC 3339 has it, or a duration before now.
pub(super) fn time(key: &str, text: Option<String>, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(at) = DateTime::parse_from_rfc3339(&text) {
        return Ok(Some(at.to_utc()));
    }
    let ago = parse_duration(&text).ok().and_then(|ago| TimeDelta::from_std(ago).ok());
    let at = ago.and_then(|ago| now.checked_sub_signed(ago));
    at.map(Some).ok_or_else(|| {
        Problem::bad_request(format!(
            "{key}: {text:?} is neither a time such as 2030-01-01T00:00:00Z nor a duration such as 2h"
        ))
        .hint("a + in a query is written %2B")
    })
}

/// Where the page behind this run begins.
pub(super) fn cursor(run: &Run) -> String {
    format!("{:x}-{}", run.scheduled_at.timestamp_micros(), run.id)
}

/// What [`cursor`] has written.
pub(super) fn read_cursor(text: &str) -> Result<(Timestamp, RunId), Problem> {
    let read = || {
        let (micros, id) = text.split_once('-')?;
        // As it is written, a time before 1970 begins with an f.
        let micros = u64::from_str_radix(micros, 16).ok()?.cast_signed();
        Some((DateTime::from_timestamp_micros(micros)?, id.parse().ok()?))
    };
    read().ok_or_else(|| {
        let detail = format!("after: {text:?} is not where a page ends");
        Problem::bad_request(detail).hint("write what `next` of the page before says")
    })
}

#[cfg(test)]
mod tests {
    use clockbox_core::model::RunState;

    use super::*;

    #[test]
    fn several_are_parted_by_commas() {
        let states = |text: &str| several::<RunState>("state", Some(text.to_owned()));
        assert_eq!(states("missed, skipped,").unwrap(), [RunState::Missed, RunState::Skipped]);
        assert!(several::<RunState>("state", None).unwrap().is_empty());
        assert!(states("mised").unwrap_err().detail.starts_with("state: \"mised\" is not a state"));
    }

    #[test]
    fn a_time_is_a_time_or_so_long_ago() {
        let now = "2030-01-01T02:00:00Z".parse().unwrap();
        let read = |text: &str| time("since", Some(text.to_owned()), now);
        assert_eq!(read("2h").unwrap(), Some("2030-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(read("2030-01-01T01:00:00+01:00").unwrap(), Some("2030-01-01T00:00:00Z".parse().unwrap()));
        assert!(read("soon").is_err() && read("999999999999999d").is_err());
        assert_eq!(time("since", None, now).unwrap(), None);
    }

    #[test]
    fn nonsense_is_no_cursor() {
        for text in ["", "-", "zz-0000000000000", "1-", "ffffffffffffffffff-0000000000000", "é"] {
            assert!(read_cursor(text).is_err(), "{text:?}");
        }
        let before = format!("{:x}-0000000000000", -1_i64);
        assert_eq!(read_cursor(&before).unwrap().0.timestamp_micros(), -1);
    }
}
