//! Crontab strings: 5, 6 or 7 fields, the nicknames, and `H`.
//!
//! Numbers, ranges and steps are read here, as croner is lenient (`1,,2` and `JAN1` pass with a part lost), knows no
//! `a/n` and takes many times as long. What it has over field tables, `L`, `W` and `#`, croner expands, once an item
//! has been checked and put into plain numbers.

use croner::{CronComponent, parser::CronParser};

use super::{
    column::{COLUMNS, Item},
    cron::Cron,
    days::{Days, Weekdays},
    error::TriggerError,
    fields,
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

/// Compiles a crontab string; `seed` decides what `H` stands for.
pub(super) fn compile(text: &str, seed: u64) -> Result<Crontab, TriggerError> {
    let text = match nickname(text.trim_ascii())? {
        Some("@reboot") => return Ok(Crontab::AtStart),
        Some(text) => text,
        None => text,
    };
    let columns: Vec<&str> = text.split_ascii_whitespace().collect();
    let (columns, year) = match columns.len() {
        5 => ([&["0"], columns.as_slice()].concat(), "*"),
        6 => (columns, "*"),
        7 => (columns[..6].to_vec(), columns[6]),
        count => return Err(TriggerError::new("", format!("{text:?} has {count} fields")).with_hint(FORMS)),
    };
    let mut cron = expand(&columns, seed)?;
    cron.years = fields::years(year).map_err(|error| TriggerError { field: String::new(), ..error })?;
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
    let mut bits = [0u64; 6];
    let mut special: [Vec<String>; 6] = Default::default();
    for (index, (column, text)) in COLUMNS.into_iter().zip(columns).enumerate() {
        for item in text.split(',') {
            match column.item(item, seed)? {
                Item::Run(run) => bits[index] |= run.bits(),
                Item::Special(item) => special[index].push(item),
            }
        }
    }
    let [seconds, minutes, hours, days, months, named] = bits;
    let [.., special_days, _, special_weekdays] = special;
    let starred = |column: usize| columns.get(column).is_some_and(|text| text.starts_with(['*', '?']));
    let narrow = |bits: u64| u32::try_from(bits).unwrap_or(u32::MAX);

    let mut cron = Cron::every_second();
    (cron.seconds, cron.minutes, cron.hours) = (seconds, minutes, narrow(hours));
    cron.wildcard = starred(1) || starred(2);
    cron.days.months = u16::try_from(months).unwrap_or(u16::MAX);
    cron.days.numbers = narrow(days);
    cron.days.either = !starred(3) && !starred(5);
    cron.days.weekdays = Weekdays::default();
    (0..8).filter(|day| named >> day & 1 == 1).for_each(|day| cron.days.weekdays.add((day + 6) % 7));
    if !special_days.is_empty() || !special_weekdays.is_empty() {
        add_special(&mut cron.days, &special_days, &special_weekdays)?;
    }
    Ok(cron)
}

/// Adds the days that `L`, `W` and `#` name.
fn add_special(days: &mut Days, of_month: &[String], of_week: &[String]) -> Result<(), TriggerError> {
    let field = |items: &[String]| if items.is_empty() { "*".to_owned() } else { items.join(",") };
    // A single year spares croner from listing all of them.
    let text = format!("0 0 0 {} * {} 2000", field(of_month), field(of_week));
    let parsed = CronParser::new().parse(&text);
    let pattern = parsed.map_err(|error| TriggerError::new("", error.to_string()).with_hint(FORMS))?.pattern;
    let values =
        |component: &CronComponent, mark: u8| component.get_set_values(mark).into_iter().map(u32::from);
    days.nearest = values(&pattern.days, mark::NEAREST).fold(0, |bits, day| bits | 1 << day);
    // croner has one mark for L and LW each, and takes both together for LW.
    days.last = of_month.iter().any(|item| item == "L");
    days.last_workday = of_month.iter().any(|item| item == "LW");
    let monday_first = |day: u32| (day + 6) % 7;
    for nth in 1..=5 {
        values(&pattern.days_of_week, mark::NTH << (nth - 1))
            .for_each(|day| days.weekdays.add_nth(monday_first(day), nth));
    }
    values(&pattern.days_of_week, mark::LAST).for_each(|day| days.weekdays.add_last(monday_first(day)));
    Ok(())
}

/// How croner marks values in its components: it has accessors for the marks, but no public names.
mod mark {
    /// Of the first occurrence; the second to the fifth follow.
    pub(super) const NTH: u8 = 1 << 1;
    pub(super) const LAST: u8 = 1 << 6;
    pub(super) const NEAREST: u8 = 1 << 7;
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};

    use super::*;

    fn times(text: &str) -> Cron {
        match compile(text, 0) {
            Ok(Crontab::Times(cron)) => cron,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_croner_reads_with_a_part_lost_is_refused() {
        let texts = [
            "1,,2 * * * *",
            "0 0 1 JAN1 *",
            "0 0 * * montue",
            "* * * *",
            "* * * * * * * *",
            "+1 * * * *",
            "/5 * * * *",
            "0 0 * * 1-5#2",
            "0 0 * * L",
            "0 0 5-L * *",
            "0 0 W * *",
            "? * * * *",
            "0 0 * * 5#0",
            "@often",
            "",
            "0 0 0 1 1 * 1969",
            "0 0 * * fri-mon",
            "H(5) * * * *",
            "H(5-70) * * * *",
            "H/0 * * * *",
        ];
        for text in texts {
            let error = compile(text, 0).unwrap_err();
            assert!(error.to_string().contains("takes") || error.hint.is_some(), "{text}: {error}");
        }
    }

    #[test]
    fn nicknames_mean_what_they_say_in_any_case() {
        for (nickname, text) in [
            ("@yearly", "0 0 1 1 *"),
            ("@Annually", "0 0 1 1 *"),
            ("@monthly", "0 0 1 * *"),
            ("@weekly", "0 0 * * sun"),
            ("@DAILY", "0 0 * * *"),
            ("@midnight", "0 0 * * *"),
            (" @hourly ", "0 * * * *"),
        ] {
            assert_eq!(times(nickname), times(text));
        }
        assert_eq!(compile("@reboot", 0), Ok(Crontab::AtStart));
    }

    #[test]
    fn days_agree_with_croner_where_it_is_right() {
        for text in ["L", "LW", "15W", "1W,31W", "7,L", "1-5,20W", "*"] {
            for weekday in ["*", "5", "5#3", "1#1,0#5", "2L", "7#L", "1-5"] {
                let text = format!("0 0 0 {text} * {weekday}");
                let (ours, theirs) = (times(&text), CronParser::new().parse(&text).unwrap());
                for date in NaiveDate::from_ymd_opt(2023, 1, 1).unwrap().iter_days().take(3 * 366) {
                    let midnight = date.and_hms_opt(0, 0, 0).unwrap().and_utc();
                    let expected = theirs.is_time_matching(&midnight).unwrap();
                    let month = super::super::days::Month::new(date.year(), date.month()).unwrap();
                    assert_eq!(ours.days.mask(&month) >> date.day() & 1 == 1, expected, "{text} on {date}");
                }
            }
        }
    }

    #[test]
    fn a_star_with_a_step_narrows_the_other_day_field() {
        assert!(times("0 0 1-7 * mon").days.either);
        assert!(!times("0 0 */2 * mon").days.either);
        assert!(!times("0 0 1-7 * ?").days.either);
    }

    #[test]
    fn hashed_values_stay_within_what_was_asked_for() {
        for seed in 0..200 {
            let Ok(Crontab::Times(cron)) = compile("H H(9-16)/3 H H(2-4) H", seed) else { panic!() };
            assert_eq!((cron.minutes.count_ones(), cron.days.numbers.count_ones()), (1, 1));
            assert!(
                cron.days.numbers < 1 << 29 && cron.hours & !0x1_fe00 == 0 && cron.hours.count_ones() >= 2
            );
            assert!(cron.days.months & !0b1_1100 == 0);
        }
    }
}
