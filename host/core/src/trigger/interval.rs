//! Intervals: elapsed time, whatever the clocks on the wall do meanwhile.

use std::time::Duration;

use chrono::TimeDelta;

use super::{error::TriggerError, spec::IntervalSpec, table::IntervalTable};
use crate::model::{Timestamp, format_duration, parse_duration};

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST_SECONDS: i128 = 1000 * 366 * 86_400;

/// A compiled interval: it fires at `start` and every so long after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) every: Duration,
    pub(super) start: Option<Timestamp>,
}

impl Interval {
    /// The first of `anchor + k * every`, with `k` at least `least`, that is not before `at`: at once, however far
    /// away that is.
    pub(super) fn on_grid(&self, anchor: Timestamp, least: i128, at: Timestamp) -> Option<Timestamp> {
        let every = i128::try_from(self.every.as_nanos()).ok()?;
        let gap = at.signed_duration_since(anchor);
        let gap = i128::from(gap.num_seconds()) * 1_000_000_000 + i128::from(gap.subsec_nanos());
        let steps = (gap.div_euclid(every) + i128::from(gap.rem_euclid(every) > 0)).max(least);
        let ahead = steps.checked_mul(every)?;
        let seconds = i64::try_from(ahead.div_euclid(1_000_000_000)).ok()?;
        let nanos = u32::try_from(ahead.rem_euclid(1_000_000_000)).ok()?;
        anchor.checked_add_signed(TimeDelta::new(seconds, nanos)?)
    }
}

/// Reads the length of an interval.
pub(super) fn length(spec: &IntervalSpec) -> Result<Duration, TriggerError> {
    let every = match spec {
        IntervalSpec::Text(text) => {
            parse_duration(text).map_err(|error| TriggerError::new("", error.to_string()))?
        }
        IntervalSpec::Table(table) => sum(table)?,
    };
    if every < SHORTEST {
        return Err(TriggerError::new(
            "",
            format!("{} is too short, an interval is at least 1ms long", format_duration(every)),
        )
        .with_hint("write for instance \"2h\" or { hours = 2 }"));
    }
    if every.subsec_nanos() % 1000 != 0 {
        return Err(TriggerError::new("", "the interval has a fraction of a microsecond")
            .with_hint("times are kept to the microsecond"));
    }
    Ok(every)
}

fn sum(table: &IntervalTable) -> Result<Duration, TriggerError> {
    let parts = [
        ("weeks", table.weeks, 604_800),
        ("days", table.days, 86_400),
        ("hours", table.hours, 3600),
        ("minutes", table.minutes, 60),
        ("seconds", table.seconds, 1),
    ];
    if let Some((name, count, _)) = parts.iter().find(|(_, count, _)| *count < 0) {
        return Err(
            TriggerError::new(name, format!("{count} is below 0")).with_hint("time runs forward only")
        );
    }
    let seconds: i128 = parts.iter().map(|(_, count, unit)| i128::from(*count) * i128::from(*unit)).sum();
    if seconds > LONGEST_SECONDS {
        return Err(TriggerError::new("", "the interval is longer than 1,000 years"));
    }
    Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}
