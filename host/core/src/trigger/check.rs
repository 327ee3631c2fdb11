//! Whether a trigger can fire at all, and if not, why.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::{
    combine,
    error::TriggerError,
    field::Field,
    moment::local,
    plan::{Kind, Plan},
    search::Next,
    spec::{CronSpec, TriggerSpec, When},
};
use crate::model::Timestamp;

/// The begin of 2026.
const RECENT: i64 = 1_767_225_600;
/// Parts that did not meet for so long never will.
const LONG: TimeDelta = TimeDelta::days(3653);

impl Plan {
    /// Whether it can ever fire, whatever the time is now.
    pub(super) fn check(&self, spec: &TriggerSpec) -> Result<(), TriggerError> {
        let field = self.kind.name();
        if let (Some(start), Some(end)) = (self.start(), self.end())
            && end < start
        {
            let (start, end) = (local_text(start, self.zone), local_text(end, self.zone));
            let message =
                format!("the end, {end}, lies before the start, {start}, so the trigger never fires");
            return Err(TriggerError::new("end", message));
        }
        match &self.kind {
            Kind::Once => return Ok(()),
            Kind::Interval(interval) if interval.start.is_none() => return Ok(()),
            Kind::Calendar(calendar) if calendar.first.is_none() => return Ok(()),
            Kind::Cron(cron) if cron.is_impossible() => {
                return Err(impossible(spec));
            }
            Kind::Date(date) if self.start().is_some_and(|start| *date < start) => {
                return Err(TriggerError::new(
                    "start",
                    "the date lies before the start, so the trigger never fires",
                ));
            }
            _ => {}
        }
        let begin = combine::begin(self);
        let first = self.first_of_all(begin);
        if first.is_ok() {
            return Ok(());
        }
        let unbounded = self.end().and_then(|_| self.unended().at_or_after(begin).fire());
        Err(match (self.end(), unbounded, &self.kind) {
            (Some(end), Some(first), _) => TriggerError::new(
                "end",
                format!(
                    "the first fire would be {}, after the end, {}, so the trigger never fires",
                    local_text(first, self.zone),
                    local_text(end, self.zone)
                ),
            ),
            (.., Kind::All(_)) => {
                let looked = first.err().flatten().map_or_else(String::new, |until| {
                    format!(", as far as was looked: until {}", local_text(until, self.zone))
                });
                TriggerError::new(field, format!("its parts never fire at the same instant{looked}"))
            }
            (_, _, Kind::Cron(_)) if self.start().is_none() => impossible(spec),
            _ => TriggerError::new(field, "it never fires: its last time lies before the start"),
        })
    }

    /// Whether anything fires from `begin` on, or may do so; otherwise up to when that was looked for.
    fn first_of_all(&self, begin: Timestamp) -> Result<(), Option<Timestamp>> {
        // Zones had other rules in the past: what meets nowadays need not have met then.
        let recent = DateTime::from_timestamp(RECENT, 0).unwrap_or_default();
        let mut looked = None;
        for from in [begin, recent.max(begin)] {
            match self.at_or_after(from) {
                Next::Fire(_) => return Ok(()),
                Next::NotBefore(until) if until - from.max(DateTime::UNIX_EPOCH) < LONG => return Ok(()),
                Next::NotBefore(until) => looked = Some(until),
                Next::Never => {}
            }
        }
        Err(looked)
    }

    /// Why nothing fires from `now` on.
    pub(super) fn exhausted(&self, now: Timestamp) -> TriggerError {
        let now = local_text(now, self.zone);
        match (&self.kind, self.end()) {
            (Kind::Cron(cron), None) if !cron.years.is_empty() => {
                let last = cron.years.iter().map(|years| years.to).max().unwrap_or_default();
                TriggerError::new(
                    "cron",
                    format!("it fires no more: its last year, {last}, lies before {now}"),
                )
            }
            (_, Some(end)) => TriggerError::new(
                "end",
                format!(
                    "it fires no more: nothing is left from {now} to the end, {}",
                    local_text(end, self.zone)
                ),
            ),
            (kind, None) => TriggerError::new(kind.name(), format!("it fires no more after {now}")),
        }
    }
}

impl Kind {
    /// Its key in a specification.
    fn name(&self) -> &'static str {
        match self {
            Self::Once => "",
            Self::Date(_) => "date",
            Self::Interval(_) => "interval",
            Self::Cron(_) => "cron",
            Self::Calendar(_) => "calendar",
            Self::All(_) => "all",
            Self::Any(_) => "any",
        }
    }
}

fn impossible(spec: &TriggerSpec) -> TriggerError {
    TriggerError::new("cron", format!("it can never fire: no year has a day that matches {}", given(spec)))
}

/// The date fields of a cron trigger as written.
fn given(spec: &TriggerSpec) -> String {
    match spec.when() {
        When::Cron(CronSpec::Table(table)) => {
            let is_date = |field: &Field| !matches!(field, Field::Hour | Field::Minute | Field::Second);
            let fields = Field::ALL.into_iter().filter(is_date);
            let given =
                fields.filter_map(|field| Some(format!("{} = {:?}", field.name(), table.get(field)?)));
            given.collect::<Vec<_>>().join(", ")
        }
        When::Cron(CronSpec::Text(text)) => format!("{text:?}"),
        _ => "it".to_owned(),
    }
}

