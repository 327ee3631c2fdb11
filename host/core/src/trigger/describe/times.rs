//! The time-of-day fields of a cron trigger in plain English.

use chrono::NaiveTime;

use super::list::{clock, even_step, join, list, ordinal, values};
use crate::trigger::cron::Cron;

const SIXTY: u64 = (1 << 60) - 1;
const HOURS: u32 = (1 << 24) - 1;

impl Cron {
    pub(super) fn hours_are_all(&self) -> bool {
        self.hours == HOURS
    }
}

/// `at 05:30`, `every 15 minutes from 09:00 to 17:59`, `at second 15 of every minute`.
pub(super) fn phrase(cron: &Cron) -> String {
    let (seconds, minutes, hours) =
        (values(cron.seconds), values(cron.minutes), values(u64::from(cron.hours)));
    if seconds.len() * minutes.len() * hours.len() <= 4 {
        let times = hours.iter().flat_map(|hour| {
            let minutes = minutes.iter();
            minutes.flat_map(|minute| {
                seconds.iter().map(|second| NaiveTime::from_hms_opt(*hour, *minute, *second))
            })
        });
        return format!("at {}", join(times.flatten().map(clock), "and"));
    }
    let hourly = of_hours(cron);
    match seconds.as_slice() {
        [0] => minutes_of(cron.minutes, &hourly),
        _ => match of_unit(cron.seconds, "second") {
            Unit::Every(text) if cron.minutes == SIXTY => within(&text, &hourly),
            Unit::Every(text) | Unit::At(text) => {
                format!("{text} of {}", minutes_of(cron.minutes, &hourly).trim_start_matches("at "))
            }
        },
    }
}

/// Hours as a stretch of the day, or as a list.
enum Hours {
    All,
    Stretch {
        from: u32,
        to: u32,
    },
    /// Every so many, round the clock.
    Even(u32),
    Listed(String),
}

fn of_hours(cron: &Cron) -> Hours {
    let hours = values(u64::from(cron.hours));
    match (hours.first(), hours.last()) {
        _ if cron.hours == HOURS => Hours::All,
        (Some(from), Some(to)) if (to - from + 1) as usize == hours.len() => {
            Hours::Stretch { from: *from, to: *to }
        }
        _ => match even_step(u64::from(cron.hours), 24) {
            Some(step) => Hours::Even(step),
            None => Hours::Listed(list(u64::from(cron.hours), "hour", true, |hour| hour.to_string())),
        },
    }
}

fn minutes_of(minutes: u64, hours: &Hours) -> String {
    match (of_unit(minutes, "minute"), hours) {
        (Unit::Every(text), hours) => within(&text, hours),
        (Unit::At(_), Hours::All) if minutes == 1 => "every hour".to_owned(),
        (Unit::At(_), Hours::Stretch { from, to }) if minutes == 1 => {
            format!("every hour from {from:02}:00 to {to:02}:00")
        }
        (Unit::At(_), Hours::Even(step)) if minutes == 1 => format!("every {step} hours"),
        (Unit::At(text), Hours::All) => format!("{text} of every hour"),
        (Unit::At(text), Hours::Even(step)) => format!("{text} of every {} hour", ordinal(*step)),
        (Unit::At(text), Hours::Stretch { from, to }) if from == to => format!("{text} of hour {from}"),
        (Unit::At(text), Hours::Stretch { from, to }) => format!("{text} of hours {from} to {to}"),
        (Unit::At(text), Hours::Listed(hours)) => format!("{text} of {hours}"),
    }
}

fn within(text: &str, hours: &Hours) -> String {
    match hours {
        Hours::All => text.to_owned(),
        Hours::Stretch { from, to } => format!("{text} from {from:02}:00 to {to:02}:59"),
        Hours::Even(step) => format!("{text} of every {} hour", ordinal(*step)),
        Hours::Listed(hours) => format!("{text} of {hours}"),
    }
}

/// Minutes or seconds: all round, or some of them.
enum Unit {
    Every(String),
    At(String),
}

fn of_unit(bits: u64, unit: &str) -> Unit {
    match even_step(bits, 60) {
        Some(1) => Unit::Every(format!("every {unit}")),
        Some(step) => Unit::Every(format!("every {step} {unit}s")),
        None => Unit::At(format!("at {}", list(bits, unit, true, |value| value.to_string()))),
    }
}
