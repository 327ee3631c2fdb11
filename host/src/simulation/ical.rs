//! Fires as a calendar that other programs read.

use clockbox_core::model::Timestamp;
use icalendar::{Calendar, Component, Event, EventLike};

use super::Simulation;

pub(super) fn render(simulation: &Simulation, stamp: Timestamp) -> String {
    let mut calendar = Calendar::empty();
    for property in [("VERSION", "2.0"), ("PRODID", "-//clockbox//simulate//EN"), ("CALSCALE", "GREGORIAN")] {
        calendar.append_property(property);
    }
    calendar.name("clockbox");
    let meanings: Vec<String> = simulation.planned.iter().map(|planned| planned.trigger.describe()).collect();
    for fire in &simulation.fires {
        let job = simulation.job_of(fire).job.as_str();
        let event = Event::new()
            .uid(&format!("{job}-{}@clockbox", fire.at.timestamp_micros()))
            .timestamp(stamp)
            .summary(job)
            .description(&meanings[fire.job])
            .starts(fire.at)
            .done();
        calendar.push(event);
    }
    calendar.done().to_string()
}

#[cfg(test)]
mod tests {
    use clockbox_core::trigger::{Trigger, TriggerSpec};

    use super::super::{Planned, Simulation};

    #[test]
    fn every_fire_is_an_event_in_universal_time() {
        let trigger = Trigger::new(TriggerSpec::cron("30 5 * * *"), chrono_tz::Asia::Shanghai).unwrap();
        let planned = Planned { job: "report".parse().unwrap(), trigger, next: None };
        let (from, to) = ("2026-03-01T00:00:00Z".parse().unwrap(), "2026-03-03T00:00:00Z".parse().unwrap());
        let text = Simulation::new(vec![planned], from, to).unwrap().to_ical(from);
        assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"), "{text}");
        assert_eq!(text.matches("BEGIN:VEVENT").count(), 2);
        for line in ["DTSTART:20260301T213000Z", "SUMMARY:report", "DTSTAMP:20260301T000000Z", "at 05:30"] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
