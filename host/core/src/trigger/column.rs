//! The columns of a crontab string, and what an item in each of them may be.

use super::{
    error::TriggerError,
    field::{MONTHS, Run, digits},
    hash::pick,
};

/// One item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Run(Run),
    /// In croner's writing.
    Special(String),
}

/// A column of a crontab string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

pub(super) const COLUMNS: [Column; 6] =
    [Column::Second, Column::Minute, Column::Hour, Column::Day, Column::Month, Column::Weekday];

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day-of-month",
            Self::Month => "month",
            Self::Weekday => "day-of-week",
        }
    }

    fn range(self) -> (u32, u32) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Weekday => (0, 7),
        }
    }

    fn allowed(self) -> &'static str {
        match self {
            Self::Second | Self::Minute => "0 to 59",
            Self::Hour => "0 to 23",
            Self::Day => "1 to 31, L, LW, 1W to 31W and ?",
            Self::Month => "1 to 12 or jan to dec",
            Self::Weekday => "0 (Sunday) to 7 (Sunday) or sun to sat, with #1 to #5 or L after it, and ?",
        }
    }

    fn error(self, message: impl std::fmt::Display) -> TriggerError {
        TriggerError::new("", format!("{message}: the {} field takes {}", self.name(), self.allowed()))
    }

    fn value(self, item: &str, text: &str) -> Result<u32, TriggerError> {
        const SUNDAY_FIRST: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
        let named = |names: &[&str], first: u32| {
            let index = names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
            Some(first + u32::try_from(index).ok()?)
        };
        let named = match self {
            Self::Month => named(&MONTHS, 1),
            Self::Weekday => named(&SUNDAY_FIRST, 0),
            _ => None,
        };
        let (least, most) = self.range();
        match named.or_else(|| digits(text)) {
            Some(value) if (least..=most).contains(&value) => Ok(value),
            Some(_) if item == text => Err(self.error(format!("{text} is out of range"))),
            Some(_) => Err(self.error(format!("{text} of {item:?} is out of range"))),
            None if item.is_empty() => Err(self.error("a value is missing")),
            None => Err(self.error(format!("{item:?} is not understood"))),
        }
    }

    /// Reads one item of a list.
    pub(super) fn item(self, item: &str, seed: u64) -> Result<Item, TriggerError> {
        let (least, most) = self.range();
        if item == "?" && matches!(self, Self::Day | Self::Weekday) {
            return Ok(Item::Run(Run { from: least, to: most, step: 1 }));
        }
        if let Some(rest) = item.strip_prefix(['H', 'h']) {
            return self.hashed(item, rest, seed).map(Item::Run);
        }
        if let Some(special) = self.special(item)? {
            return Ok(Item::Special(special));
        }
        let most = if self == Self::Weekday { 6 } else { most };
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(item, step)?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => self.bounds(item, from, to)?,
            None => {
                let value = self.value(item, range)?;
                (value, if step.is_some() { most.max(value) } else { value })
            }
        };
        // A step beyond the range is legal and leaves the first value.
        Ok(Item::Run(Run { from, to, step: step.unwrap_or(1) }))
    }

    fn bounds(self, item: &str, from: &str, to: &str) -> Result<(u32, u32), TriggerError> {
        let is_sunday = |name: &str| name.eq_ignore_ascii_case("sun");
        let (low, high) = (self.value(item, from)?, self.value(item, to)?);
        // A range that ends in sun runs up to Sunday, as the end of the week.
        let high = if self == Self::Weekday && is_sunday(to) && low > 0 { 7 } else { high };
        if low > high {
            return Err(self.error(format!("the range {item:?} runs backwards")));
        }
        Ok((low, high))
    }

    fn step(self, item: &str, text: &str) -> Result<u32, TriggerError> {
        match digits(text) {
            Some(0) => Err(self.error(format!("the step of {item:?} is 0, a step is at least 1"))),
            Some(step) => Ok(step),
            None => Err(self.error(format!("the step {text:?} of {item:?} is not a number"))),
        }
    }

    /// `L`, `LW`, `15W`; `5#2`, `5L`, `5#L`: what is no plain value, in croner's writing.
    fn special(self, item: &str) -> Result<Option<String>, TriggerError> {
        let upper = item.to_ascii_uppercase();
        match self {
            Self::Day if upper == "L" || upper == "LW" => Ok(Some(upper)),
            Self::Day => match upper.strip_suffix('W') {
                Some(day) => Ok(Some(format!("{}W", self.value(item, day)?))),
                None => Ok(None),
            },
            Self::Weekday => match upper.split_once('#').or_else(|| Some((upper.strip_suffix('L')?, "L"))) {
                Some((_, nth)) if !matches!(nth, "1" | "2" | "3" | "4" | "5" | "L") => {
                    Err(self.error(format!("{item:?} asks for no occurrence that exists: #1 to #5 or L")))
                }
                Some((day, nth)) => Ok(Some(format!("{}#{nth}", self.value(item, day)?))),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// `H`, `H/n`, `H(a-b)`, `H(a-b)/n`: a value that the seed chooses, the same each time.
    fn hashed(self, item: &str, rest: &str, seed: u64) -> Result<Run, TriggerError> {
        let not_understood = || self.error(format!("{item:?} is not understood"));
        let (range, rest) = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((range, rest)) => {
                let (from, to) = range.split_once('-').ok_or_else(not_understood)?;
                (self.bounds(item, from, to)?, rest)
            }
            None => match self {
                // Every month has them.
                Self::Day => ((1, 28), rest),
                Self::Weekday => ((0, 6), rest),
                _ => (self.range(), rest),
            },
        };
        let (from, to) = range;
        let draw = |count: u32| from + pick(seed, self as u64, count);
        match rest.strip_prefix('/') {
            Some(step) => {
                let step = self.step(item, step)?.min(to - from + 1);
                Ok(Run { from: draw(step), to, step })
            }
            None if rest.is_empty() => {
                let value = draw(to - from + 1);
                Ok(Run { from: value, to: value, step: 1 })
            }
            None => Err(not_understood()),
        }
    }
}
