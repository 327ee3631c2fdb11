//! A trigger in plain English.

mod days;
mod list;
mod times;

use std::time::Duration;

use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use super::{
    calendar::Calendar,
    moment::local,
    plan::{Kind, Plan},
    spec::{TriggerSpec, When},
};
use crate::model::format_duration;

/// The whole trigger: what, in which time zone, between which bounds, with what jitter.
pub(super) fn describe(spec: &TriggerSpec, plan: &Plan) -> String {
    within(spec, plan, None)
}

/// The same for a part of a combination whose time zone is said there.
fn within(spec: &TriggerSpec, plan: &Plan, said: Option<Tz>) -> String {
    let mut phrases = vec![kind(spec, plan)];
    let has_zone = !matches!(plan.kind, Kind::Once | Kind::Interval(_));
    if said != Some(plan.zone) && (has_zone || spec.start().is_some() || spec.end().is_some()) {
        phrases.push(plan.zone.name().to_owned());
    }
    let bound = |word: &str, at| format!("{word} {}", date_time(local(at, plan.zone)));
    // What a part takes from the whole is said there.
    phrases.extend(plan.start().filter(|_| spec.start().is_some()).map(|at| bound("from", at)));
    phrases.extend(plan.end().map(|at| bound("until", at)));
    phrases.extend(spec.jitter().map(|jitter| format!("up to {jitter} later")));
    phrases.join(", ")
}

fn kind(spec: &TriggerSpec, plan: &Plan) -> String {
    match (&plan.kind, spec.when()) {
        (Kind::Once, When::Cron(_)) => "once at each start".to_owned(),
        (Kind::Once, _) => "once, as soon as possible".to_owned(),
        (Kind::Date(at), _) => format!("once, on {}", date_time(local(*at, plan.zone))),
        (Kind::Interval(interval), _) => format!("every {}", length(interval.every)),
        (Kind::Cron(cron), _) => {
            let days = days::phrases(&cron.days, &cron.years, !cron.hours_are_all());
            [vec![times::phrase(cron)], days].concat().join(", ")
        }
        (Kind::Calendar(table), _) => calendar(table),
        (Kind::All(parts), When::All(specs)) => {
            format!("whenever these meet: {}", each(parts, specs, plan.zone, "and"))
        }
        (Kind::Any(parts), When::Any(specs)) => each(parts, specs, plan.zone, "or"),
        (Kind::All(_) | Kind::Any(_), _) => String::new(),
    }
}

fn each(parts: &[Plan], specs: &[TriggerSpec], zone: Tz, word: &str) -> String {
    let parts = specs.iter().zip(parts).map(|(spec, plan)| format!("({})", within(spec, plan, Some(zone))));
    list::join(parts, word)
}

fn calendar(calendar: &Calendar) -> String {
    let counts = [
        (calendar.months / 12, "year"),
        (calendar.months % 12, "month"),
        (calendar.days / 7, "week"),
        (calendar.days % 7, "day"),
    ];
    let time = list::clock(calendar.time);
    let first = calendar.first.map(|date| format!(", counted from {}", date.format("%-d %B %Y")));
    let last = calendar.last.map(|date| format!(", the last on {}", date.format("%-d %B %Y")));
    format!("every {} at {time}{}{}", amount(&counts), first.unwrap_or_default(), last.unwrap_or_default())
}

