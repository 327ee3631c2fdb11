//! What would fire in a window of time, worked out from the triggers alone: nothing runs.
//!
//! ```
//! use clockbox::{Trigger, TriggerSpec, simulation::{Planned, Simulation}};
//! let trigger = Trigger::new(TriggerSpec::cron("30 5 * * mon-fri"), chrono_tz::UTC)?;
//! let planned = Planned { job: "report".parse()?, trigger, next: None };
//! let (from, to) = ("2026-03-01T00:00:00Z".parse()?, "2026-03-08T00:00:00Z".parse()?);
//! let simulation = Simulation::new(vec![planned], from, to)?;
//! assert_eq!(simulation.fires.len(), 5);
//! assert_eq!(simulation.busiest_minutes(1)[0].fires, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ical;
mod load;

use std::time::Duration;

use chrono::{Months, TimeDelta};
use clockbox_core::{
    model::{JobId, Timestamp},
    trigger::{Next, Trigger, seed_of},
};

pub use load::{Hour, Minute};

/// More fires than anyone reads; they take some tens of megabytes.
const MOST_FIRES: usize = 2_000_000;

/// Every hour of a window is counted, and a longer one has more of them than anyone reads.
const MOST_YEARS: u32 = 10;

/// A job as far as its fires go.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its name.
    pub job: JobId,
    /// When it fires.
    pub trigger: Trigger,
    /// Its next fire, where a store knows it; otherwise it is worked out as for a job that never fired.
    pub next: Option<Timestamp>,
}

/// How often a search that comes to no end is taken up again: some seconds at most.
const MOST_LOOKS: u32 = 2000;

/// One fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fire {
    /// The time that would be recorded.
    pub at: Timestamp,
    /// Which of the [`Simulation::planned`] jobs fires.
    pub job: usize,
}

/// The fires of a window, in order.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The first instant.
    pub from: Timestamp,
    /// The end; a fire at this very instant is not part of the window.
    pub to: Timestamp,
    /// The jobs, by name.
    pub planned: Vec<Planned>,
    /// All their fires, by time and then by job.
    pub fires: Vec<Fire>,
}

/// Why there is no simulation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimulationError {
    /// The window is empty.
    #[error("the window ends at {to}, which is not after its begin, {from}")]
    Empty {
        /// Its begin.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// The window is longer than ten years.
    #[error("the window from {from} to {to} is more than {MOST_YEARS} years long: take a shorter one")]
    TooLong {
        /// Its begin.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// More fires than can be listed.
    #[error(
        "there are more than {MOST_FIRES} fires; the window was full with those of job {:?}: take a shorter window, or \
         leave that job out",
        .0.as_str()
    )]
    TooMany(JobId),
}

impl Planned {
    /// Its fires from `from` on and before `to`. Where a store knows the next one to be overdue, that comes first, with
    /// the time that it has; the others that are overdue do not come, however many there are.
    pub fn fires(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
        // What a store knows of a trigger that is searched for may be no more than where to go on.
        let first = match self.next {
            Some(next) if !self.trigger.is_searched() => Some(next).filter(|next| *next < to),
            known => fire_before(&self.trigger, None, known.unwrap_or(from), to),
        };
        std::iter::successors(first, move |fire| fire_before(&self.trigger, Some(*fire), from.max(*fire), to))
    }

    /// How long after `fire` its run would be due: its jitter.
    fn delay(&self, fire: Timestamp) -> Duration {
        self.trigger.delay(seed_of(self.job.as_str()), fire)
    }
}

impl Simulation {
    /// Works out the fires from `from` on and before `to`. A fire that a store knows to be overdue counts at `from`:
    /// a host that starts then would decide about it then.
    ///
    /// # Errors
    /// When the window is empty, longer than ten years, or holds more than two million fires.
    pub fn new(mut planned: Vec<Planned>, from: Timestamp, to: Timestamp) -> Result<Self, SimulationError> {
        if to <= from {
            return Err(SimulationError::Empty { from, to });
        }
        // Where that is beyond the end of time, no window is longer.
        if from.checked_add_months(Months::new(12 * MOST_YEARS)).is_some_and(|longest| to > longest) {
            return Err(SimulationError::TooLong { from, to });
        }
        planned.sort_by(|a, b| a.job.cmp(&b.job));
        let mut fires = Vec::new();
        for (job, planned) in planned.iter().enumerate() {
            // A backlog is one fire here, and one with a fire of this moment: what becomes of it is for the job's policy.
            let mut begun = false;
            for at in planned.fires(from, to) {
                let at = at.max(from);
                if at == from && std::mem::replace(&mut begun, true) {
                    continue;
                }
                fires.push(Fire { at, job });
                if fires.len() > MOST_FIRES {
                    return Err(SimulationError::TooMany(planned.job.clone()));
                }
            }
        }
        fires.sort_unstable();
        Ok(Self { from, to, planned, fires })
    }

    /// The job of a fire.
    #[must_use]
    pub fn job_of(&self, fire: &Fire) -> &Planned {
        &self.planned[fire.job]
    }

    /// The fires of each of the [`planned`](Self::planned) jobs: how many, the first and the last.
    #[must_use]
    pub fn by_job(&self) -> Vec<(usize, Option<Timestamp>, Option<Timestamp>)> {
        let mut jobs = vec![(0, None, None); self.planned.len()];
        for fire in &self.fires {
            if let Some((count, first, last)) = jobs.get_mut(fire.job) {
                *count += 1;
                first.get_or_insert(fire.at);
                *last = Some(fire.at);
            }
        }
        jobs
    }

