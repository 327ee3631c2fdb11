//! A trigger compiled: its kind in its time zone, between its bounds.

use std::time::Duration;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use super::{
    calendar::Calendar,
    combine::{self, Tries},
    cron::{Cron, LAST_YEAR},
    crontab,
    crontab::Crontab,
    error::TriggerError,
    fields, interval,
    interval::Interval,
    moment::Moment,
    search::Next,
    spec::{CronSpec, TriggerSpec, When},
    zones,
};
use crate::model::Timestamp;

/// What was written, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Once, as soon as possible.
    Once,
    Date(Timestamp),
    Interval(Box<Interval>),
    Cron(Box<Cron>),
    Calendar(Box<Calendar>),
    // A pointer of one word, as for the others.
    All(Box<Box<[Plan]>>),
    Any(Box<Box<[Plan]>>),
}

/// A compiled trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) zone: Tz,
    // Most triggers have none, and there may be a million triggers.
    rare: Option<Box<Rare>>,
}

/// What few triggers have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rare {
    /// Nothing fires before this.
    start: Option<Timestamp>,
    /// Nothing fires after this.
    end: Option<Timestamp>,
    /// What `H` is drawn from.
    seed: u64,
    /// By how much a fire may be put off, in microseconds.
    jitter: u64,
}

/// What a part of `all` or `any` takes from the whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole {
    pub(super) start: Option<Timestamp>,
    /// How many combinations stand around the part.
    pub(super) depth: usize,
}

impl Plan {
    /// Compiles a specification; `whole` is given for the parts of a combination.
    pub(super) fn new(
        spec: &TriggerSpec,
        default_zone: Tz,
        seed: u64,
        whole: Option<Whole>,
    ) -> Result<Self, TriggerError> {
        let zone = match spec.timezone() {
            Some(name) => zones::named(name)?,
            None => default_zone,
        };
        let bound = |field: &str, text: Option<&str>| text.map(|text| Moment::parse(field, text)).transpose();
        let (from, to) = (bound("start", spec.start())?, bound("end", spec.end())?);
        let start = from.map(|moment| moment.resolve(zone)).or(whole.and_then(|whole| whole.start));
        let end = to.map(|moment| moment.resolve(zone));
        let first = from
            .map(|moment| moment.local_date(zone))
            .or(start.map(|at| super::moment::local(at, zone).date()));
        let depth = whole.map_or(0, |whole| whole.depth) + 1;
        let kind = Kind::new(spec, zone, seed, Whole { start, depth }, first)?;
        if whole.is_some() {
            combine::fits(spec, &kind)?;
        }
        let has_bounds = start.is_some() || end.is_some();
        let rare = has_bounds.then(|| Box::new(Rare { start, end, ..Rare::default() }));
        Ok(Self { kind, zone, rare })
    }

    /// Keeps what the whole trigger has, and no part of it.
    pub(super) fn keep(&mut self, seed: u64, jitter: u64) {
        if seed > 0 || jitter > 0 {
            let rare = self.rare.get_or_insert_default();
            (rare.seed, rare.jitter) = (seed, jitter);
        }
    }

    /// What `H` is drawn from.
    pub(super) fn seed(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.seed)
    }

    /// By how much a fire may be put off, in microseconds.
    pub(super) fn jitter(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.jitter)
    }

    /// Nothing fires before this.
    pub(super) fn start(&self) -> Option<Timestamp> {
        self.rare.as_ref()?.start
    }

    /// Nothing fires after this.
    pub(super) fn end(&self) -> Option<Timestamp> {
        self.rare.as_ref()?.end
    }

    /// The same without an end.
    pub(super) fn unended(&self) -> Self {
        let rare = self.rare.clone().map(|rare| Box::new(Rare { end: None, ..*rare }));
        Self { rare, ..self.clone() }
    }

    /// The first fire not before `at`, for kinds that need not know the previous one: an interval or calendar that
    /// counts from the previous fire answers `None`.
    pub(super) fn at_or_after(&self, at: Timestamp) -> Next {
        self.search(at, &mut Tries::new())
    }

    pub(super) fn search(&self, at: Timestamp, tries: &mut Tries) -> Next {
        let at = self.start().map_or(at, |start| start.max(at));
        self.bounded(match &self.kind {
            Kind::Once => Next::Fire(at),
            Kind::Date(date) => (*date >= at).then_some(*date).into(),
            Kind::Interval(interval) => {
                interval.start.and_then(|start| interval.on_grid(start, 0, at)).into()
            }
            Kind::Cron(cron) => cron.at_or_after(at, self.zone).into(),
            Kind::Calendar(calendar) => {
                calendar.first.and_then(|first| calendar.at_or_after(first, at, self.zone)).into()
            }
            Kind::All(parts) => combine::all(parts, at, tries),
            Kind::Any(parts) => combine::any(parts, at, tries),
        })
    }

    /// Whether a search may come to no end.
    pub(super) fn is_searched(&self) -> bool {
        match &self.kind {
            Kind::All(_) => true,
            Kind::Any(parts) => parts.iter().any(Self::is_searched),
            _ => false,
        }
    }

    /// What one question costs, in units of a microsecond or less.
    pub(super) fn effort(&self, at: Timestamp) -> usize {
        match &self.kind {
            Kind::Calendar(calendar) => calendar.effort(at),
            _ => 1,
        }
    }

    /// What was found, unless it lies after the end, or after the year 9999, with which times as texts end.
    pub(super) fn bounded(&self, next: Next) -> Next {
        match next {
            Next::Fire(at) | Next::NotBefore(at)
                if self.end().is_some_and(|end| at > end) || at.year() > LAST_YEAR =>
            {
                Next::Never
            }
            known => known,
        }
    }
}

impl Kind {
    fn new(
        spec: &TriggerSpec,
        zone: Tz,
        seed: u64,
        whole: Whole,
        first: Option<NaiveDate>,
    ) -> Result<Self, TriggerError> {
        let parts = |name: &str, parts: &[TriggerSpec]| combine::parts(name, parts, zone, seed, whole);
        Ok(match spec.when() {
            When::Now => Self::Once,
            When::Date(text) => Self::Date(Moment::parse("date", text)?.resolve(zone)),
            When::Interval(spec) => {
                let every: Duration = interval::length(spec).map_err(|error| error.under("interval"))?;
                Self::Interval(Box::new(Interval { every, start: whole.start }))
            }
            When::Cron(CronSpec::Table(table)) => {
                Self::Cron(Box::new(fields::compile(table).map_err(|error| error.under("cron"))?))
            }
            When::Cron(CronSpec::Text(text)) => {
                match crontab::compile(text, seed).map_err(|error| error.under("cron"))? {
                    Crontab::AtStart => Self::Once,
                    Crontab::Times(cron) => Self::Cron(Box::new(cron)),
                }
            }
            When::Calendar(table) => {
                let mut calendar = Calendar::new(table).map_err(|error| error.under("calendar"))?;
                calendar.first = calendar.first.or(first);
                Self::Calendar(Box::new(calendar))
            }
            When::All(list) => Self::All(Box::new(parts("all", list)?)),
            When::Any(list) => Self::Any(Box::new(parts("any", list)?)),
        })
    }
}
