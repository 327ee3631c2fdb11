//! A checked trigger: the questions that the rest of clockbox asks of it.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{
    describe,
    error::TriggerError,
    hash::mix,
    moment::local,
    plan::{Kind, Plan},
    search::Next,
    spec::{CronSpec, TriggerSpec, When},
};
use crate::model::{Timestamp, parse_duration};

/// A trigger that was checked and can say when it fires. Clones share one copy.
///
/// As JSON it is the specification with the time zone that it was resolved to; reading it back checks it again.
///
/// ```
/// use clockbox_core::trigger::{Trigger, TriggerSpec};
/// let spec = TriggerSpec::cron("30 5 * * mon-fri");
/// let trigger = Trigger::new(spec, chrono_tz::Asia::Shanghai).unwrap();
/// let now = "2026-03-01T00:00:00Z".parse().unwrap();
/// let fire = trigger.next_after(None, now).unwrap();
/// assert_eq!(fire.to_rfc3339(), "2026-03-01T21:30:00+00:00");
/// assert_eq!(trigger.next_after(Some(fire), now).unwrap().to_rfc3339(), "2026-03-02T21:30:00+00:00");
/// assert_eq!(trigger.describe(), "at 05:30, Monday to Friday, Asia/Shanghai");
///
/// let json = serde_json::to_string(&trigger).unwrap();
/// assert_eq!(json, r#"{"spec":{"cron":"30 5 * * mon-fri"},"zone":"Asia/Shanghai"}"#);
/// assert_eq!(serde_json::from_str::<Trigger>(&json).unwrap(), trigger);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Trigger(Arc<Checked>);

// `Eq` spares the comparison of what is the same piece of memory.
#[derive(PartialEq, Eq)]
struct Checked {
    spec: TriggerSpec,
    plan: Plan,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    spec: TriggerSpec,
    zone: Tz,
    #[serde(default, skip_serializing_if = "is_zero")]
    seed: u64,
}

fn is_zero(seed: &u64) -> bool {
    *seed == 0
}

impl Trigger {
    /// Checks a specification; `default_zone` is used where it names no time zone.
    ///
    /// # Errors
    /// When a part is not understood, or the trigger can never fire whatever the time is now. Whether its last fire
    /// already lies behind is a question for [`Trigger::check_at`].
    pub fn new(spec: TriggerSpec, default_zone: Tz) -> Result<Self, TriggerError> {
        Self::new_seeded(spec, default_zone, 0)
    }

    /// The same with a seed, from [`super::seed_of`] the job's id, that decides what `H` in a crontab string stands
    /// for.
    ///
    /// ```
    /// use clockbox_core::trigger::{Trigger, TriggerSpec, seed_of};
    /// let nightly = |job| {
    ///     let trigger = Trigger::new_seeded(TriggerSpec::cron("H H(0-5) * * *"), chrono_tz::UTC, seed_of(job));
    ///     trigger.unwrap().next_after(None, "2026-03-01T00:00:00Z".parse().unwrap())
    /// };
    /// assert_eq!(nightly("report"), nightly("report"));
    /// assert_ne!(nightly("report"), nightly("backup"));
    /// ```
    ///
    /// # Errors
    /// As for [`Trigger::new`].
    pub fn new_seeded(spec: TriggerSpec, default_zone: Tz, seed: u64) -> Result<Self, TriggerError> {
        let trigger = Self::unchecked(spec, default_zone, seed)?;
        trigger.check()?;
        Ok(trigger)
    }

    /// Whether it can ever fire, whatever the time is now.
    pub(super) fn check(&self) -> Result<(), TriggerError> {
        self.0.plan.check(&self.0.spec)
    }

