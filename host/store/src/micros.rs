//! The precision of stored times: microseconds.

use clockbox_core::model::{Attempt, JobRecord, LogLine, Pause, Run, Timestamp};

use crate::RunFilter;

/// The time in microseconds since 1970; what is finer is cut off towards the past.
pub(crate) fn to_micros(time: Timestamp) -> i64 {
    time.timestamp_micros()
}

/// The time of a number of microseconds since 1970; `None` beyond the calendar.
pub(crate) fn from_micros(micros: i64) -> Option<Timestamp> {
    Timestamp::from_timestamp_micros(micros)
}

/// Whether a time is stored as it is.
pub(crate) fn is_kept(time: Timestamp) -> bool {
    time.timestamp_subsec_nanos().is_multiple_of(1_000)
}

/// A value as a store keeps it: every time in it cut to the microsecond.
pub(crate) trait Kept: Clone {
    /// Cuts the times.
    fn cut(&mut self);

    /// A copy with its times cut.
    fn kept(&self) -> Self {
        let mut copy = self.clone();
        copy.cut();
        copy
    }
}

impl Kept for Timestamp {
    fn cut(&mut self) {
        // Clocks are read to the microsecond, so there is hardly ever something to cut.
        if !is_kept(*self) {
            // The number of a time is always the number of a time, so the fallback is never taken.
            *self = from_micros(to_micros(*self)).unwrap_or(*self);
        }
    }
}

impl<T: Kept> Kept for Option<T> {
    fn cut(&mut self) {
        if let Some(value) = self {
            value.cut();
        }
    }
}

impl Kept for Box<Pause> {
    fn cut(&mut self) {
        (**self).cut();
    }
}

impl Kept for Pause {
    fn cut(&mut self) {
        self.at.cut();
    }
}

impl Kept for JobRecord {
    fn cut(&mut self) {
        self.next_fire.cut();
        self.last_fire.cut();
        self.last_success.cut();
        self.paused.cut();
    }
}

impl Kept for Run {
    fn cut(&mut self) {
        self.scheduled_at.cut();
        self.recorded_at.cut();
        self.started_at.cut();
        self.finished_at.cut();
        self.retry_at.cut();
    }
}

impl Kept for Attempt {
    fn cut(&mut self) {
        self.started_at.cut();
        self.finished_at.cut();
    }
}

impl Kept for LogLine {
    fn cut(&mut self) {
        self.at.cut();
    }
}

impl Kept for RunFilter {
    fn cut(&mut self) {
        self.since.cut();
        self.until.cut();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_finer_than_a_microsecond_is_cut_towards_the_past() {
        let time: Timestamp = "2030-01-01T00:00:00.123456789Z".parse().unwrap();
        assert_eq!(time.kept().to_rfc3339(), "2030-01-01T00:00:00.123456+00:00");
        let early: Timestamp = "1969-12-31T23:59:59.999999999Z".parse().unwrap();
        assert_eq!(to_micros(early), -1);
        assert_eq!(from_micros(-1).unwrap(), early.kept());
    }

    #[test]
    fn the_ends_of_the_calendar_survive() {
        for time in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
            assert_eq!(to_micros(time.kept()), to_micros(time));
        }
    }
}