fn local_text(at: Timestamp, zone: Tz) -> String {
    format!("{} {}", local(at, zone).format("%Y-%m-%d %H:%M:%S"), zone.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::Trigger;

    fn read(json: &str) -> Result<Trigger, TriggerError> {
        Trigger::new(serde_json::from_str(json).unwrap(), chrono_tz::Europe::Berlin)
    }

    #[test]
    fn what_can_never_fire_is_refused_with_the_reason() {
        let cases = [
            (r#"{"cron":"0 0 30 2 *"}"#, "cron", "\"0 0 30 2 *\""),
            (r#"{"cron":{"week":53,"month":6}}"#, "cron", "month = \"6\", week = \"53\""),
            (r#"{"cron":"0 5 * * *","end":"1969-01-01"}"#, "end", "first fire would be 1970-01-01 05:00:00"),
            (r#"{"cron":"0 5 * * *","start":"2026-01-02","end":"2026-01-01"}"#, "end", "before the start"),
            (r#"{"cron":"0 0 0 1 1 * 1999","start":"2020-01-01"}"#, "cron", "before the start"),
            (r#"{"date":"2026-01-02","end":"2026-01-01"}"#, "end", "2026-01-02 00:00:00"),
            (r#"{"date":"2026-01-02","start":"2026-01-03"}"#, "start", "before the start"),
            (
                r#"{"all":[{"cron":"0 5 * * *"},{"cron":"0 6 * * *"}]}"#,
                "all",
                "never fire at the same instant",
            ),
            (r#"{"any":[{"cron":"0 5 * * *"},{"cron":"0 0 31 4 *"}]}"#, "any.1.cron", "never fire"),
        ];
        for (json, field, part) in cases {
            let error = read(json).unwrap_err();
            assert_eq!(error.field, field, "{json}: {error}");
            assert!(error.message.contains(part), "{json}: {error}");
        }
    }

    #[test]
    fn what_fires_no_more_says_so_when_asked() {
        let now = "2026-03-01T00:00:00Z".parse().unwrap();
        assert_eq!(read(r#"{"cron":"0 5 * * *"}"#).unwrap().check_at(now), Ok(()));
        let ended = read(r#"{"cron":"0 5 * * *","end":"2025-01-01"}"#).unwrap();
        assert_eq!(ended.check_at(now).unwrap_err().field, "end");
    }

    #[test]
    fn parts_that_meet_rarely_or_late_are_no_error() {
        for json in [
            r#"{"all":[{"cron":"0 9 * * *"},{"any":[{"cron":"30 9 * * *"},{"date":"2026-12-24T09:00:00"}]}]}"#,
            r#"{"all":[{"cron":"0 9 * * *"},{"any":[{"cron":"30 9 * * *"},{"cron":"0 9 * * *","start":"2024-01-01"}]}]}"#,
            r#"{"all":[{"cron":"*/15 * * * *"},{"any":[{"cron":"5 * * * *"},{"cron":"0 0 29 2 *"}]}]}"#,
            r#"{"all":[{"interval":"10007s"},{"interval":"10009s"}],"start":"2020-01-01"}"#,
        ] {
            let trigger = read(json).unwrap();
            let mut at = "2026-03-01T00:00:00Z".parse().unwrap();
            let looks = std::iter::from_fn(|| match trigger.look(None, at) {
                Next::NotBefore(later) => {
                    assert!(later > at, "{json}");
                    at = later;
                    Some(Next::NotBefore(later))
                }
                _ => None,
            });
            assert!(looks.count() < 1000);
            assert!(matches!(trigger.look(None, at), Next::Fire(_)), "{json}");
            assert!(trigger.check_at(at).is_ok());
        }
    }

    #[test]
    fn years_that_lack_the_day_are_named_as_the_reason() {
        for json in [
            r#"{"cron":{"year":"*/4","month":2,"day":29}}"#,
            r#"{"cron":{"year":2027,"week":53,"day":31}}"#,
            r#"{"cron":"0 0 0 29 2 ? 2001-2003"}"#,
        ] {
            let error = read(json).unwrap_err();
            assert!(error.message.contains("no year has a day that matches"), "{json}: {error}");
        }
    }

    #[test]
    fn a_long_text_is_not_repeated_in_full() {
        let error = Trigger::new(TriggerSpec::cron(&"é".repeat(100_000)), chrono_tz::UTC).unwrap_err();
        assert!(error.to_string().chars().count() < 1000, "{}", error.to_string().len());
    }

    #[test]
    fn nothing_fires_after_the_year_9999() {
        let trigger = read(r#"{"interval":"400days"}"#).unwrap();
        assert_eq!(trigger.look(None, "9999-06-01T00:00:00Z".parse().unwrap()), Next::Never);
    }

    #[test]
    fn a_search_always_comes_further() {
        let crons = |count: usize| vec![r#"{"cron":"0 0 29 2 *"}"#.to_owned(); count];
        let all = r#"{"all":[{"cron":"* * * * *"},{"cron":"* * * * *"},{"cron":"* * * * *"},{"cron":"0 9 1 1 *"}]}"#;
        let any = |mut parts: Vec<String>, last: String| {
            parts.push(last);
            format!(r#"{{"any":[{}]}}"#, parts.join(","))
        };
        let trigger = read(&any(crons(63), any(crons(63), all.to_owned()))).unwrap();
        let mut at = "2026-03-01T00:00:00Z".parse().unwrap();
        for _ in 0..1000 {
            match trigger.look(None, at) {
                Next::NotBefore(later) => assert!(std::mem::replace(&mut at, later) < later),
                Next::Fire(_) => return,
                Next::Never => panic!("it fires each year"),
            }
        }
    }

    #[test]
    fn a_combination_of_very_many_is_refused() {
        let crons = vec![r#"{"cron":"@daily"}"#; 60].join(",");
        let error = read(&format!(r#"{{"any":[{}]}}"#, vec![format!(r#"{{"any":[{crons}]}}"#); 5].join(",")))
            .unwrap_err();
        assert_eq!(error.to_string(), "any: it combines 300 triggers in all, and may combine 256 at most");
    }
}
