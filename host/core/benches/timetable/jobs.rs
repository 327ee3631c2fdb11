//! Jobs as a program with very many customers has them.

use std::{ops::Range, sync::Arc};

use chrono_tz::Tz;
use clockbox_core::{
    model::{Job, JobId, PluginName, Policy, PoolName, Source, Timestamp},
    trigger::{Trigger, TriggerSpec},
};

const ZONES: [Tz; 5] =
    [Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Shanghai, Tz::Australia__Sydney];
const EXPRESSIONS: [&str; 10] = [
    "0 3 * * *",
    "30 5 * * mon-fri",
    "0 0 1 * *",
    "15 2 * * sun",
    "0 6 1 1 *",
    "45 23 L * *",
    "0 12 * * 1#1",
    "20 4 15 */3 *",
    "0 22 * * fri",
    "5 0 1,15 * *",
];
const INTERVALS: [&str; 5] = ["1day", "12h", "1week", "30days", "6h"];
const PLUGINS: [&str; 3] = ["report", "http-check", "prune"];
const DAY: usize = 86_400;

/// How jobs are triggered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of ten crontab strings in one of five zones.
    Crontab,
    /// One of five intervals.
    Interval,
    /// A date of its own.
    Date,
    /// A crontab string with a second of the day: 86,400 different ones.
    Seconds,
    /// Once a day, at a time that no other job has.
    Spread,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Crontab, Self::Interval, Self::Date, Self::Seconds, Self::Spread];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crontab => "crontab, 50 of them",
            Self::Interval => "interval, 5 of them",
            Self::Date => "date, each its own",
            Self::Seconds => "crontab, each at some second of the day",
            Self::Spread => "interval with a start, each its own",
        }
    }
}

/// A time at which no crontab job fires.
pub(crate) fn now() -> Timestamp {
    "2030-01-01T00:10:00Z".parse().expect("a valid time")
}

/// Jobs added by a program.
pub(crate) fn batches(
    kind: Kind,
    count: usize,
    size: usize,
) -> impl Iterator<Item = impl Iterator<Item = Arc<Job>>> {
    let batch = move |begin: usize| {
        let numbers: Range<usize> = begin..count.min(begin + size);
        numbers.map(move |number| Arc::new(job(kind, number, count, Source::Api)))
    };
    (0..count).step_by(size).map(batch)
}

/// Jobs of a manifest.
pub(crate) fn declared(kind: Kind, count: usize) -> impl Iterator<Item = Arc<Job>> {
    (0..count).map(move |number| Arc::new(job(kind, number, count, Source::Manifest)))
}

/// A job made from nothing: no part of it is shared with another.
pub(crate) fn job(kind: Kind, number: usize, count: usize, source: Source) -> Job {
    let (spec, zone) = trigger(kind, number, count);
    let name = PLUGINS[number % PLUGINS.len()];
    Job {
        id: JobId::new(format!("customer-{number:07}-report")).expect("a valid name"),
        plugin: PluginName::new(name).expect("a valid name"),
        pool: PoolName::default_pool(),
        trigger: Trigger::new(spec, zone).expect("a valid trigger"),
        args: format!(r#"{{"customer":{number:07},"format":"pdf"}}"#).into(),
        policy: Policy::default().into(),
        source,
    }
}

fn trigger(kind: Kind, number: usize, count: usize) -> (TriggerSpec, Tz) {
    // Neighbours in time are far apart by name.
    let shuffled = number.wrapping_mul(0x9e37_79b1) % count.max(1);
    let zone = ZONES[number % ZONES.len()];
    let clock = |second: usize| (second / 3600, second / 60 % 60, second % 60);
    let spec = match kind {
        Kind::Crontab => TriggerSpec::cron(EXPRESSIONS[number / ZONES.len() % EXPRESSIONS.len()]),
        Kind::Interval => TriggerSpec::interval(INTERVALS[number % INTERVALS.len()]),
        Kind::Date => {
            let ((hour, minute, second), day) = (clock(shuffled % DAY), shuffled / DAY % 28 + 1);
            TriggerSpec::date(&format!("2031-06-{day:02} {hour:02}:{minute:02}:{second:02}"))
        }
        Kind::Seconds => {
            let (hour, minute, second) = clock(shuffled % DAY);
            TriggerSpec::cron(&format!("{second} {minute} {hour} * * *"))
        }
        Kind::Spread => {
            let micros = DAY as u64 * 1_000_000 / count as u64 * shuffled as u64;
            let start = now() + std::time::Duration::from_micros(micros);
            TriggerSpec::interval("1day").with_start(&start.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
        }
    };
    (spec, zone)
}
