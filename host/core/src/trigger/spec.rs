//! A trigger as it is written in the manifest, in JSON, or built in Rust; [`super::Trigger::new`] checks it.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::{
    table::{CalendarTable, CronTable, IntervalTable},
    text,
};

/// A trigger as written: what kind it is, and the options that every kind takes.
///
/// ```
/// use clockbox_core::trigger::TriggerSpec;
/// let spec = TriggerSpec::cron("30 5 * * mon-fri").with_end("2030-05-30").with_timezone("Asia/Shanghai");
/// let json = r#"{"cron":"30 5 * * mon-fri","end":"2030-05-30","timezone":"Asia/Shanghai"}"#;
/// assert_eq!(serde_json::to_string(&spec).unwrap(), json);
/// assert_eq!(serde_json::from_str::<TriggerSpec>(json).unwrap(), spec);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct TriggerSpec {
    when: When,
    // Most triggers have none of them, and there may be a million triggers.
    options: Option<Box<Options>>,
}

/// The kinds of trigger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum When {
    /// No kind given: once, as soon as possible.
    #[default]
    Now,
    /// One instant.
    Date(CompactString),
    /// Again and again after a length of time.
    Interval(IntervalSpec),
    /// Whenever the clock on the wall matches.
    Cron(CronSpec),
    /// Every so many years, months, weeks and days, at a time of day.
    Calendar(Box<CalendarTable>),
    /// Whenever all of these fire at the same instant.
    All(Box<[TriggerSpec]>),
    /// Whenever one of these fires.
    Any(Box<[TriggerSpec]>),
}

/// An interval: `"2h"`, or `{ hours = 2 }`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum IntervalSpec {
    /// A duration.
    Text(CompactString),
    /// Its parts.
    Table(Box<IntervalTable>),
}

/// A cron trigger: `"30 5 * * mon-fri"`, or `{ day_of_week = "mon-fri", hour = 5, minute = 30 }`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum CronSpec {
    /// A crontab string.
    Text(CompactString),
    /// A field table.
    Table(Box<CronTable>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Options {
    start: Option<Box<str>>,
    end: Option<Box<str>>,
    timezone: Option<Box<str>>,
    jitter: Option<Box<str>>,
}

impl TriggerSpec {
    /// A trigger of a kind, without options.
    #[must_use]
    pub fn new(when: When) -> Self {
        Self { when, options: None }
    }

    /// One instant: `2030-11-06 16:30:05` in the trigger's time zone, or with an offset or `Z`.
    #[must_use]
    pub fn date(text: &str) -> Self {
        Self::new(When::Date(text.into()))
    }

    /// Again and again after a duration such as `2h`.
    #[must_use]
    pub fn interval(text: &str) -> Self {
        Self::new(When::Interval(IntervalSpec::Text(text.into())))
    }

    /// A crontab string.
    #[must_use]
    pub fn cron(text: &str) -> Self {
        Self::new(When::Cron(CronSpec::Text(text.into())))
    }

    /// What kind it is.
    #[must_use]
    pub fn when(&self) -> &When {
        &self.when
    }

    /// Whether any part of it is drawn from a seed: `H` in a crontab string.
    pub(super) fn is_hashed(&self) -> bool {
        match &self.when {
            When::Cron(CronSpec::Text(text)) => {
                let is_between = |c: char| c.is_whitespace() || c == ',';
                text.split(is_between).any(|item| item.starts_with(['H', 'h']))
            }
            When::All(parts) | When::Any(parts) => parts.iter().any(Self::is_hashed),
            _ => false,
        }
    }

    /// Nothing fires before this date-time.
    #[must_use]
    pub fn start(&self) -> Option<&str> {
        self.options.as_ref()?.start.as_deref()
    }

    /// Nothing fires after this date-time; a date alone stands for its midnight, when the day begins.
    #[must_use]
    pub fn end(&self) -> Option<&str> {
        self.options.as_ref()?.end.as_deref()
    }

    /// The IANA name of the time zone in which it is read.
    #[must_use]
    pub fn timezone(&self) -> Option<&str> {
        self.options.as_ref()?.timezone.as_deref()
    }

    /// By how much a fire may be put off at most: a duration.
    #[must_use]
    pub fn jitter(&self) -> Option<&str> {
        self.options.as_ref()?.jitter.as_deref()
    }

    /// Sets [`Self::start`].
    #[must_use]
    pub fn with_start(mut self, text: &str) -> Self {
        self.options.get_or_insert_default().start = Some(text.into());
        self
    }

    /// Sets [`Self::end`].
    #[must_use]
    pub fn with_end(mut self, text: &str) -> Self {
        self.options.get_or_insert_default().end = Some(text.into());
        self
    }

    /// Sets [`Self::timezone`].
    #[must_use]
    pub fn with_timezone(mut self, name: &str) -> Self {
        self.options.get_or_insert_default().timezone = Some(name.into());
        self
    }

    /// Sets [`Self::jitter`].
    #[must_use]
    pub fn with_jitter(mut self, text: &str) -> Self {
        self.options.get_or_insert_default().jitter = Some(text.into());
        self
    }
}

/// The keys as they stand in TOML and JSON.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    #[serde(deserialize_with = "text::date_time", skip_serializing_if = "Option::is_none")]
    date: Option<CompactString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<IntervalSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<CronSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar: Option<Box<CalendarTable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<Box<[TriggerSpec]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    any: Option<Box<[TriggerSpec]>>,
    #[serde(deserialize_with = "text::date_time", skip_serializing_if = "Option::is_none")]
    start: Option<Box<str>>,
    #[serde(deserialize_with = "text::date_time", skip_serializing_if = "Option::is_none")]
    end: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<Box<str>>,
}