    /// Without asking whether it can ever fire.
    pub(super) fn unchecked(spec: TriggerSpec, default_zone: Tz, seed: u64) -> Result<Self, TriggerError> {
        let mut plan = Plan::new(&spec, default_zone, seed, None)?;
        let jitter = spec.jitter().map(parse_duration).transpose();
        let jitter =
            jitter.map_err(|error| TriggerError::new("jitter", error.to_string()))?.unwrap_or_default();
        let jitter = u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX);
        // Without an `H` the seed says nothing, and triggers of different jobs may be equal.
        plan.keep(if spec.is_hashed() { seed } else { 0 }, jitter);
        Ok(Self(Arc::new(Checked { spec, plan })))
    }

    /// The specification.
    #[must_use]
    pub fn spec(&self) -> &TriggerSpec {
        &self.0.spec
    }

    /// The time zone in which it is read.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.0.plan.zone
    }

    /// Whether it fires once at each start of the scheduler (`@reboot`), so that what fired in an earlier life does
    /// not count as its previous fire.
    #[must_use]
    pub fn fires_at_start(&self) -> bool {
        matches!(self.0.spec.when(), When::Cron(CronSpec::Text(_))) && self.0.plan.kind == Kind::Once
    }

    /// The first fire that is strictly after `previous` (the job's latest fire, if any) and not before `now`.
    ///
    /// A date answers its date even when that is before `now`, as long as there was no previous fire; no kind at all
    /// and `@reboot` answer `now`. An interval without a start is anchored at `previous`, else its first fire is
    /// `now` + interval. A calendar without a start counts from the date of `previous`, else from that of `now`.
    ///
    /// `None` says that it fires no more, or that parts of `all` do not meet as far as one search goes:
    /// [`Self::look`] tells the two apart.
    #[must_use]
    pub fn next_after(&self, previous: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        self.look(previous, now).fire()
    }

    /// The same, with the difference between a trigger that fires no more and one for which it is to be looked again.
    ///
    /// ```
    /// use clockbox_core::trigger::{Next, Trigger, TriggerSpec};
    /// let rare = r#"{ "all": [{ "cron": "*/2 * * * *" }, { "any": [{ "cron": "1-59/2 * * * *" }, { "cron": "0 9 1 * *" }] }] }"#;
    /// let trigger = Trigger::new(serde_json::from_str(rare)?, chrono_tz::UTC)?;
    /// let mut at = "2026-03-02T00:00:00Z".parse()?;
    /// let fire = loop {
    ///     match trigger.look(None, at) {
    ///         Next::Fire(fire) => break fire,
    ///         Next::NotBefore(later) => at = later,
    ///         Next::Never => panic!("it fires once a month"),
    ///     }
    /// };
    /// assert_eq!(fire.to_rfc3339(), "2026-04-01T09:00:00+00:00");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn look(&self, previous: Option<Timestamp>, now: Timestamp) -> Next {
        let plan = &self.0.plan;
        let at = match previous {
            Some(previous) => match previous.checked_add_signed(TimeDelta::nanoseconds(1)) {
                Some(after) => now.max(after),
                None => return Next::Never,
            },
            None => now,
        };
        match &plan.kind {
            Kind::Once | Kind::Date(_) if previous.is_some() => Next::Never,
            Kind::Date(date) if plan.start().is_some_and(|start| *date < start) => Next::Never,
            Kind::Date(date) => plan.bounded(Next::Fire(*date)),
            Kind::Interval(interval) if interval.start.is_none() => {
                plan.bounded(interval.on_grid(previous.unwrap_or(now), 1, at).into())
            }
            Kind::Calendar(calendar) if calendar.first.is_none() => {
                let anchor = local(previous.unwrap_or(now), plan.zone).date();
                plan.bounded(calendar.at_or_after(anchor, at, plan.zone).into())
            }
            _ => plan.at_or_after(at),
        }
    }

    /// Whether [`Self::look`] may answer [`Next::NotBefore`].
    #[must_use]
    pub fn is_searched(&self) -> bool {
        self.0.plan.is_searched()
    }

    /// Whether a trigger that never fired so far has anything left to fire at `now`; with the reason when it has not.
    ///
    /// ```
    /// use clockbox_core::trigger::{Trigger, TriggerSpec};
    /// let spec = TriggerSpec::cron("0 0 0 1 1 * 1999");
    /// let error = Trigger::new(spec, chrono_tz::UTC).unwrap().check_at("2026-03-01T00:00:00Z".parse().unwrap());
    /// assert!(error.unwrap_err().to_string().contains("1999"));
    /// ```
    ///
    /// # Errors
    /// When its last fire lies before `now`.
    pub fn check_at(&self, now: Timestamp) -> Result<(), TriggerError> {
        match self.look(None, now) {
            Next::Fire(_) | Next::NotBefore(_) => Ok(()),
            Next::Never => Err(self.0.plan.exhausted(now)),
        }
    }

    /// Whether fires may be put off: see [`Self::delay`].
    #[must_use]
    pub fn is_jittered(&self) -> bool {
        self.0.plan.jitter() > 0
    }

    /// How long after `fire` it is acted upon: a length of time from zero to the jitter, a fixed function of `seed`
    /// and `fire`. The time that is recorded for the fire stays `fire`.
    #[must_use]
    pub fn delay(&self, seed: u64, fire: Timestamp) -> Duration {
        let number = mix(seed, fire.timestamp_micros().cast_unsigned());
        Duration::from_micros(match self.0.plan.jitter().checked_add(1) {
            Some(choices) => number % choices,
            None => number,
        })
    }

    /// The trigger in plain English.
    #[must_use]
    pub fn describe(&self) -> String {
        describe::describe(&self.0.spec, &self.0.plan)
    }
}

