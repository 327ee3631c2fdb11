//! A time zone as a list of spans of constant offset, and the two questions asked of it: what the clock on the wall
//! has shown so far, and when it first shows a reading or passes over it.
//!
//! A *wall* time is what a clock on the wall shows, in seconds since its own 1970-01-01T00:00:00.

use std::sync::OnceLock;

use chrono_tz::{TZ_VARIANTS, Tz};
use jiff::{Timestamp, tz::TimeZone};

use super::zone_data;

const DAY: i64 = 86_400;
/// No two offsets of a zone differ by more than this; the furthest were 24 hours apart.
const REACH: i64 = 2 * DAY;
/// Rules without an end are followed until the year 2600.
const END: i64 = 19_880_899_200;

#[derive(Debug, Clone, Copy)]
struct Span {
    begin: i64,
    offset: i64,
}

/// The offsets of one zone, in order.
#[derive(Debug)]
pub(super) struct Zone {
    spans: Box<[Span]>,
}

/// The spans of a zone: found out at its first use, then kept.
pub(super) fn zone(tz: Tz) -> &'static Zone {
    static ZONES: OnceLock<Box<[OnceLock<Zone>]>> = OnceLock::new();
    let zones = ZONES.get_or_init(|| TZ_VARIANTS.iter().map(|_| OnceLock::new()).collect());
    // The variants are declared in the order of the list; the modulus only spares an unreachable panic.
    zones[tz as usize % zones.len()].get_or_init(|| Zone::read(&zone_data::rules(tz)))
}

impl Zone {
    fn read(rules: &TimeZone) -> Self {
        let offset = |at: Timestamp| i64::from(rules.to_offset(at).seconds());
        let mut spans = vec![Span { begin: i64::MIN, offset: offset(Timestamp::MIN) }];
        for change in rules.following(Timestamp::MIN) {
            let (begin, offset) = (change.timestamp().as_second(), i64::from(change.offset().seconds()));
            if begin >= END {
                break;
            }
            // The name of the time may change without the offset.
            if spans.last().is_none_or(|last| last.offset != offset) {
                spans.push(Span { begin, offset });
            }
        }
        Self { spans: spans.into() }
    }

    fn index(&self, at: i64) -> usize {
        self.spans.partition_point(|span| span.begin <= at).saturating_sub(1)
    }

    /// The first reading that the wall clock no longer shows when the span ends.
    fn wall_end(&self, index: usize) -> i64 {
        match self.spans.get(index + 1) {
            Some(next) => next.begin + self.spans[index].offset,
            None => i64::MAX,
        }
    }

    /// The offset from UTC in seconds at an instant.
    pub(super) fn offset(&self, at: i64) -> i64 {
        self.spans[self.index(at)].offset
    }

    /// The lowest reading that the wall clock had neither shown nor passed over before the instant `at`.
    pub(super) fn unread(&self, at: i64) -> i64 {
        let mut index = self.index(at);
        let begin = self.spans[index].begin;
        let mut unread = if at > begin { at.saturating_add(self.spans[index].offset) } else { i64::MIN };
        while index > 0 && self.spans[index].begin > at.saturating_sub(REACH) {
            index -= 1;
            unread = unread.max(self.wall_end(index));
        }
        unread
    }

    /// The first instant at which the wall clock shows `wall` or a later reading: its first occurrence if there are
    /// two, the end of the gap if there is none.
    pub(super) fn first_instant(&self, wall: i64) -> i64 {
        let mut index = self.index(wall.saturating_sub(REACH));
        while self.wall_end(index) <= wall {
            index += 1;
        }
        wall.saturating_sub(self.spans[index].offset).max(self.spans[index].begin)
    }

    /// The first instant not before `at` whose reading matches; `next` finds the first matching reading not before
    /// the one it is given. Readings that are passed over never match, those shown twice match twice.
    pub(super) fn first_showing(&self, at: i64, next: impl Fn(i64) -> Option<i64>) -> Option<i64> {
        let mut index = self.index(at);
        let mut from = at.saturating_add(self.spans[index].offset);
        let mut wall = next(from).unwrap_or(i64::MAX);
        while wall >= self.wall_end(index) && index + 1 < self.spans.len() {
            index += 1;
            let begin = self.spans[index].begin + self.spans[index].offset;
            if begin < from || wall < begin {
                wall = next(begin).unwrap_or(i64::MAX);
                from = begin;
            }
        }
        (wall != i64::MAX).then(|| wall - self.spans[index].offset)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};

    use super::*;

    fn year_start(year: i32) -> i64 {
        NaiveDate::from_yo_opt(year, 1).unwrap().and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
    }

    #[test]
    fn every_zone_is_found_under_its_own_number() {
        for (index, tz) in TZ_VARIANTS.iter().enumerate() {
            assert_eq!(index, *tz as usize, "{tz}");
        }
    }

    #[test]
    fn no_change_of_any_zone_is_overlooked() {
        for tz in TZ_VARIANTS {
            let (zone, rules) = (zone(tz), zone_data::rules(tz));
            let mut at = year_start(1970);
            while at < year_start(2060) {
                let expected = rules.to_offset(Timestamp::from_second(at).unwrap()).seconds();
                assert_eq!(zone.offset(at), i64::from(expected), "{tz} at {at}");
                at += 13 * DAY / 2;
            }
        }
    }

    #[test]
    fn daylight_saving_does_not_end_with_the_zone_data() {
        let berlin = zone(chrono_tz::Europe::Berlin);
        assert_eq!(berlin.offset(year_start(2232) + 180 * DAY), 7200);
        assert_eq!(berlin.offset(year_start(2232) + 20 * DAY), 3600);
        assert_eq!(berlin.offset(year_start(2599) + 180 * DAY), 7200);
        let new_york = zone(chrono_tz::America::New_York);
        assert_eq!(new_york.offset(year_start(2300) + 180 * DAY), -4 * 3600);
    }

    #[test]
    fn a_missing_day_ends_at_the_first_instant_after_it() {
        let apia = zone(chrono_tz::Pacific::Apia);
        let friday = NaiveDate::from_ymd_opt(2011, 12, 30).unwrap().and_hms_opt(12, 0, 0).unwrap();
        let after = DateTime::parse_from_rfc3339("2011-12-31T00:00:00+14:00").unwrap().timestamp();
        assert_eq!(apia.first_instant(friday.and_utc().timestamp()), after);
        assert_eq!(
            apia.unread(after),
            NaiveDate::from_ymd_opt(2011, 12, 30)
                .unwrap()
                .and_time(chrono::NaiveTime::MIN)
                .and_utc()
                .timestamp()
        );
    }
}