fn length(every: Duration) -> String {
    let seconds = every.as_secs();
    if every.subsec_nanos() != 0 || seconds == 0 {
        return format_duration(every);
    }
    let counts = [
        (seconds / 86_400, "day"),
        (seconds / 3600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    amount(&counts.map(|(count, unit)| (u32::try_from(count).unwrap_or(u32::MAX), unit)))
}

/// `day`, `2 days`, `1 day and 3 hours`.
fn amount(counts: &[(u32, &str)]) -> String {
    let counts: Vec<_> = counts.iter().filter(|(count, _)| *count > 0).collect();
    if let [(1, unit)] = counts.as_slice() {
        return (*unit).to_owned();
    }
    let plural = |count: u32| if count == 1 { "" } else { "s" };
    list::join(counts.into_iter().map(|(count, unit)| format!("{count} {unit}{}", plural(*count))), "and")
}

/// `6 November 2030, 16:30:05`; midnight is not mentioned.
fn date_time(at: NaiveDateTime) -> String {
    let date = at.format("%-d %B %Y");
    if at.time() == NaiveTime::MIN { date.to_string() } else { format!("{date}, {}", list::clock(at.time())) }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use crate::trigger::{Trigger, TriggerSpec};

    fn described(spec: TriggerSpec) -> String {
        Trigger::new(spec, Tz::UTC).unwrap().describe()
    }

    #[test]
    fn crontab_strings_read_as_sentences() {
        let cases = [
            ("30 5 * * mon-fri", "at 05:30, Monday to Friday, UTC"),
            ("* * * * *", "every minute, UTC"),
            ("* * * * * *", "every second, UTC"),
            ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:59, Monday to Friday, UTC"),
            ("*/7 * * * *", "at every 7th minute from 0 to 56 of every hour, UTC"),
            ("0 */2 * * *", "every 2 hours, every day, UTC"),
            ("30 */2 * * *", "at minute 30 of every 2nd hour, every day, UTC"),
            ("0 0-5,22 * * *", "at minute 0 of hours 0 to 5 and 22, every day, UTC"),
            ("15,45 30 * * * *", "at seconds 15 and 45 of minute 30 of every hour, UTC"),
            ("15 10 LW * *", "at 10:15, on the last working day of the month, UTC"),
            ("15 10 15W 3 *", "at 10:15, on the working day nearest to day 15, in March, UTC"),
            ("15 10 1,15 * 5", "at 10:15, on days 1 and 15 or on Friday, UTC"),
            ("15 10 * * mon,5#2,sunL", "at 10:15, Monday, the 2nd Friday and the last Sunday, UTC"),
            ("0 0 0 1 1 * 2027-2030", "at 00:00, on day 1, in January, in 2027 to 2030, UTC"),
            ("@hourly", "every hour, UTC"),
            ("@reboot", "once at each start"),
        ];
        for (text, expected) in cases {
            assert_eq!(described(TriggerSpec::cron(text)), expected, "{text}");
        }
    }

    #[test]
    fn other_kinds_and_options_read_as_sentences() {
        let cases = [
            (r#"{}"#, "once, as soon as possible"),
            (r#"{"date":"2030-11-06 16:30:05"}"#, "once, on 6 November 2030, 16:30:05, UTC"),
            (
                r#"{"interval":"2h","start":"2010-10-10 09:30:00","end":"2034-06-15 11:00:00","jitter":"30s"}"#,
                "every 2 hours, UTC, from 10 October 2010, 09:30, until 15 June 2034, 11:00, up to 30s later",
            ),
            (r#"{"interval":{"days":1,"hours":3}}"#, "every 1 day and 3 hours"),
            (
                r#"{"cron":{"day_of_week":"mon-fri","hour":5,"minute":30},"end":"2030-05-30","timezone":"Asia/Shanghai"}"#,
                "at 05:30, Monday to Friday, Asia/Shanghai, until 30 May 2030",
            ),
            (
                r#"{"cron":{"day":"3rd fri, last sun","year":"*/2"}}"#,
                "at 00:00, on the 3rd Friday and the last Sunday, in every 2nd year from 1970, UTC",
            ),
            (
                r#"{"calendar":{"months":1,"hour":6,"start_date":"2026-01-31"}}"#,
                "every month at 06:00, counted from 31 January 2026, UTC",
            ),
            (
                r#"{"any":[{"cron":"0 9 * * mon-fri"},{"cron":"0 11 * * sat"}]}"#,
                "(at 09:00, Monday to Friday) or (at 11:00, Saturday), UTC",
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(described(serde_json::from_str(json).unwrap()), expected, "{json}");
        }
    }
}
