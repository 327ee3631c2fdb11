//! What holds for every trigger, tried on random ones, with a slow reference that knows nothing of how triggers are
//! evaluated: it walks through time minute by minute and looks at the wall clock.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use clockbox_core::trigger::{Trigger, TriggerSpec, jsonl, seed_of};
use proptest::prelude::*;

type Time = DateTime<Utc>;

const WINDOW: i64 = 3 * 1440;

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

/// Windows that begin a day and a half before something happens to the clock, and some where nothing does.
fn windows() -> impl Strategy<Value = (Tz, Time)> {
    let around = [
        ("UTC", "2024-02-28T12:00:00Z"),
        ("Europe/Berlin", "2024-03-31T01:00:00Z"),
        ("Europe/Berlin", "2024-10-27T01:00:00Z"),
        ("Europe/Dublin", "2024-03-31T01:00:00Z"),
        ("America/New_York", "2024-11-03T06:00:00Z"),
        ("Australia/Lord_Howe", "2024-04-06T15:00:00Z"),
        ("Australia/Lord_Howe", "2024-10-05T15:30:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z"),
        ("Pacific/Kwajalein", "1993-08-21T12:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
        ("Africa/Cairo", "2014-05-15T22:00:00Z"),
        ("Asia/Beirut", "2021-03-27T22:00:00Z"),
        ("America/Havana", "2020-11-01T05:00:00Z"),
        ("America/St_Johns", "1990-10-28T02:31:00Z"),
        ("Antarctica/Troll", "2016-03-27T01:00:00Z"),
        ("Africa/Casablanca", "2024-03-10T02:00:00Z"),
        ("Asia/Pyongyang", "2018-05-04T15:00:00Z"),
        ("Asia/Pyongyang", "2015-08-14T15:00:00Z"),
        ("America/Caracas", "2016-05-01T07:00:00Z"),
        ("America/Santiago", "2022-09-11T04:00:00Z"),
        ("Pacific/Chatham", "2024-04-06T14:00:00Z"),
    ];
    (prop::sample::select(around.to_vec()), 0i64..2880)
        .prop_map(|((zone, change), before)| (zone.parse().unwrap(), at(change) - TimeDelta::minutes(before)))
}

/// A field of numbers as text, with the values it stands for.
#[derive(Debug, Clone)]
struct Field {
    text: String,
    values: BTreeSet<u32>,
}

fn field(least: u32, most: u32) -> impl Strategy<Value = Field> {
    let item = prop_oneof![
        2 => Just(("*".to_owned(), least, most, 1)),
        2 => (1..=(most - least)).prop_map(move |step| (format!("*/{step}"), least, most, step)),
        6 => (least..=most).prop_map(|value| (value.to_string(), value, value, 1)),
        3 => (least..most).prop_flat_map(move |from| (Just(from), from + 1..=most)).prop_flat_map(|(from, to)| {
            (1..=to - from).prop_map(move |step| (format!("{from}-{to}/{step}"), from, to, step))
        }),
    ];
    prop::collection::vec(item, 1..3).prop_map(|items| Field {
        text: items.iter().map(|item| item.0.clone()).collect::<Vec<_>>().join(","),
        values: items.iter().flat_map(|(_, from, to, step)| (*from..=*to).step_by(*step as usize)).collect(),
    })
}

fn often(least: u32, most: u32) -> impl Strategy<Value = Field> {
    let every = Field { text: "*".to_owned(), values: (least..=most).collect() };
    prop_oneof![3 => Just(every), 1 => field(least, most)]
}

/// A cron trigger to the minute, as a field table or as a crontab string, and what it means.
#[derive(Debug, Clone)]
struct Cron {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    /// 0 is Monday.
    weekday: Field,
    crontab: bool,
}

fn crons() -> impl Strategy<Value = Cron> {
    (field(0, 59), field(0, 23), often(1, 31), often(1, 12), often(0, 6), any::<bool>()).prop_map(
        |(minute, hour, day, month, weekday, crontab)| Cron { minute, hour, day, month, weekday, crontab },
    )
}

impl Cron {
    fn spec(&self) -> TriggerSpec {
        let Self { minute, hour, day, month, weekday, crontab } = self;
        if *crontab {
            // Numbered from Sunday, so the weekdays are listed by name.
            let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let mut listed =
                weekday.values.iter().map(|day| names[*day as usize]).collect::<Vec<_>>().join(",");
            if weekday.text.starts_with('*') {
                listed = if weekday.values.len() == 7 { "*".to_owned() } else { format!("?,{listed}") };
            }
            let text = format!("{} {} {} {} {listed}", minute.text, hour.text, day.text, month.text);
            return TriggerSpec::cron(&text);
        }
        let json = serde_json::json!({ "cron": {
            "minute": minute.text, "hour": hour.text, "day": day.text, "month": month.text,
            "day_of_week": weekday.text, "second": 0,
        }});
        serde_json::from_value(json).unwrap()
    }

    fn is_wildcard(&self) -> bool {
        self.minute.text.starts_with('*') || self.hour.text.starts_with('*')
    }

    fn matches(&self, wall: NaiveDateTime) -> bool {
        let day = self.day.values.contains(&wall.day());
        // `?,mon` is every day of the week.
        let starred = |field: &Field| field.text.starts_with('*');
        let all_week = self.crontab && starred(&self.weekday);
        let weekday = all_week || self.weekday.values.contains(&wall.weekday().num_days_from_monday());
        let either = self.crontab && !starred(&self.day) && !starred(&self.weekday);
        let date = if either { day || weekday } else { day && weekday };
        date && self.month.values.contains(&wall.month())
            && self.hour.values.contains(&wall.hour())
            && self.minute.values.contains(&wall.minute())
    }

    /// The fires within the window by walking through it.
    fn walk(&self, zone: Tz, from: Time) -> Vec<Time> {
        let shown = |at: Time| at.with_timezone(&zone).naive_local();
        let minute = TimeDelta::minutes(1);
        let mut highest = (1..2 * 1440).map(|back| shown(from - minute * back)).max().unwrap();
        let mut fires = Vec::new();
        for at in (0..WINDOW).map(|minutes| from + minute * i32::try_from(minutes).unwrap()) {
            let mut due = self.is_wildcard() && self.matches(shown(at));
            while highest < shown(at) {
                highest += minute;
                due |= !self.is_wildcard() && self.matches(highest);
            }
            if due {
                fires.push(at);
            }
        }
        fires
    }
}

/// The fires of a trigger within the window.
fn fires(trigger: &Trigger, from: Time) -> Vec<Time> {
    let end = from + TimeDelta::minutes(WINDOW);
    let next = |previous: &Option<Time>| trigger.next_after(*previous, from);
    std::iter::successors(next(&None), |fire| next(&Some(*fire))).take_while(|fire| *fire < end).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_cron_trigger_fires_when_the_wall_clock_matches_and_at_no_other_time(
        cron in crons(),
        (zone, from) in windows(),
    ) {
        // A trigger that never fires is refused; the walk then finds nothing either.
        let got = Trigger::new(cron.spec(), zone).map(|trigger| fires(&trigger, from)).unwrap_or_default();
        prop_assert_eq!(got, cron.walk(zone, from));
    }

    #[test]
    fn the_next_fire_does_not_depend_on_the_way_there(
        cron in crons(),
        (zone, from) in windows(),
        step in 1i64..200_000,
    ) {
        let Ok(trigger) = Trigger::new(cron.spec(), zone) else { return Ok(()) };
        let mut now = from;
        let Some(first) = trigger.next_after(None, from) else { return Ok(()) };
        while now < first {
            prop_assert_eq!(trigger.next_after(None, now), Some(first));
            now += TimeDelta::seconds(step);
        }
        prop_assert!(trigger.next_after(Some(first), from).is_none_or(|second| second > first));
        prop_assert_eq!(trigger.next_after(Some(first), from), trigger.next_after(None, first + TimeDelta::seconds(1)));
    }

    #[test]
    fn start_and_end_are_respected_and_inclusive(
        cron in crons(),
        (zone, from) in windows(),
        skip in 0usize..4,
        take in 1usize..4,
    ) {
        let Ok(trigger) = Trigger::new(cron.spec(), zone) else { return Ok(()) };
        let all = fires(&trigger, from);
        let Some(wanted) = all.get(skip..(skip + take).min(all.len())).filter(|wanted| !wanted.is_empty()) else {
            return Ok(());
        };
        let (first, last) = (wanted[0], wanted[wanted.len() - 1]);
        let spec = cron.spec().with_start(&first.to_rfc3339()).with_end(&last.to_rfc3339());
        prop_assert_eq!(fires(&Trigger::new(spec, zone).unwrap(), from), wanted);
    }

    #[test]
    fn an_interval_is_found_at_once_however_far_away(
        every in 1u64..40_000_000,
        start in 0i64..4_000_000_000,
        ahead in 0i64..4_000_000_000,
    ) {
        let start = DateTime::from_timestamp(start, 0).unwrap();
        let now = start + TimeDelta::seconds(ahead);
        let spec = TriggerSpec::interval(&format!("{every}s"));
        let anchored = Trigger::new(spec.clone().with_start(&start.to_rfc3339()), Tz::UTC).unwrap();
        let fire = anchored.next_after(None, now).unwrap();
        let every = TimeDelta::seconds(i64::try_from(every).unwrap());
        prop_assert!(fire >= now && fire - now < every);
        prop_assert_eq!((fire - start).num_seconds() % every.num_seconds(), 0);

        let free = Trigger::new(spec, Tz::UTC).unwrap();
        prop_assert_eq!(free.next_after(None, now), Some(now + every));
        let next = free.next_after(Some(start), now).unwrap();
        prop_assert!(next > start && next >= now && (next - start).num_seconds() % every.num_seconds() == 0);
    }

    #[test]
    fn jitter_stays_within_its_bounds_and_is_the_same_each_time(
        jitter in 0u64..100_000,
        seed in any::<u64>(),
        fire in 0i64..4_000_000_000,
    ) {
        let spec = TriggerSpec::cron("* * * * *").with_jitter(&format!("{jitter}ms"));
        let trigger = Trigger::new(spec, Tz::UTC).unwrap();
        let fire = DateTime::from_timestamp(fire, 0).unwrap();
        let delay = trigger.delay(seed, fire);
        prop_assert!(delay <= Duration::from_millis(jitter));
        prop_assert_eq!(delay, trigger.delay(seed, fire));
    }

    #[test]
    fn a_calendar_skips_dates_that_do_not_exist(
        months in 1u32..30,
        day in 1u32..=31,
        now in 0i64..4_000_000_000,
    ) {
        let spec = serde_json::json!({ "calendar": { "months": months, "start_date": format!("1971-01-{day:02}") } });
        let trigger = Trigger::new(serde_json::from_value(spec).unwrap(), Tz::UTC).unwrap();
        let now = DateTime::from_timestamp(now, 0).unwrap();
        let fire = trigger.next_after(None, now).unwrap();
        // Count through the months one by one.
        let on_grid = |year: i32, month0: u32| u32::try_from(year - 1971).is_ok_and(|y| (y * 12 + month0).is_multiple_of(months));
        let expected = (1971..).flat_map(|year| (0..12).map(move |month0| (year, month0)))
            .filter(|(year, month0)| on_grid(*year, *month0))
            .filter_map(|(year, month0)| chrono::NaiveDate::from_ymd_opt(year, month0 + 1, day))
            .map(|date| date.and_hms_opt(0, 0, 0).unwrap().and_utc())
            .find(|fire| *fire >= now);
        prop_assert_eq!(Some(fire), expected);
    }

    #[test]
    fn any_and_all_are_the_union_and_the_intersection(
        one in crons(),
        other in crons(),
        (zone, from) in windows(),
    ) {
        let part = |cron: &Cron| Trigger::new(cron.spec(), zone).ok().map(|trigger| fires(&trigger, from));
        let (Some(first), Some(second)) = (part(&one), part(&other)) else { return Ok(()) };
        let both = |key: &str| {
            let json = serde_json::json!({ key: [one.spec(), other.spec()] });
            Trigger::new(serde_json::from_value(json).unwrap(), zone).map(|trigger| fires(&trigger, from))
        };
        let (first, second) = (BTreeSet::from_iter(first), BTreeSet::from_iter(second));
        prop_assert_eq!(both("any").unwrap(), first.union(&second).copied().collect::<Vec<_>>());
        let meet = first.intersection(&second).copied().collect::<Vec<_>>();
        // Two that meet nowhere but at the end of a gap far from their start may be refused.
        if let Ok(both) = both("all") {
            prop_assert_eq!(both, meet);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_text_whatever_makes_a_trigger_panic(
        text in prop_oneof![
            ".{0,40}",
            "[0-9*/,LW#?HhA-Z() @-]{0,30}",
            "([0-9]{1,2}|\\*|\\*/[0-9]{1,2}|[0-9]-[0-9]{1,2}|L|LW|[0-9]{1,2}W|[a-z]{3}|[0-7]#[1-5L]|H\\([0-9]-[0-9]{2}\\)|H/[0-9]|,| ){4,24}",
            "([0-9*][0-9/,-]{0,2} ){4,6}[0-9*?]",
        ],
        now in any::<i64>(),
        seed in any::<u64>(),
    ) {
        let now = DateTime::from_timestamp_micros(now).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let mut specs = vec![
            TriggerSpec::cron(&text),
            TriggerSpec::date(&text),
            TriggerSpec::interval(&text),
            TriggerSpec::cron("* * * * *").with_start(&text).with_timezone(&text).with_jitter(&text),
        ];
        for key in ["year", "month", "day", "week", "day_of_week", "hour", "minute", "second"] {
            specs.push(serde_json::from_value(serde_json::json!({ "cron": { key: text } })).unwrap());
        }
        for spec in specs {
            if let Ok(trigger) = Trigger::new_seeded(spec, chrono_tz::Pacific::Apia, seed) {
                let first = trigger.next_after(None, now);
                let second = trigger.next_after(first, now);
                prop_assert!(second.is_none() || second > first);
                trigger.check_at(now).ok();
                prop_assert!(!trigger.describe().is_empty());
                let json = serde_json::to_string(&trigger).unwrap();
                prop_assert_eq!(serde_json::from_str::<Trigger>(&json).unwrap(), trigger);
            }
        }
        prop_assert!(jsonl::answer(&text, now, 10).contains("error"));
    }
}

#[test]
fn hashed_fields_spread_jobs_evenly_and_stay_where_they_are() {
    let mut minutes = [0u32; 60];
    for job in 0..6000 {
        let seed = seed_of(&format!("job-{job}"));
        let trigger = Trigger::new_seeded(TriggerSpec::cron("H H * * *"), Tz::UTC, seed).unwrap();
        let fire = trigger.next_after(None, at("2026-03-01T00:00:00Z")).unwrap();
        minutes[fire.minute() as usize] += 1;
    }
    assert!(minutes.iter().all(|count| (50..160).contains(count)), "{minutes:?}");
    // Fire times must not move between versions.
    let report =
        Trigger::new_seeded(TriggerSpec::cron("H H(0-5) * * *"), Tz::UTC, seed_of("report")).unwrap();
    assert_eq!(report.describe(), "at 01:50, every day, UTC");
}
