//! Which days of a month a cron trigger names, as a mask: bit `d` stands for day `d`.

use chrono::{Datelike, NaiveDate};

/// Weekdays of a month: a byte per weekday (Monday lowest) with a bit for each occurrence and one for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Weekdays(u64);

const EVERY: u64 = 0b1_1111;
const LAST: u64 = 0b10_0000;

impl Weekdays {
    /// All seven, every time.
    pub(super) const ALL: Self = Self(EVERY * 0x0001_0101_0101_0101);

    /// Adds every such weekday; 0 is Monday.
    pub(super) fn add(&mut self, weekday: u32) {
        self.0 |= EVERY << (8 * weekday);
    }

    /// Adds the `nth` such weekday of the month, 1 to 5.
    pub(super) fn add_nth(&mut self, weekday: u32, nth: u32) {
        self.0 |= 1 << (8 * weekday + nth - 1);
    }

    /// Adds the last such weekday of the month.
    pub(super) fn add_last(&mut self, weekday: u32) {
        self.0 |= LAST << (8 * weekday);
    }

    /// The weekdays of which every occurrence is named, and the occurrences named besides; for describing.
    pub(super) fn parts(self) -> impl Iterator<Item = (u32, Occurrence)> {
        (0..7u32).flat_map(move |weekday| {
            let bits = self.0 >> (8 * weekday) & 0xff;
            let every = (bits & EVERY == EVERY).then_some(Occurrence::Every);
            let nth = (1..=5).filter(move |nth| every.is_none() && bits >> (nth - 1) & 1 == 1);
            let last = (bits & LAST != 0 && every.is_none()).then_some(Occurrence::Last);
            every.into_iter().chain(nth.map(Occurrence::Nth)).chain(last).map(move |part| (weekday, part))
        })
    }

    fn mask(self, month: &Month) -> u32 {
        if self == Self::ALL {
            return month.all();
        }
        (0..7u32).fold(0, |mask, weekday| {
            let bits = self.0 >> (8 * weekday) & 0xff;
            if bits == 0 {
                return mask;
            }
            let first = 1 + (weekday + 7 - month.first_weekday) % 7;
            let mut days = (0..5).fold(0u32, |days, nth| match bits >> nth & 1 {
                1 => days | 1u32.checked_shl(first + 7 * nth).unwrap_or(0),
                _ => days,
            });
            if bits & LAST != 0 {
                days |= 1 << (first + (month.length - first) / 7 * 7);
            }
            mask | days
        }) & month.all()
    }
}

/// Which occurrence of a weekday in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurrence {
    Every,
    Nth(u32),
    Last,
}

/// A month of a year as far as the calendar goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Month {
    length: u32,
    /// 0 is Monday.
    first_weekday: u32,
    /// The ISO week of its first day.
    first_week: u32,
    /// The ISO week of its last day.
    last_week: u32,
}

impl Month {
    /// `None` outside the calendar's range.
    pub(super) fn new(year: i32, month: u32) -> Option<Self> {
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let length = u32::from(first.num_days_in_month());
        Some(Self {
            length,
            first_weekday: first.weekday().num_days_from_monday(),
            first_week: first.iso_week().week(),
            last_week: first.with_day(length)?.iso_week().week(),
        })
    }

    fn all(&self) -> u32 {
        u32::MAX >> (31 - self.length) & !1
    }

    fn weekday(&self, day: u32) -> u32 {
        (self.first_weekday + day - 1) % 7
    }
}

/// The day fields of a cron trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    /// Bit `m` stands for month `m`.
    pub(super) months: u16,
    /// Day numbers; 0 where the day field names none.
    pub(super) numbers: u32,
    /// The last day of the month.
    pub(super) last: bool,
    /// The last Monday-to-Friday day of the month.
    pub(super) last_workday: bool,
    /// Whether a day need match only one of day and day of week.
    pub(super) either: bool,
    /// Days whose nearest Monday-to-Friday day is meant.
    pub(super) nearest: u32,
    /// ISO weeks, bit `w` for week `w`.
    pub(super) weeks: u64,
    /// Weekdays named in the day field, such as `3rd fri`.
    pub(super) day_weekdays: Weekdays,
    /// The day-of-week field.
    pub(super) weekdays: Weekdays,
}

pub(super) const ALL_MONTHS: u16 = 0b1_1111_1111_1110;
pub(super) const ALL_NUMBERS: u32 = !1;
pub(super) const ALL_WEEKS: u64 = (1 << 54) - 2;

impl Days {
    /// Every day.
    pub(super) const ALL: Self = Self {
        months: ALL_MONTHS,
        numbers: ALL_NUMBERS,
        last: false,
        last_workday: false,
        either: false,
        nearest: 0,
        weeks: ALL_WEEKS,
        day_weekdays: Weekdays(0),
        weekdays: Weekdays::ALL,
    };

