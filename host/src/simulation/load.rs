//! How many runs begin when.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, FixedOffset, TimeDelta, Timelike};
use chrono_tz::Tz;
use clockbox_core::{
    model::{JobId, Timestamp},
    trigger::local_time,
};

use super::Simulation;

/// An hour as the clock on the wall shows it; one that comes twice counts as two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// When it begins.
    pub begin: DateTime<FixedOffset>,
    /// How many runs would begin in it.
    pub fires: u32,
}

/// A minute in which runs begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minute {
    /// When it begins.
    pub begin: Timestamp,
    /// How many runs would begin in it.
    pub fires: u32,
    /// Of which jobs, those with the most runs first.
    pub jobs: Vec<(JobId, u32)>,
}

impl Simulation {
    /// Every hour of the window with the runs that would begin in it, jitter included.
    #[must_use]
    pub fn hours(&self, zone: Tz) -> Vec<Hour> {
        let mut counts: HashMap<DateTime<FixedOffset>, u32> = HashMap::new();
        for fire in &self.fires {
            *counts.entry(hour_of(self.begin(fire), zone)).or_default() += 1;
        }
        let mut hours = Vec::new();
        let (mut at, last) = (self.from, self.to - TimeDelta::microseconds(1));
        loop {
            let begin = hour_of(at.min(last), zone);
            if hours.last().is_none_or(|hour: &Hour| hour.begin < begin) {
                hours.push(Hour { begin, fires: counts.remove(&begin).unwrap_or_default() });
            }
            if at >= last {
                break;
            }
            // Offsets are multiples of a quarter of an hour, so no hour is stepped over.
            at += TimeDelta::minutes(15);
        }
        // Jitter may carry a run beyond the window.
        hours.extend(counts.into_iter().map(|(begin, fires)| Hour { begin, fires }));
        hours.sort_by_key(|hour| hour.begin);
        hours
    }

    /// The minutes in which the most runs would begin, jitter included: at most `most`, the busiest first.
    #[must_use]
    pub fn busiest_minutes(&self, most: usize) -> Vec<Minute> {
        let minute = |at: Timestamp| at.timestamp().div_euclid(60);
        let mut counts: HashMap<i64, u32> = HashMap::new();
        for fire in &self.fires {
            *counts.entry(minute(self.begin(fire))).or_default() += 1;
        }
        let mut counts: Vec<(i64, u32)> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|(at, fires)| (std::cmp::Reverse(*fires), *at));
        counts.truncate(most);
        let mut jobs: BTreeMap<i64, BTreeMap<usize, u32>> =
            counts.iter().map(|(at, _)| (*at, BTreeMap::new())).collect();
        for fire in &self.fires {
            if let Some(jobs) = jobs.get_mut(&minute(self.begin(fire))) {
                *jobs.entry(fire.job).or_default() += 1;
            }
        }
        let named = |(at, fires): (i64, u32)| {
            let jobs = jobs.remove(&at).unwrap_or_default();
            let mut jobs: Vec<_> =
                jobs.into_iter().map(|(job, fires)| (self.planned[job].job.clone(), fires)).collect();
            jobs.sort_by_key(|(_, fires)| std::cmp::Reverse(*fires));
            Minute { begin: DateTime::from_timestamp(at * 60, 0).unwrap_or_default(), fires, jobs }
        };
        counts.into_iter().map(named).collect()
    }
}

fn hour_of(at: Timestamp, zone: Tz) -> DateTime<FixedOffset> {
    let local = local_time(at, zone);
    let into = TimeDelta::seconds(i64::from(local.num_seconds_from_midnight() % 3600))
        + TimeDelta::nanoseconds(i64::from(local.nanosecond()));
    local - into
}

#[cfg(test)]
mod tests {
    use clockbox_core::trigger::{Trigger, TriggerSpec};

    use super::super::Planned;
    use super::*;

    fn simulation(specs: &[TriggerSpec], zone: Tz) -> Simulation {
        let planned = specs.iter().enumerate().map(|(n, spec)| Planned {
            job: format!("job-{n}").parse().unwrap(),
            trigger: Trigger::new(spec.clone(), zone).unwrap(),
            next: None,
        });
        let (from, to) = ("2026-10-24T22:00:00Z", "2026-10-25T04:00:00Z");
        Simulation::new(planned.collect(), from.parse().unwrap(), to.parse().unwrap()).unwrap()
    }

    #[test]
    fn an_hour_that_comes_twice_counts_as_two() {
        let berlin = chrono_tz::Europe::Berlin;
        let simulation =
            simulation(&[TriggerSpec::cron("*/20 2 * * *"), TriggerSpec::cron("0 4 * * *")], berlin);
        let hours: Vec<_> = simulation
            .hours(berlin)
            .iter()
            .map(|hour| (hour.begin.format("%H %:z").to_string(), hour.fires))
            .collect();
        let expected = [
            ("00 +02:00", 0),
            ("01 +02:00", 0),
            ("02 +02:00", 3),
            ("02 +01:00", 3),
            ("03 +01:00", 0),
            ("04 +01:00", 1),
        ];
        assert_eq!(hours, expected.map(|(hour, fires)| (hour.to_owned(), fires)));
    }

    #[test]
    fn the_busiest_minute_names_its_jobs_and_jitter_spreads_them() {
        let sharp = TriggerSpec::cron("0 0 * * * *");
        let often = TriggerSpec::cron("*/20 0 * * * *");
        let busiest = simulation(&[sharp.clone(), often], Tz::UTC).busiest_minutes(2);
        assert_eq!(busiest.len(), 2);
        assert_eq!(busiest[0].begin, "2026-10-24T22:00:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(busiest[0].fires, 4);
        assert_eq!(busiest[0].jobs, [("job-1".parse().unwrap(), 3), ("job-0".parse().unwrap(), 1)]);

        let all_at_once: Vec<_> = (0..100).map(|_| TriggerSpec::cron("0 0 1 * * *")).collect();
        assert_eq!(simulation(&all_at_once, Tz::UTC).busiest_minutes(1)[0].fires, 100);
        let spread: Vec<_> = all_at_once.into_iter().map(|spec| spec.with_jitter("1h")).collect();
        assert!(simulation(&spread, Tz::UTC).busiest_minutes(1)[0].fires < 20);
    }
}
