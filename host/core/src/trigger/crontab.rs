//! Crontab strings: 5, 6 or 7 fields, the nicknames, and `H`.
//!
//! croner expands the fields. It reads leniently, though (`1,,2`, `JAN1` and `L,LW` pass with a part lost), so each
//! item is checked and put into plain numbers first; and it counts years from 1, so the year is read as in a table.

use croner::{CronComponent, parser::CronParser};

use super::{
    cron::Cron,
    days::{ALL_NUMBERS, Weekdays},
    error::TriggerError,
    field::{MONTHS, digits},
    fields,
    hash::pick,
};

const FORMS: &str = "a crontab string has 5 fields (minute hour day month weekday), 6 (second first) or 7 (year last), \
                     or is one of @yearly, @monthly, @weekly, @daily, @midnight, @hourly and @reboot";

/// What a crontab string says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Crontab {
    /// `@reboot`: once, at start.
    AtStart,
    Times(Cron),
}

/// A column of a crontab string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

const COLUMNS: [Column; 6] =
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
        TriggerError::new("", format!("{} field: {message}", self.name())).with_hint(format!(
            "the {} field takes {}",
            self.name(),
            self.allowed()
        ))
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
            Some(value) => Err(self.error(format!("{value} of {item:?} is out of range, {least} to {most}"))),
            None => Err(self.error(format!("{item:?} is not understood"))),
        }
    }

    /// One item of a list in plain numbers.
    fn plain(self, item: &str, seed: u64) -> Result<String, TriggerError> {
        if item == "*" || item == "?" && matches!(self, Self::Day | Self::Weekday) {
            return Ok("*".to_owned());
        }
        if let Some(rest) = item.strip_prefix(['H', 'h']) {
            return self.hashed(item, rest, seed);
        }
        if let Some(special) = self.special(item)? {
            return Ok(special);
        }
        let (_, most) = self.range();
        let most = if self == Self::Weekday { 6 } else { most };
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(item, step)?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.range().0, most),
            Some((from, to)) => self.bounds(item, from, to)?,
            None => {
                let value = self.value(item, range)?;
                (value, if step.is_some() { most.max(value) } else { value })
            }
        };
        Ok(match step {
            // Steps beyond the range are legal and leave the first value; croner counts in 16 bits.
            Some(step) => format!("{from}-{to}/{}", step.min(1000)),
            None => format!("{from}-{to}"),
        })
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
    fn hashed(self, item: &str, rest: &str, seed: u64) -> Result<String, TriggerError> {
        let (low, high) = match self {
            // Every month has them.
            Self::Day => (1, 28),
            Self::Weekday => (0, 6),
            _ => self.range(),
        };
        let (range, rest) = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((range, rest)) => {
                let bounds = range.split_once('-');
                let (from, to) = bounds.ok_or_else(|| self.error(format!("{item:?} is not understood")))?;
                (self.bounds(item, from, to)?, rest)
            }
            None => ((low, high), rest),
        };
        let (from, to) = range;
        let draw = |count: u32| from + pick(seed, self as u64, count);
        match rest.strip_prefix('/') {
            Some(step) => {
                let step = self.step(item, step)?.min(to - from + 1);
                Ok(format!("{}-{to}/{step}", draw(step)))
            }
            None if rest.is_empty() => Ok(format!("{0}-{0}", draw(to - from + 1))),
            None => Err(self.error(format!("{item:?} is not understood"))),
        }
    }
}

/// Compiles a crontab string; `seed` decides what `H` stands for.
pub(super) fn compile(text: &str, seed: u64) -> Result<Crontab, TriggerError> {
    let text = match nickname(text.trim_ascii())? {
        Some("@reboot") => return Ok(Crontab::AtStart),
        Some(text) => text,
        None => text,
    };
    let columns: Vec<&str> = text.split_ascii_whitespace().collect();
    let (columns, year) = match columns.as_slice() {
        [five @ ..] if five.len() == 5 => ([&["0"], five].concat(), "*"),
        [six @ ..] if six.len() == 6 => (six.to_vec(), "*"),
        [six @ .., year] if six.len() == 6 => (six.to_vec(), *year),
        other => {
            return Err(
                TriggerError::new("", format!("{text:?} has {} fields", other.len())).with_hint(FORMS)
            );
        }
    };
    let mut cron = expand(&columns, seed)?;
    cron.years = fields::years(year).map_err(|error| TriggerError {
        field: String::new(),
        message: format!("year field: {}", error.message),
        ..error
    })?;
    Ok(Crontab::Times(cron.compile()))
}

