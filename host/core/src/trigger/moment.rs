//! Date-times as people write them: an instant with an offset, or a reading of the wall clock without one.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{error::TriggerError, zone::zone};
use crate::model::Timestamp;

const FORMS: &str = "write \"2030-11-06\", \"2030-11-06 16:30:05\" (in the trigger's time zone) or \
                     \"2030-11-06T16:30:05+08:00\"";

/// A date-time as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Instant(Timestamp),
    Wall(NaiveDateTime),
}

impl Moment {
    /// Reads `2030-11-06`, `2030-11-06 16:30:05` or the same with `T`, a fraction, and `Z` or an offset.
    pub(super) fn parse(field: &str, text: &str) -> Result<Self, TriggerError> {
        let bad = |what: &str| TriggerError::new(field, format!("{text:?} {what}")).with_hint(FORMS);
        let Some((date, rest)) = split_date(text) else { return Err(bad("is not a date or date-time")) };
        let [year, month, day] = date;
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).unwrap_or(0), month, day)
            .filter(|_| year > 0)
            .ok_or_else(|| bad("names a day that does not exist"))?;
        if rest.is_empty() {
            return Ok(Self::Wall(date.and_time(NaiveTime::MIN)));
        }
        let Some((clock, nanos, rest)) = split_time(rest) else {
            return Err(bad("is not a date or date-time: the time of day reads HH:MM:SS"));
        };
        let [hour, minute, second] = clock;
        let wall = date
            .and_hms_nano_opt(hour, minute, second, nanos)
            .ok_or_else(|| bad("names a time of day outside 00:00:00 to 23:59:59"))?;
        if rest.is_empty() {
            return Ok(Self::Wall(wall));
        }
        let offset = parse_offset(rest).ok_or_else(|| bad("ends in something that is no offset from UTC"))?;
        let instant = wall.checked_sub_offset(offset).ok_or_else(|| bad("is out of range"))?;
        Ok(Self::Instant(instant.and_utc()))
    }

    /// The instant meant: a wall time that occurs twice is its first occurrence, one that is skipped is the first
    /// instant after the gap.
    pub(super) fn resolve(self, tz: Tz) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Wall(wall) => resolve_wall(wall, tz),
        }
    }

    /// The date that the calendar on the wall shows.
    pub(super) fn local_date(self, tz: Tz) -> NaiveDate {
        match self {
            Self::Instant(instant) => local(instant, tz).date(),
            Self::Wall(wall) => wall.date(),
        }
    }
}

/// Reads a time as people write it: `2030-11-06`, `2030-11-06 16:30:05` (in `zone`) or `2030-11-06T16:30:05+08:00`.
///
/// A time that the clock in `zone` shows twice is its first occurrence, one that it skips the end of the gap.
///
/// ```
/// use clockbox_core::trigger::parse_time;
/// let time = parse_time("2024-03-31 02:30:00", chrono_tz::Europe::Berlin).unwrap();
/// assert_eq!(time.to_rfc3339(), "2024-03-31T01:00:00+00:00");
/// assert!(parse_time("tomorrow", chrono_tz::UTC).is_err());
/// ```
///
/// # Errors
/// When the text is not such a time.
pub fn parse_time(text: &str, zone: Tz) -> Result<Timestamp, TriggerError> {
    const FORMS: &str = "write \"2030-11-06\", \"2030-11-06 16:30:05\" or \"2030-11-06T16:30:05+08:00\"";
    let time = Moment::parse("", text).map(|moment| moment.resolve(zone));
    time.map_err(|error| error.with_hint(FORMS))
}

/// The time of an instant in a zone, with the zone's offset by the data in use (see [`super::zone_data`]).
///
/// ```
/// use clockbox_core::trigger::local_time;
/// let at = "2024-03-31T01:00:00Z".parse().unwrap();
/// assert_eq!(local_time(at, chrono_tz::Europe::Berlin).to_rfc3339(), "2024-03-31T03:00:00+02:00");
/// ```
#[must_use]
pub fn local_time(at: Timestamp, zone: Tz) -> DateTime<FixedOffset> {
    let offset = i32::try_from(self::zone(zone).offset(at.timestamp())).ok().and_then(FixedOffset::east_opt);
    at.with_timezone(&offset.unwrap_or_else(|| chrono::Offset::fix(&Utc)))
}