    /// The days of a month that match; whether the month itself does is not asked.
    pub(super) fn mask(&self, month: &Month) -> u32 {
        let day = self.day_mask(month);
        let weekday = self.weekdays.mask(month);
        let both = if self.either { day | weekday } else { day & weekday };
        if self.weeks == ALL_WEEKS || both == 0 { both } else { both & self.week_mask(month) }
    }

    fn day_mask(&self, month: &Month) -> u32 {
        let mut mask = self.numbers;
        if mask == ALL_NUMBERS {
            return month.all();
        }
        if self.last {
            mask |= 1 << month.length;
        }
        if self.last_workday {
            mask |= 1 << (month.length - month.weekday(month.length).saturating_sub(4));
        }
        if self.nearest != 0 {
            for day in (1..=month.length).filter(|day| self.nearest >> day & 1 == 1) {
                mask |= 1 << nearest_workday(day, month);
            }
        }
        if self.day_weekdays != Weekdays::default() {
            mask |= self.day_weekdays.mask(month);
        }
        mask & month.all()
    }

    fn week_mask(&self, month: &Month) -> u32 {
        let (mut mask, mut day, mut week) = (0u32, 1, month.first_week);
        while day <= month.length {
            let end = (day + 6 - month.weekday(day)).min(month.length);
            if self.weeks >> week & 1 == 1 {
                mask |= (u32::MAX >> (31 - end)) & (u32::MAX << day);
            }
            day = end + 1;
            // January may begin in week 52 or 53, December may end in week 1.
            week = match week {
                _ if day + 6 >= month.length + month.weekday(day) => month.last_week,
                52.. => 1,
                _ => week + 1,
            };
        }
        mask
    }
}

/// The Monday-to-Friday day nearest to `day` within the month.
fn nearest_workday(day: u32, month: &Month) -> u32 {
    match month.weekday(day) {
        5 if day == 1 => 3,
        5 => day - 1,
        6 if day == month.length => day - 2,
        6 => day + 1,
        _ => day,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days of the month by asking the calendar day by day.
    fn slowly(year: i32, month: u32, matches: impl Fn(NaiveDate) -> bool) -> u32 {
        (1..=31)
            .filter_map(|day| NaiveDate::from_ymd_opt(year, month, day))
            .filter(|day| matches(*day))
            .fold(0, |mask, day| mask | 1 << day.day())
    }

    #[test]
    fn weeks_agree_with_the_calendar_in_every_month_of_400_years() {
        for (year, month) in (2000..2400).flat_map(|year| (1..=12).map(move |month| (year, month))) {
            for week in [1, 2, 9, 26, 51, 52, 53] {
                let days = Days { weeks: 1 << week, ..Days::ALL };
                let expected = slowly(year, month, |day| day.iso_week().week() == week);
                assert_eq!(
                    days.mask(&Month::new(year, month).unwrap()),
                    expected,
                    "{year}-{month} week {week}"
                );
            }
        }
    }

    #[test]
    fn occurrences_of_weekdays_agree_with_the_calendar() {
        for (year, month) in (2000..2028).flat_map(|year| (1..=12).map(move |month| (year, month))) {
            let of = Month::new(year, month).unwrap();
            for weekday in 0..7 {
                let is = |day: NaiveDate| day.weekday().num_days_from_monday() == weekday;
                for nth in 1..=5 {
                    let mut weekdays = Weekdays::default();
                    weekdays.add_nth(weekday, nth);
                    let expected = slowly(year, month, |day| is(day) && (day.day() - 1) / 7 + 1 == nth);
                    assert_eq!(weekdays.mask(&of), expected);
                }
                let mut last = Weekdays::default();
                last.add_last(weekday);
                let expected = slowly(year, month, |day| is(day) && day.day() + 7 > of.length);
                assert_eq!(last.mask(&of), expected);
                let mut every = Weekdays::default();
                every.add(weekday);
                assert_eq!(every.mask(&of), slowly(year, month, is));
            }
        }
    }

    #[test]
    fn workdays_stay_within_the_month() {
        let june_2024 = Month::new(2024, 6).unwrap();
        let nearest = |day: u32| Days { numbers: 0, nearest: 1 << day, ..Days::ALL }.mask(&june_2024);
        assert_eq!(nearest(1), 1 << 3, "the 1st is a Saturday");
        assert_eq!(nearest(30), 1 << 28, "the 30th is a Sunday");
        assert_eq!(nearest(15), 1 << 14);
        assert_eq!(nearest(31), 0, "there is no 31st");
        let last = Days { numbers: 0, last_workday: true, ..Days::ALL };
        assert_eq!(last.mask(&june_2024), 1 << 28);
    }
}
