//! A cron trigger, compiled: which readings of the wall clock match, and the instants they stand for.

use std::sync::OnceLock;

use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;

use super::{
    days::{Days, Month},
    zone::zone,
};
use crate::model::Timestamp;

const DAY: i64 = 86_400;
pub(super) const LAST_YEAR: i32 = 9999;

/// A run of years: from, to, and the step between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Years {
    pub(super) from: u16,
    pub(super) to: u16,
    pub(super) step: u16,
}

/// A compiled cron trigger: each field a set of bits, so that it takes the same few words whatever was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    pub(super) seconds: u64,
    pub(super) minutes: u64,
    pub(super) hours: u32,
    /// Whether hour or minute begins with a star: such a trigger follows the clock through a change, a trigger at
    /// fixed times fires once for each of its times.
    pub(super) wildcard: bool,
    pub(super) days: Days,
    /// Empty for any year.
    pub(super) years: Box<[Years]>,
    /// The kinds of year (see [`kind`]) in which some day matches, a bit each; filled in by [`Self::compile`].
    pub(super) kinds: u32,
}

impl Cron {
    /// Every second.
    pub(super) fn every_second() -> Self {
        let sixty = (1 << 60) - 1;
        let hours = (1 << 24) - 1;
        let years = Box::default();
        Self {
            seconds: sixty,
            minutes: sixty,
            hours,
            wildcard: true,
            days: Days::ALL,
            years,
            kinds: u32::MAX,
        }
    }

    /// Finds out in which kinds of year any day matches, where that may be worth knowing.
    pub(super) fn compile(mut self) -> Self {
        let some = |year: i32| (1..=12).any(|month| self.month_mask(year, month) != 0);
        if !some(2023) {
            self.kinds = models().iter().enumerate().fold(0, |kinds, (kind, year)| match year {
                Some(year) if some(*year) => kinds | 1 << kind,
                _ => kinds,
            });
        }
        self
    }

    /// Whether there is no day in any calendar that matches.
    pub(super) fn is_impossible(&self) -> bool {
        self.kinds == 0
    }

    /// The first fire not before `at`.
    pub(super) fn at_or_after(&self, at: Timestamp, tz: Tz) -> Option<Timestamp> {
        let seconds = at.timestamp().checked_add(i64::from(at.timestamp_subsec_nanos() > 0))?;
        let zone = zone(tz);
        let fire = if self.wildcard {
            zone.first_showing(seconds, |wall| self.next_wall(wall))?
        } else {
            zone.first_instant(self.next_wall(zone.unread(seconds))?)
        };
        DateTime::from_timestamp(fire, 0)
    }

    /// The first matching reading of the wall clock that is not before `from`.
    fn next_wall(&self, from: i64) -> Option<i64> {
        let from = from.max(0);
        let (day, second) = (from.div_euclid(DAY), from.rem_euclid(DAY));
        let today = NaiveDate::from_epoch_days(i32::try_from(day).ok()?)?;
        if today.year() > LAST_YEAR {
            return None;
        }
        if self.day_matches(today)
            && let Some(second) = self.next_second(second)
        {
            return Some(day * DAY + second);
        }
        let date = self.next_day(today)?;
        Some(i64::from(date.to_epoch_days()) * DAY + self.next_second(0)?)
    }

    /// The first matching second of a day that is not before `from`.
    fn next_second(&self, from: i64) -> Option<i64> {
        let (hour, minute, second) = (from / 3600, from / 60 % 60, from % 60);
        let join = |hour: i64, minute: i64, second: i64| hour * 3600 + minute * 60 + second;
        let (first_minute, first_second) = (bit_from(self.minutes, 0)?, bit_from(self.seconds, 0)?);
        if u64::from(self.hours) >> hour & 1 == 1 {
            if self.minutes >> minute & 1 == 1
                && let Some(second) = bit_from(self.seconds, second)
            {
                return Some(join(hour, minute, second));
            }
            if let Some(minute) = bit_from(self.minutes, minute + 1) {
                return Some(join(hour, minute, first_second));
            }
        }
        Some(join(bit_from(u64::from(self.hours), hour + 1)?, first_minute, first_second))
    }

    fn month_mask(&self, year: i32, month: u32) -> u32 {
        if self.days.months >> month & 1 == 0 {
            return 0;
        }
        Month::new(year, month).map_or(0, |month| self.days.mask(&month))
    }

    pub(super) fn year_matches(&self, year: i32) -> bool {
        self.years.is_empty()
            || u16::try_from(year).is_ok_and(|year| {
                self.years.iter().any(|r| (r.from..=r.to).contains(&year) && (year - r.from) % r.step == 0)
            })
    }

    fn day_matches(&self, date: NaiveDate) -> bool {
        self.year_matches(date.year()) && self.month_mask(date.year(), date.month()) >> date.day() & 1 == 1
    }

    /// The first matching day after `today`.
    fn next_day(&self, today: NaiveDate) -> Option<NaiveDate> {
        let (mut month, mut after) = (today.month(), today.day());
        for year in today.year()..=LAST_YEAR {
            if self.year_matches(year) && self.kinds >> kind(year)? & 1 == 1 {
                while month <= 12 {
                    let rest = self.month_mask(year, month) & u32::MAX.checked_shl(after + 1).unwrap_or(0);
                    if rest != 0 {
                        return NaiveDate::from_ymd_opt(year, month, rest.trailing_zeros());
                    }
                    (month, after) = (month + 1, 0);
                }
            }
            (month, after) = (1, 0);
        }
        None
    }
}

/// The lowest bit that is set at or above `from`.
fn bit_from(bits: u64, from: i64) -> Option<i64> {
    let rest = bits & u32::try_from(from).ok().and_then(|from| u64::MAX.checked_shl(from)).unwrap_or(0);
    (rest != 0).then(|| i64::from(rest.trailing_zeros()))
}

/// Years with the same kind have the same days on the same weekdays and in the same weeks: it is told by the weekday
/// of 1 January, and whether this year and the one before are leap years.
fn kind(year: i32) -> Option<u32> {
    let leap = |year: i32| u32::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let first = NaiveDate::from_yo_opt(year, 1)?.weekday().num_days_from_monday();
    Some(first * 4 + leap(year) * 2 + leap(year - 1))
}

/// A year of each kind; some of the 28 do not occur.
fn models() -> &'static [Option<i32>; 28] {
    static MODELS: OnceLock<[Option<i32>; 28]> = OnceLock::new();
    MODELS.get_or_init(|| {
        let mut models = [None; 28];
        // The calendar repeats after 400 years.
        for year in 2000..2400 {
            if let Some(kind) = kind(year).and_then(|kind| models.get_mut(kind as usize)) {
                *kind = Some(year);
            }
        }
        models
    })
}