/// By what it was made of, which all the rest follows from.
impl Hash for Trigger {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.0.spec, self.zone(), self.0.plan.seed()).hash(state);
    }
}

impl fmt::Debug for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Trigger");
        debug.field("spec", self.spec()).field("zone", &self.zone().name()).finish_non_exhaustive()
    }
}

impl TryFrom<Stored> for Trigger {
    type Error = TriggerError;

    fn try_from(stored: Stored) -> Result<Self, TriggerError> {
        Self::new_seeded(stored.spec, stored.zone, stored.seed)
    }
}

impl From<Trigger> for Stored {
    fn from(trigger: Trigger) -> Self {
        Self { spec: trigger.spec().clone(), zone: trigger.zone(), seed: trigger.0.plan.seed() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn read(json: &str) -> Result<Trigger, TriggerError> {
        Trigger::new(serde_json::from_str(json).unwrap(), chrono_tz::Europe::Berlin)
    }

    #[test]
    fn a_million_cron_triggers_fit_into_memory() {
        // Two counters of the Arc, a text of over 24 bytes, and what is in boxes come on top.
        assert!(size_of::<Checked>() <= 72, "{}", size_of::<Checked>());
    }

    #[test]
    fn triggers_of_different_jobs_are_equal_unless_the_seed_matters() {
        let seeded = |text, seed| Trigger::new_seeded(TriggerSpec::cron(text), Tz::UTC, seed).unwrap();
        for text in ["30 5 * * thu", "@hourly", "0 0 * mar *"] {
            assert_eq!(seeded(text, 1), seeded(text, 2), "{text}");
        }
        for text in ["H 5 * * *", "5 h(0-7) * * *", "0,H * * * *", "@daily"] {
            let trigger = seeded(text, 1);
            let is_drawn = trigger.0.plan.kind != seeded(text, 2).0.plan.kind;
            assert_eq!(trigger != seeded(text, 2), is_drawn, "{text}");
            let json = serde_json::to_string(&trigger).unwrap();
            assert_eq!(serde_json::from_str::<Trigger>(&json).unwrap(), trigger);
        }
    }

    #[test]
    fn a_trigger_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Trigger>();
    }

    #[test]
    fn a_date_fires_once_even_when_it_is_past() {
        let trigger = read(r#"{"date":"2020-01-01"}"#).unwrap();
        let fire = at("2019-12-31T23:00:00Z");
        assert_eq!(trigger.next_after(None, at("2026-03-01T00:00:00Z")), Some(fire));
        assert_eq!(trigger.next_after(Some(fire), at("2019-01-01T00:00:00Z")), None);
    }

    #[test]
    fn no_kind_and_reboot_fire_once_now() {
        let now = at("2026-03-01T00:00:00.25Z");
        for (json, at_start) in [("{}", false), (r#"{"cron":"@reboot"}"#, true)] {
            let trigger = read(json).unwrap();
            assert_eq!(trigger.next_after(None, now), Some(now));
            assert_eq!(trigger.next_after(Some(now), now), None);
            assert_eq!(trigger.fires_at_start(), at_start);
        }
    }

    #[test]
    fn a_calendar_without_a_start_counts_from_today_and_then_from_its_last_fire() {
        let trigger = read(r#"{"calendar":{"months":1,"hour":6}}"#).unwrap();
        let now = at("2026-03-15T12:00:00Z");
        let first = trigger.next_after(None, now).unwrap();
        assert_eq!(first, at("2026-04-15T04:00:00Z"));
        assert_eq!(trigger.next_after(Some(first), now), Some(at("2026-05-15T04:00:00Z")));
    }

    #[test]
    fn a_stored_trigger_is_checked_when_it_is_read_back() {
        assert!(serde_json::from_str::<Trigger>(r#"{"spec":{"cron":"0 0 30 2 *"},"zone":"UTC"}"#).is_err());
        let hashed = Trigger::new_seeded(TriggerSpec::cron("H H * * *"), Tz::UTC, 7).unwrap();
        let json = serde_json::to_string(&hashed).unwrap();
        let now = at("2026-03-01T00:00:00Z");
        let back = serde_json::from_str::<Trigger>(&json).unwrap();
        assert_eq!(back.next_after(None, now), hashed.next_after(None, now));
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        for json in [r#"{"cron":"* * * * *"}"#, r#"{"interval":"1ms"}"#, r#"{"calendar":{"days":1}}"#, "{}"] {
            let trigger = read(json).unwrap();
            for now in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
                let first = trigger.next_after(None, now);
                assert!(first.is_none_or(|first| first >= now));
                assert!(trigger.next_after(Some(now), now).is_none_or(|next| next > now));
            }
        }
    }
}
