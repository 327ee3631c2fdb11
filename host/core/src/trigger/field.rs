//! The fields of a cron trigger: their names, ranges and expressions.

use super::error::TriggerError;

pub(super) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
pub(super) const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A field of a cron trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Year,
    Month,
    Day,
    Week,
    DayOfWeek,
    Hour,
    Minute,
    Second,
}

/// A run of values: from, to, and the step between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) step: u32,
}

impl Run {
    /// Its values as bits.
    pub(super) fn bits(self) -> u64 {
        (self.from..=self.to.min(63))
            .step_by(self.step.max(1) as usize)
            .fold(0, |bits, value| bits | 1 << value)
    }
}

impl Field {
    /// All of them in the order of significance.
    pub(super) const ALL: [Self; 8] = [
        Self::Year,
        Self::Month,
        Self::Day,
        Self::Week,
        Self::DayOfWeek,
        Self::Hour,
        Self::Minute,
        Self::Second,
    ];

    /// Its key in a field table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Week => "week",
            Self::DayOfWeek => "day_of_week",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }

    /// Its lowest and highest value.
    pub(super) fn range(self) -> (u32, u32) {
        match self {
            Self::Year => (1970, 9999),
            Self::Month => (1, 12),
            Self::Day => (1, 31),
            Self::Week => (1, 53),
            Self::DayOfWeek => (0, 6),
            Self::Hour => (0, 23),
            Self::Minute | Self::Second => (0, 59),
        }
    }

    /// What it takes in a field table.
    fn allowed(self) -> &'static str {
        match self {
            Self::Year => "1970 to 9999",
            Self::Month => "1 to 12 or jan to dec",
            Self::Day => "1 to 31, last, or 1st to 5th or last with a weekday (\"3rd fri\")",
            Self::Week => "1 to 53",
            Self::DayOfWeek => "0 (Monday) to 6 (Sunday) or mon to sun",
            Self::Hour => "0 to 23",
            Self::Minute | Self::Second => "0 to 59",
        }
    }

    fn names(self) -> (&'static [&'static str], u32) {
        match self {
            Self::Month => (&MONTHS, 1),
            Self::DayOfWeek => (&WEEKDAYS, 0),
            _ => (&[], 0),
        }
    }

    pub(super) fn error(self, message: impl std::fmt::Display) -> TriggerError {
        TriggerError::new(self.name(), format!("{message}: {} takes {}", self.name(), self.allowed()))
    }

    /// Reads one item of a list in a field table: `*`, `*/n`, `a`, `a/n`, `a-b`, `a-b/n`, names in place of numbers.
    pub(super) fn run(self, item: &str) -> Result<Run, TriggerError> {
        let (least, most) = self.range();
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(item, step)?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (self.value(item, from)?, self.value(item, to)?),
            None => {
                let value = self.value(item, range)?;
                (value, if step.is_some() { most } else { value })
            }
        };
        if from > to {
            return Err(self.error(format!("the range {item:?} runs backwards: {from} is above {to}")));
        }
        let width = to - from;
        match step {
            Some(step) if step > width => Err(self.error(format!(
                "the step {step} of {item:?} is longer than its range {from} to {to}, so it would never take effect"
            ))),
            step => Ok(Run { from, to, step: step.unwrap_or(1) }),
        }
    }

    fn step(self, item: &str, text: &str) -> Result<u32, TriggerError> {
        match digits(text) {
            Some(0) => Err(self.error(format!("the step of {item:?} is 0, a step is at least 1"))),
            Some(step) => Ok(step),
            None => Err(self.error(format!("the step {text:?} of {item:?} is not a number"))),
        }
    }

    fn value(self, item: &str, text: &str) -> Result<u32, TriggerError> {
        let (least, most) = self.range();
        let (names, first) = self.names();
        if let Some(index) = names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return Ok(first + u32::try_from(index).unwrap_or(0));
        }
        let of = if item == text { String::new() } else { format!(" of {item:?}") };
        match digits(text) {
            Some(value) if (least..=most).contains(&value) => Ok(value),
            Some(_) => Err(self.error(format!("{text}{of} is out of range"))),
            None if item.is_empty() => Err(self.error("a value is missing")),
            None => Err(self.error(format!("{item:?} is not understood"))),
        }
    }
}

/// A number of ASCII digits; a number too large to hold is as good as the largest.
pub(super) fn digits(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

/// The weekday of a three-letter name, Monday being 0.
pub(super) fn weekday(name: &str) -> Option<u32> {
    WEEKDAYS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
        .and_then(|index| u32::try_from(index).ok())
}