    /// The fires as an iCalendar file (RFC 5545), an event each; `stamp` is the time at which it was made.
    #[must_use]
    pub fn to_ical(&self, stamp: Timestamp) -> String {
        ical::render(self, stamp)
    }

    /// When the run of a fire would begin: its time and the job's jitter.
    fn begin(&self, fire: &Fire) -> Timestamp {
        let delay = TimeDelta::from_std(self.job_of(fire).delay(fire.at)).unwrap_or(TimeDelta::MAX);
        fire.at.checked_add_signed(delay).unwrap_or(fire.at)
    }
}

/// The first fire after `previous` and not before `from`, if it comes before `to`.
pub(crate) fn fire_before(
    trigger: &Trigger,
    previous: Option<Timestamp>,
    mut from: Timestamp,
    to: Timestamp,
) -> Option<Timestamp> {
    for _ in 0..MOST_LOOKS {
        match trigger.look(previous, from) {
            Next::Fire(fire) => return Some(fire).filter(|fire| *fire < to),
            Next::NotBefore(later) if later < to => from = later,
            Next::NotBefore(_) | Next::Never => break,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use clockbox_core::trigger::TriggerSpec;

    use super::*;

    fn planned(job: &str, json: &str, next: Option<&str>) -> Planned {
        let spec: TriggerSpec = serde_json::from_str(json).unwrap();
        let trigger = Trigger::new(spec, chrono_tz::Europe::Berlin).unwrap();
        Planned { job: job.parse().unwrap(), trigger, next: next.map(|next| next.parse().unwrap()) }
    }

    fn simulate(planned: Vec<Planned>) -> Result<Simulation, SimulationError> {
        Simulation::new(planned, at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_window_holds_its_begin_and_not_its_end() {
        let simulation = simulate(vec![planned("daily", r#"{"cron":"@daily"}"#, None)]).unwrap();
        let fires: Vec<_> = simulation.fires.iter().map(|fire| fire.at).collect();
        assert_eq!(fires, [at("2026-10-24T22:00:00Z")]);
    }

    #[test]
    fn what_a_store_knows_comes_first_and_what_is_overdue_counts_at_the_begin() {
        let known = planned("known", r#"{"interval":"10h"}"#, Some("2026-10-25T01:00:00Z"));
        let late = planned(
            "late",
            r#"{"interval":"1h","end":"2026-10-24T22:30:00Z"}"#,
            Some("2026-10-24T12:00:00Z"),
        );
        let simulation = simulate(vec![late, known]).unwrap();
        let fires: Vec<_> =
            simulation.fires.iter().map(|fire| (fire.at, simulation.job_of(fire).job.as_str())).collect();
        let expected = [
            (at("2026-10-24T22:00:00Z"), "late"),
            (at("2026-10-25T01:00:00Z"), "known"),
            (at("2026-10-25T11:00:00Z"), "known"),
            (at("2026-10-25T21:00:00Z"), "known"),
        ];
        assert_eq!(fires, expected);
        assert_eq!(simulation.by_job()[0], (3, Some(expected[1].0), Some(expected[3].0)));
    }

    #[test]
    fn of_what_is_overdue_the_first_comes_and_then_what_is_to_come() {
        // Twenty years of milliseconds: nobody walks through them.
        let late = planned("late", r#"{"interval":"1ms"}"#, Some("2006-10-24T21:59:59.9995Z"));
        let from = at("2026-10-24T22:00:00Z");
        let fires: Vec<_> = late.fires(from, Timestamp::MAX_UTC).take(3).collect();
        let expected = [
            at("2006-10-24T21:59:59.9995Z"),
            at("2026-10-24T22:00:00.0005Z"),
            at("2026-10-24T22:00:00.0015Z"),
        ];
        assert_eq!(fires, expected);
        let simulation = Simulation::new(vec![late], from, at("2026-10-24T22:00:00.002Z")).unwrap();
        let fires: Vec<_> = simulation.fires.iter().map(|fire| fire.at).collect();
        assert_eq!(fires, [from, expected[1], expected[2]]);
    }

    #[test]
    fn a_window_of_more_than_ten_years_is_refused_at_once() {
        let yearly = || vec![planned("yearly", r#"{"cron":"@yearly"}"#, None)];
        let from = at("2026-10-24T22:00:00Z");
        let simulation = Simulation::new(yearly(), from, at("2036-10-24T22:00:00Z")).unwrap();
        assert_eq!(simulation.fires.len(), 10);
        for to in [at("2036-10-24T22:00:00.000001Z"), Timestamp::MAX_UTC] {
            let error = Simulation::new(yearly(), from, to).unwrap_err();
            assert_eq!(error, SimulationError::TooLong { from, to });
            assert!(error.to_string().ends_with("more than 10 years long: take a shorter one"), "{error}");
        }
    }

    #[test]
    fn a_window_that_is_empty_or_too_full_is_refused_with_the_job_to_blame() {
        let often = || planned("often", r#"{"interval":"1ms"}"#, None);
        assert_eq!(simulate(vec![often()]).unwrap_err(), SimulationError::TooMany("often".parse().unwrap()));
        let now = at("2026-10-24T22:00:00Z");
        assert!(matches!(Simulation::new(vec![often()], now, now), Err(SimulationError::Empty { .. })));
    }
}