fn nickname(text: &str) -> Result<Option<&'static str>, TriggerError> {
    if !text.starts_with('@') {
        return Ok(None);
    }
    Ok(Some(match text.to_ascii_lowercase().as_str() {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        "@reboot" => "@reboot",
        _ => return Err(TriggerError::new("", format!("{text:?} is no nickname")).with_hint(FORMS)),
    }))
}

/// Expands the six columns from second to weekday.
fn expand(columns: &[&str], seed: u64) -> Result<Cron, TriggerError> {
    let mut plain = Vec::with_capacity(7);
    for (column, text) in COLUMNS.into_iter().zip(columns) {
        let items = text.split(',').map(|item| column.plain(item, seed)).collect::<Result<Vec<_>, _>>()?;
        plain.push(if items.iter().any(|item| item == "*") { "*".to_owned() } else { items.join(",") });
    }
    let has = |column: usize, item: &str| plain[column].split(',').any(|known| known == item);
    let (last, last_workday) = (has(3, "L"), has(3, "LW"));
    plain.push("2000".to_owned());
    let parsed = CronParser::new()
        .parse(&plain.join(" "))
        .map_err(|error| TriggerError::new("", format!("{:?}: {error}", columns.join(" "))).with_hint(FORMS))?
        .pattern;

    let starred = |column: usize| columns.get(column).is_some_and(|text| text.starts_with(['*', '?']));
    let bits = |values: Vec<u16>| values.into_iter().fold(0u64, |bits, value| bits | 1 << value.min(63));
    let narrow = |values: Vec<u16>| u32::try_from(bits(values)).unwrap_or(u32::MAX);
    let mut cron = Cron::every_second();
    cron.seconds = bits(parsed.seconds.values());
    cron.minutes = bits(parsed.minutes.values());
    cron.hours = narrow(parsed.hours.values());
    cron.wildcard = starred(1) || starred(2);
    cron.days.months = u16::try_from(bits(parsed.months.values())).unwrap_or(u16::MAX);
    cron.days.numbers = narrow(parsed.days.values());
    cron.days.nearest = narrow(parsed.days.get_set_values(mark::NEAREST));
    (cron.days.last, cron.days.last_workday) = (last, last_workday);
    cron.days.either = !starred(3) && !starred(5);
    cron.days.weekdays = weekdays(&parsed.days_of_week);
    debug_assert!(cron.days.numbers & !ALL_NUMBERS == 0);
    Ok(cron)
}

/// How croner marks values in its components: it has accessors for the marks, but no public names.
mod mark {
    pub(super) const EVERY: u8 = 1;
    /// Of the first occurrence; the second to the fifth follow.
    pub(super) const NTH: u8 = 1 << 1;
    pub(super) const LAST: u8 = 1 << 6;
    pub(super) const NEAREST: u8 = 1 << 7;
}

fn weekdays(component: &CronComponent) -> Weekdays {
    let mut weekdays = Weekdays::default();
    let monday_first = |day: u16| (u32::from(day) + 6) % 7;
    component.get_set_values(mark::EVERY).into_iter().for_each(|day| weekdays.add(monday_first(day)));
    for nth in 1..=5 {
        let days = component.get_set_values(mark::NTH << (nth - 1));
        days.into_iter().for_each(|day| weekdays.add_nth(monday_first(day), nth));
    }
    component.get_set_values(mark::LAST).into_iter().for_each(|day| weekdays.add_last(monday_first(day)));
    weekdays
}
