//! A cron field table, compiled.

use super::{
    cron::{Cron, Years},
    days::{Days, Weekdays},
    error::TriggerError,
    field::{Field, weekday},
    table::CronTable,
    text::FieldText,
};

impl CronTable {
    pub(super) fn get(&self, field: Field) -> Option<&str> {
        match field {
            Field::Year => &self.year,
            Field::Month => &self.month,
            Field::Day => &self.day,
            Field::Week => &self.week,
            Field::DayOfWeek => &self.day_of_week,
            Field::Hour => &self.hour,
            Field::Minute => &self.minute,
            Field::Second => &self.second,
        }
        .as_ref()
        .map(FieldText::as_str)
    }

    /// A field with its default: after the last field given, the minimum for those that have one, else `*`.
    pub(super) fn effective(&self, field: Field) -> &str {
        let order = |field: Field| Field::ALL.iter().position(|known| *known == field);
        let last = Field::ALL.iter().rposition(|field| self.get(*field).is_some());
        match (self.get(field), field) {
            (Some(text), _) => text,
            (None, Field::Month | Field::Day) if last.is_some() && order(field) > last => "1",
            (None, Field::Hour | Field::Minute | Field::Second) if last.is_some() && order(field) > last => {
                "0"
            }
            _ => "*",
        }
    }
}

/// Compiles a field table: all fields must match.
pub(super) fn compile(table: &CronTable) -> Result<Cron, TriggerError> {
    let bits = |field: Field| -> Result<u64, TriggerError> {
        items(table.effective(field)).try_fold(0, |bits, item| Ok(bits | field.run(item)?.bits()))
    };
    let starred = |field: Field| table.effective(field).starts_with('*');
    let mut cron = Cron::every_second();
    cron.years = years(table.effective(Field::Year))?;
    cron.days = days(table)?;
    cron.hours = u32::try_from(bits(Field::Hour)?).unwrap_or(u32::MAX);
    cron.minutes = bits(Field::Minute)?;
    cron.seconds = bits(Field::Second)?;
    cron.wildcard = starred(Field::Hour) || starred(Field::Minute);
    Ok(cron.compile())
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(|item| item.trim_matches([' ', '\t']))
}

/// Reads a list of years; empty for any.
pub(super) fn years(text: &str) -> Result<Box<[Years]>, TriggerError> {
    let year = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
    let (least, most) = Field::Year.range();
    let runs = items(text).map(|item| Field::Year.run(item)).collect::<Result<Vec<_>, _>>()?;
    if runs.iter().any(|run| (run.from, run.to, run.step) == (least, most, 1)) {
        return Ok(Box::default());
    }
    Ok(runs
        .iter()
        .map(|run| Years { from: year(run.from), to: year(run.to), step: year(run.step) })
        .collect())
}

fn days(table: &CronTable) -> Result<Days, TriggerError> {
    let mut days = Days::ALL;
    let bits = |field: Field| -> Result<u64, TriggerError> {
        items(table.effective(field)).try_fold(0, |bits, item| Ok(bits | field.run(item)?.bits()))
    };
    days.months = u16::try_from(bits(Field::Month)?).unwrap_or(u16::MAX);
    days.weeks = bits(Field::Week)?;
    let named = bits(Field::DayOfWeek)?;
    days.weekdays = Weekdays::default();
    (0..7).filter(|day| named >> day & 1 == 1).for_each(|day| days.weekdays.add(day));

    days.numbers = 0;
    for item in items(table.effective(Field::Day)) {
        let lower = item.to_ascii_lowercase();
        match lower.split_once([' ', '\t']) {
            None if lower == "last" => days.last = true,
            None => days.numbers |= u32::try_from(Field::Day.run(item)?.bits()).unwrap_or(u32::MAX),
            Some((which, name)) => {
                let name = name.trim_start_matches([' ', '\t']);
                let day = weekday(name).ok_or_else(|| {
                    Field::Day.error(format!("{name:?} of {item:?} is not a weekday, mon to sun"))
                })?;
                match ["1st", "2nd", "3rd", "4th", "5th"].into_iter().zip(1..).find(|(nth, _)| *nth == which)
                {
                    Some((_, nth)) => days.day_weekdays.add_nth(day, nth),
                    None if which == "last" => days.day_weekdays.add_last(day),
                    None => return Err(Field::Day.error(format!("{item:?} is not understood"))),
                }
            }
        }
    }
    Ok(days)
}
