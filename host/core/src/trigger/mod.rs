//! When a job fires. A trigger is a pure function of time: see [`Trigger::next_after`].
//!
//! A [`TriggerSpec`] is a trigger as written, a [`Trigger`] one that was checked against its time zone. The kinds are
//! `date`, `interval`, `cron`, `calendar`, and `all` / `any` of several triggers; every kind takes `start`, `end`,
//! `timezone` and `jitter`. [`jsonl`] answers questions about triggers line by line.
//!
//! # When the clocks change
//!
//! One rule holds for every kind: **nothing is lost, nothing is doubled.** The examples print the fires that follow
//! an instant, in local time.
//!
//! ```
//! use clockbox_core::trigger::{Trigger, TriggerSpec, local_time};
//!
//! /// The first fires of a trigger after an instant, as the wall clock shows them.
//! fn fires(spec: TriggerSpec, zone: &str, after: &str) -> Vec<String> {
//!     let trigger = Trigger::new(spec, zone.parse().unwrap()).unwrap();
//!     let now = after.parse().unwrap();
//!     let next = |previous: &Option<_>| trigger.next_after(*previous, now);
//!     let fires = std::iter::successors(next(&None), |fire| next(&Some(*fire))).take(3);
//!     fires.map(|fire| local_time(fire, trigger.zone()).format("%d %H:%M %:z").to_string()).collect()
//! }
//!
//! // A cron trigger is at *fixed times* when neither its hour nor its minute field begins with a star. Each of its
//! // times fires once. In Berlin 02:30 is skipped on 31 March 2024: it fires at the end of the gap.
//! let half_past_two = TriggerSpec::cron("30 2 * * *");
//! assert_eq!(
//!     fires(half_past_two.clone(), "Europe/Berlin", "2024-03-29T12:00:00Z"),
//!     ["30 02:30 +01:00", "31 03:00 +02:00", "01 02:30 +02:00"],
//! );
//! // On 27 October it comes twice: the first time counts.
//! assert_eq!(
//!     fires(half_past_two, "Europe/Berlin", "2024-10-26T12:00:00Z"),
//!     ["27 02:30 +02:00", "28 02:30 +01:00", "29 02:30 +01:00"],
//! );
//! // Times that fall together fire once; a list or a range is no different from a single time.
//! assert_eq!(
//!     fires(TriggerSpec::cron("0,30 2 * * *"), "Europe/Berlin", "2024-03-31T00:00:00Z"),
//!     ["31 03:00 +02:00", "01 02:00 +02:00", "01 02:30 +02:00"],
//! );
//!
//! // Any other cron trigger is a *wildcard*: it fires at every instant whose wall-clock time matches. Nothing fires
//! // for a time that is skipped …
//! assert_eq!(
//!     fires(TriggerSpec::cron("*/30 * * * *"), "Europe/Berlin", "2024-03-31T00:30:00Z"),
//!     ["31 01:30 +01:00", "31 03:00 +02:00", "31 03:30 +02:00"],
//! );
//! // … and a time that comes twice fires twice.
//! assert_eq!(
//!     fires(TriggerSpec::cron("30 * * * *"), "Europe/Berlin", "2024-10-27T00:00:00Z"),
//!     ["27 02:30 +02:00", "27 02:30 +01:00", "27 03:30 +01:00"],
//! );
//!
//! // A clock may move by half an hour: on Lord Howe Island 02:15 is skipped on 6 October 2024.
//! assert_eq!(
//!     fires(TriggerSpec::cron("15 2 * * *"), "Australia/Lord_Howe", "2024-10-05T10:00:00Z"),
//!     ["06 02:30 +11:00", "07 02:15 +11:00", "08 02:15 +11:00"],
//! );
//! // A whole day may be missing: Samoa had no 30 December 2011, a Friday. A Friday's job fires once, when it is over.
//! assert_eq!(
//!     fires(TriggerSpec::cron("0 9,17 * * fri"), "Pacific/Apia", "2011-12-29T12:00:00Z"),
//!     ["31 00:00 +14:00", "06 09:00 +14:00", "06 17:00 +14:00"],
//! );
//! // Midnight may be missing: São Paulo went from 23:59 to 01:00 on 4 November 2018.
//! assert_eq!(
//!     fires(TriggerSpec::cron("@daily"), "America/Sao_Paulo", "2018-11-03T12:00:00Z"),
//!     ["04 01:00 -02:00", "05 00:00 -02:00", "06 00:00 -02:00"],
//! );
//! // Ireland's law has winter time as the exception; the clock on the wall is what counts.
//! assert_eq!(
//!     fires(TriggerSpec::cron("30 1 * * *"), "Europe/Dublin", "2024-03-30T12:00:00Z"),
//!     ["31 02:00 +01:00", "01 01:30 +01:00", "02 01:30 +01:00"],
//! );
//!
//! // Dates, and `start` and `end` without an offset, are read like fixed times.
//! assert_eq!(
//!     fires(TriggerSpec::date("2024-03-31 02:30:00"), "Europe/Berlin", "2024-01-01T00:00:00Z"),
//!     ["31 03:00 +02:00"],
//! );
//! // So an end within a repeated hour is its first pass, and excludes the second.
//! assert_eq!(
//!     fires(TriggerSpec::cron("*/30 * * * *").with_end("2024-10-27 02:30:00"), "Europe/Berlin", "2024-10-27T00:00:00Z"),
//!     ["27 02:00 +02:00", "27 02:30 +02:00"],
//! );
//! // Calendar triggers too; a fire that was moved does not move the ones after it.
//! let daily = serde_json::from_str(r#"{"calendar": {"days": 1, "hour": 2, "start_date": "2024-03-30"}}"#).unwrap();
//! assert_eq!(
//!     fires(daily, "Europe/Berlin", "2024-03-01T00:00:00Z"),
//!     ["30 02:00 +01:00", "31 03:00 +02:00", "01 02:00 +02:00"],
//! );
//! // Intervals keep elapsed time, whatever the wall clock shows.
//! assert_eq!(
//!     fires(TriggerSpec::interval("12h").with_start("2024-03-30 20:00:00"), "Europe/Berlin", "2024-03-30T00:00:00Z"),
//!     ["30 20:00 +01:00", "31 09:00 +02:00", "31 21:00 +02:00"],
//! );
//! ```
//!
//! # Time zone data
//!
//! The rules of time zones are those of the IANA data that is bundled ([`zone_data::BUNDLED`] says which release), or a
//! newer one that was handed in before the first trigger was read ([`zone_data::ZoneData`]; the `clockbox` command does
//! so where the system's data is newer). Rules without an end are followed until the year 2600.

mod calendar;
mod check;
mod column;
mod combine;
mod cron;
mod crontab;
mod days;
mod describe;
mod error;
mod field;
mod fields;
mod from_text;
mod hash;
mod interval;
pub mod jsonl;
mod moment;
mod plan;
mod search;
mod spec;
mod table;
mod text;
#[expect(clippy::module_inception, reason = "the folder is named for the noun that it is about")]
mod trigger;
mod zone;
pub mod zone_data;
mod zones;

pub use error::TriggerError;
pub use hash::seed_of;
pub use moment::{local_time, parse_time};
pub use search::Next;
pub use spec::{CronSpec, IntervalSpec, TriggerSpec, When};
pub use table::{CalendarTable, CronTable, IntervalTable};
pub use text::FieldText;
pub use trigger::Trigger;