impl TryFrom<Written> for TriggerSpec {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { date, interval, cron, calendar, all, any, start, end, timezone, jitter } = written;
        let mut kinds = [
            ("date", date.map(When::Date)),
            ("interval", interval.map(When::Interval)),
            ("cron", cron.map(When::Cron)),
            ("calendar", calendar.map(When::Calendar)),
            ("all", all.map(When::All)),
            ("any", any.map(When::Any)),
        ]
        .into_iter()
        .filter_map(|(name, when)| Some((name, when?)));
        let when = match (kinds.next(), kinds.next()) {
            (None, _) => When::Now,
            (Some((_, when)), None) => when,
            (Some((one, _)), Some((other, _))) => {
                return Err(format!(
                    "a trigger is of one kind, this one has both `{one}` and `{other}`: keep one, or combine them \
                     as `any = [{{ {one} = … }}, {{ {other} = … }}]`"
                ));
            }
        };
        let options = Options { start, end, timezone, jitter };
        let options = (options != Options::default()).then(|| Box::new(options));
        Ok(Self { when, options })
    }
}

impl From<TriggerSpec> for Written {
    fn from(spec: TriggerSpec) -> Self {
        let Options { start, end, timezone, jitter } = spec.options.map_or_else(Options::default, |o| *o);
        let mut written = Self { start, end, timezone, jitter, ..Self::default() };
        match spec.when {
            When::Now => {}
            When::Date(text) => written.date = Some(text),
            When::Interval(interval) => written.interval = Some(interval),
            When::Cron(cron) => written.cron = Some(cron),
            When::Calendar(calendar) => written.calendar = Some(calendar),
            When::All(parts) => written.all = Some(parts),
            When::Any(parts) => written.any = Some(parts),
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        serde_json::from_str::<TriggerSpec>(json).unwrap_err().to_string()
    }

    #[test]
    fn nothing_written_means_now() {
        assert_eq!(serde_json::from_str::<TriggerSpec>("{}").unwrap(), TriggerSpec::default());
    }

    #[test]
    fn two_kinds_are_refused_by_name() {
        let message = error(r#"{"cron":"* * * * *","interval":"2h"}"#);
        assert!(message.contains("`interval`") && message.contains("`cron`"), "{message}");
    }

    #[test]
    fn unknown_keys_are_refused_at_every_level() {
        assert!(error(r#"{"crn":"* * * * *"}"#).contains("unknown field `crn`"));
        assert!(error(r#"{"cron":{"hours":3}}"#).contains("unknown field `hours`"));
        assert!(error(r#"{"interval":{"years":1}}"#).contains("unknown field `years`"));
        assert!(error(r#"{"any":[{"cron":{"hr":3}}]}"#).contains("unknown field `hr`"));
    }

    #[test]
    fn numbers_and_texts_are_told_apart_where_it_matters() {
        let table = r#"{"cron":{"hour":5,"minute":"30"}}"#;
        assert!(serde_json::from_str::<TriggerSpec>(table).is_ok());
        assert!(error(r#"{"cron":{"hour":5.5}}"#).contains("whole number"));
        assert!(error(r#"{"interval":{"seconds":"10"}}"#).contains("whole number"));
        assert!(error(r#"{"interval":{"minutes":null}}"#).contains("whole number"));
        assert!(error(r#"{"cron":true}"#).contains("crontab string"));
        assert!(error(r#"{"date":20240101}"#).contains("date-time"));
    }
}
