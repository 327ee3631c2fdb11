//! When a job fires. A trigger is a pure function of time: see [`Trigger::next_after`].

mod calendar;
mod combine;
mod cron;
mod crontab;
mod days;
mod describe;
mod error;
mod field;
mod fields;
mod hash;
mod interval;
pub mod jsonl;
mod moment;
mod plan;
mod spec;
mod table;
mod text;
#[expect(clippy::module_inception, reason = "the folder is named for the noun that it is about")]
mod trigger;
mod zone;
mod zones;

pub use error::TriggerError;
pub use hash::seed_of;
pub use spec::{CronSpec, IntervalSpec, TriggerSpec, When};
pub use table::{CalendarTable, CronTable, IntervalTable};
pub use text::FieldText;
pub use trigger::Trigger;
