//! The date fields of a cron trigger in plain English.

use super::list::{join, list, ordinal};
use crate::trigger::{
    cron::Years,
    days::{ALL_MONTHS, ALL_NUMBERS, ALL_WEEKS, Days, Occurrence, Weekdays},
};

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `Monday to Friday`, `on day 13 or on Friday`, `on the last day of the month`, `in March`; `every day` only where
/// `spoken`.
pub(super) fn phrases(days: &Days, years: &[Years], spoken: bool) -> Vec<String> {
    let day = in_month(days);
    let weekday = (days.weekdays != Weekdays::ALL).then(|| weekdays(days.weekdays));
    let mut phrases = match (day, weekday) {
        (Some(day), Some(weekday)) if days.either => vec![format!("{day} or on {weekday}")],
        (None, None) if spoken => vec!["every day".to_owned()],
        (day, weekday) => weekday.into_iter().chain(day).collect(),
    };
    if days.months != ALL_MONTHS {
        phrases.push(format!(
            "in {}",
            list(u64::from(days.months), "month", false, |month| name(&MONTHS, month.saturating_sub(1)))
        ));
    }
    if days.weeks != ALL_WEEKS {
        phrases.push(format!("in {}", list(days.weeks, "week", true, |week| week.to_string())));
    }
    if !years.is_empty() {
        phrases.push(format!("in {}", join(years.iter().map(run_of_years), "and")));
    }
    phrases
}

fn in_month(days: &Days) -> Option<String> {
    if days.numbers == ALL_NUMBERS {
        return None;
    }
    let mut phrases = Vec::new();
    if days.numbers != 0 {
        phrases.push(format!("on {}", list(u64::from(days.numbers), "day", true, |day| day.to_string())));
    }
    if days.nearest != 0 {
        phrases.push(format!(
            "on the working day nearest to {}",
            list(u64::from(days.nearest), "day", true, |day| day.to_string())
        ));
    }
    if days.day_weekdays != Weekdays::default() {
        phrases.push(format!("on {}", weekdays(days.day_weekdays)));
    }
    if days.last {
        phrases.push("on the last day of the month".to_owned());
    }
    if days.last_workday {
        phrases.push("on the last working day of the month".to_owned());
    }
    Some(join(phrases, "and"))
}

fn weekdays(weekdays: Weekdays) -> String {
    let every = weekdays.parts().filter(|(_, part)| *part == Occurrence::Every);
    let every = every.fold(0u64, |bits, (weekday, _)| bits | 1 << weekday);
    let some = weekdays.parts().filter_map(|(weekday, part)| match part {
        Occurrence::Every => None,
        Occurrence::Nth(nth) => Some(format!("the {} {}", ordinal(nth), name(&WEEKDAYS, weekday))),
        Occurrence::Last => Some(format!("the last {}", name(&WEEKDAYS, weekday))),
    });
    let every = (every != 0).then(|| match every {
        0b111_1111 => "every weekday".to_owned(),
        bits => list(bits, "day", false, |weekday| name(&WEEKDAYS, weekday)),
    });
    join(every.into_iter().chain(some), "and")
}

fn run_of_years(years: &Years) -> String {
    match (years.from, years.to, years.step) {
        (from, to, _) if from == to => from.to_string(),
        (from, 9999, 1) => format!("{from} and later"),
        (from, to, 1) => format!("{from} to {to}"),
        (from, 9999, step) => format!("every {} year from {from}", ordinal(u32::from(step))),
        (from, to, step) => format!("every {} year from {from} to {to}", ordinal(u32::from(step))),
    }
}

fn name(names: &[&str], index: u32) -> String {
    names.get(index as usize).map_or_else(|| index.to_string(), |name| (*name).to_owned())
}