/// What the clock on the wall shows at an instant.
pub(super) fn local(at: Timestamp, tz: Tz) -> NaiveDateTime {
    let utc = at.naive_utc();
    utc.checked_add_signed(TimeDelta::seconds(zone(tz).offset(at.timestamp()))).unwrap_or(utc)
}

/// The instant of a wall time; see [`Moment::resolve`].
pub(super) fn resolve_wall(wall: NaiveDateTime, tz: Tz) -> Timestamp {
    let zone = zone(tz);
    let seconds = wall.and_utc().timestamp();
    let instant = zone.first_instant(seconds);
    let in_gap = instant + zone.offset(instant) != seconds;
    let nanos = if in_gap { 0 } else { wall.and_utc().timestamp_subsec_nanos() };
    DateTime::<Utc>::from_timestamp(instant, nanos).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Reads a plain `2030-11-06` and nothing else.
pub(super) fn parse_date(field: &str, text: &str) -> Result<NaiveDate, TriggerError> {
    let shape = text.len() == 10 && matches!(split_date(text), Some((_, "")));
    match Moment::parse(field, text) {
        Ok(Moment::Wall(wall)) if shape => Ok(wall.date()),
        Err(error) if shape => Err(error),
        _ => {
            Err(TriggerError::new(field, format!("{text:?} is not a date")).with_hint("write \"2030-11-06\""))
        }
    }
}

/// Splits a number of `least` to `most` digits off the front.
fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(least..=most).contains(&digits) {
        return None;
    }
    let (number, rest) = text.split_at(digits);
    Some((number.parse().ok()?, rest))
}

fn split_date(text: &str) -> Option<([u32; 3], &str)> {
    let (year, rest) = number(text, 4, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
    Some(([year, month, day], rest))
}

fn split_time(text: &str) -> Option<([u32; 3], u32, &str)> {
    let (hour, rest) = number(text.strip_prefix(['T', ' '])?, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 1, 2)?;
    let (second, rest) = number(rest.strip_prefix(':')?, 1, 2)?;
    let Some(fraction) = rest.strip_prefix('.') else { return Some(([hour, minute, second], 0, rest)) };
    let (value, rest) = number(fraction, 1, 9)?;
    let digits = u32::try_from(fraction.len() - rest.len()).ok()?;
    // The stores keep microseconds; what is finer would not survive a restart.
    let nanos = value * 10u32.pow(9 - digits) / 1000 * 1000;
    Some(([hour, minute, second], nanos, rest))
}

fn parse_offset(text: &str) -> Option<FixedOffset> {
    if text == "Z" {
        return FixedOffset::east_opt(0);
    }
    let sign = if text.starts_with('+') { 1 } else { -1 };
    let (hours, rest) = number(text.strip_prefix(['+', '-'])?, 2, 2)?;
    let (minutes, rest) = number(rest.strip_prefix(':')?, 2, 2)?;
    if !rest.is_empty() || hours > 23 || minutes > 59 {
        return None;
    }
    FixedOffset::east_opt(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, tz: Tz) -> String {
        Moment::parse("date", text).unwrap().resolve(tz).to_rfc3339()
    }

    #[test]
    fn a_skipped_time_is_the_first_instant_after_the_gap_without_its_fraction() {
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(resolved("2024-03-31 02:30:00.5", berlin), "2024-03-31T01:00:00+00:00");
        assert_eq!(resolved("2024-03-31 03:30:00.5", berlin), "2024-03-31T01:30:00.500+00:00");
    }

    #[test]
    fn a_repeated_time_is_its_first_occurrence() {
        assert_eq!(resolved("2024-10-27T02:30:00", chrono_tz::Europe::Berlin), "2024-10-27T00:30:00+00:00");
    }

    #[test]
    fn what_is_not_a_date_is_refused_with_the_forms_that_are() {
        let texts = [
            "",
            "soon",
            "2023-02-29",
            "2024-01-01T24:00:00",
            "2024-01-01 10:00",
            "2024-01-01T10:00:00z",
            "٢٠٢٤-01-01",
        ];
        for text in texts {
            let error = Moment::parse("date", text).unwrap_err();
            assert!(error.hint.is_some_and(|hint| hint.contains("2030-11-06")), "{text}");
        }
        assert!(parse_date("start_date", "2024-1-1").is_err());
        assert!(parse_date("start_date", "2024-01-01 00:00:00").is_err());
    }
}
