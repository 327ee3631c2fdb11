//! Whether a trigger can fire at all, and if not, why.

use chrono::DateTime;
use chrono_tz::Tz;

use super::{
    error::TriggerError,
    field::Field,
    moment::local,
    plan::{Kind, Plan},
    spec::{CronSpec, TriggerSpec, When},
};
use crate::model::Timestamp;

impl Plan {
    /// Whether it can ever fire, whatever the time is now.
    pub(super) fn check(&self, spec: &TriggerSpec) -> Result<(), TriggerError> {
        let field = self.kind.name();
        if let (Some(start), Some(end)) = (self.start, self.end)
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
                let message = format!("it can never fire: no year has a day that matches {}", given(spec));
                return Err(TriggerError::new(field, message));
            }
            Kind::Date(date) if self.start.is_some_and(|start| *date < start) => {
                return Err(TriggerError::new(
                    "start",
                    "the date lies before the start, so the trigger never fires",
                ));
            }
            _ => {}
        }
        if self.at_or_after(DateTime::<chrono::Utc>::MIN_UTC).is_some() {
            return Ok(());
        }
        let unbounded = self.end.and_then(|_| {
            let unbounded = Self { end: None, ..self.clone() };
            unbounded.at_or_after(DateTime::<chrono::Utc>::MIN_UTC)
        });
        Err(match (self.end, unbounded) {
            (Some(end), Some(first)) => TriggerError::new(
                "end",
                format!(
                    "the first fire would be {}, after the end, {}, so the trigger never fires",
                    local_text(first, self.zone),
                    local_text(end, self.zone)
                ),
            ),
            _ if matches!(self.kind, Kind::All(_)) => {
                TriggerError::new(field, "its parts never fire at the same instant, as far as was looked")
            }
            _ => TriggerError::new(field, "it never fires: its last time lies before the start"),
        })
    }

    /// Why nothing fires from `now` on.
    pub(super) fn exhausted(&self, now: Timestamp) -> TriggerError {
        let now = local_text(now, self.zone);
        match (&self.kind, self.end) {
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
}
