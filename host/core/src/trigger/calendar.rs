//! Calendar triggers: every so many years, months, weeks and days, at a time of day.

use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::{
    cron::LAST_YEAR,
    error::TriggerError,
    moment::{local, parse_date, resolve_wall},
    table::CalendarTable,
};
use crate::model::Timestamp;

/// A compiled calendar trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Calendar {
    pub(super) months: u32,
    pub(super) days: u32,
    pub(super) time: NaiveTime,
    pub(super) first: Option<NaiveDate>,
    pub(super) last: Option<NaiveDate>,
}

impl Calendar {
    /// Compiles the table.
    pub(super) fn new(table: &CalendarTable) -> Result<Self, TriggerError> {
        let years = within("years", table.years, 9999)?;
        let months = within("months", table.months, 120_000)?;
        let weeks = within("weeks", table.weeks, 500_000)?;
        let days = within("days", table.days, 4_000_000)?;
        let (hour, minute) = (within("hour", table.hour, 23)?, within("minute", table.minute, 59)?);
        let second = within("second", table.second, 59)?;
        let time = NaiveTime::from_hms_opt(hour, minute, second).unwrap_or_default();
        let first = table.start_date.as_deref().map(|text| parse_date("start_date", text)).transpose()?;
        let last = table.end_date.as_deref().map(|text| parse_date("end_date", text)).transpose()?;
        let calendar = Self { months: years * 12 + months, days: weeks * 7 + days, time, first, last };
        if calendar.months == 0 && calendar.days == 0 {
            return Err(TriggerError::new("", "the steps are 0 days long")
                .with_hint("give years, months, weeks or days, 1 or more in all"));
        }
        match (first, last) {
            (Some(first), Some(last)) if last < first => Err(TriggerError::new(
                "end_date",
                format!("{last} lies before start_date, {first}, so the trigger never fires"),
            )),
            _ => Ok(calendar),
        }
    }

    /// The first fire not before `at`, counting from the date `anchor`.
    pub(super) fn at_or_after(&self, anchor: NaiveDate, at: Timestamp, tz: Tz) -> Option<Timestamp> {
        // Clock changes move a fire by a day or so: begin a little early and look at the instants themselves.
        let early = local(at, tz).date().checked_sub_days(Days::new(3)).unwrap_or(NaiveDate::MIN);
        let mut date = self.on_grid(anchor, early)?;
        while self.last.is_none_or(|last| date <= last) {
            let fire = resolve_wall(date.and_time(self.time), tz);
            if fire >= at {
                return Some(fire);
            }
            date = self.step(date)?;
        }
        None
    }

    /// What a question costs, in units of a microsecond or less: where months and days are added by turns, the grid is
    /// counted through.
    pub(super) fn effort(&self, at: Timestamp) -> usize {
        let months = self.first.map_or(0, |first| (at.year() - first.year()).saturating_mul(12));
        let steps = usize::try_from(months).unwrap_or(0) / self.months.max(1) as usize;
        if self.months > 0 && self.days > 0 { 1 + steps / 16 } else { 1 }
    }

    /// The first date of the grid that is not before `goal`.
    fn on_grid(&self, anchor: NaiveDate, goal: NaiveDate) -> Option<NaiveDate> {
        let mut date = anchor;
        let behind = u64::try_from(goal.signed_duration_since(anchor).num_days()).unwrap_or(0);
        if self.months == 0 {
            let steps = behind.div_ceil(u64::from(self.days));
            return in_calendar(
                anchor.checked_add_days(Days::new(steps.checked_mul(u64::from(self.days))?))?,
            );
        }
        if self.days == 0 {
            // The day of the month stays, so the months can be counted; 32 days are more than any of them.
            let steps = behind / 32 / u64::from(self.months);
            let months = u32::try_from(steps.checked_mul(u64::from(self.months))?).ok()?;
            if months > 0 {
                date = self.existing(anchor, months)?;
            }
        }
        while date < goal {
            date = self.step(date)?;
        }
        Some(date)
    }

    /// The date of the grid that follows.
    fn step(&self, date: NaiveDate) -> Option<NaiveDate> {
        let date = if self.months == 0 { date } else { self.existing(date, self.months)? };
        in_calendar(date.checked_add_days(Days::new(u64::from(self.days)))?)
    }

    /// The date `months` later with the same day of the month, going on in steps until there is one.
    fn existing(&self, date: NaiveDate, months: u32) -> Option<NaiveDate> {
        let mut month = date.year() * 12 + i32::try_from(date.month0() + months).ok()?;
        while month / 12 <= LAST_YEAR {
            let (year, month0) = (month.div_euclid(12), month.rem_euclid(12).unsigned_abs());
            if let Some(date) = NaiveDate::from_ymd_opt(year, month0 + 1, date.day()) {
                return Some(date);
            }
            month = month.checked_add(i32::try_from(self.months).ok()?)?;
        }
        None
    }
}

fn in_calendar(date: NaiveDate) -> Option<NaiveDate> {
    (date.year() <= LAST_YEAR).then_some(date)
}

fn within(field: &str, value: i64, most: u32) -> Result<u32, TriggerError> {
    let fits = u32::try_from(value).ok().filter(|value| *value <= most);
    fits.ok_or_else(|| {
        TriggerError::new(field, format!("{value} is out of range: {field} takes 0 to {most}"))
    })
}
