//! Placeholder of the trigger seam, replaced by the trigger work.

use std::time::Duration;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// A trigger as it is written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TriggerSpec {
    /// One instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// A duration between fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
}

/// Why a trigger was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct TriggerError {
    /// The key within the trigger, such as `cron.hour`; empty for the trigger as a whole.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// A checked trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Trigger {
    spec: TriggerSpec,
    zone: Tz,
    every: Option<Duration>,
    at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    spec: TriggerSpec,
    zone: Tz,
}

impl TryFrom<Stored> for Trigger {
    type Error = TriggerError;
    fn try_from(s: Stored) -> Result<Self, TriggerError> {
        Self::new(s.spec, s.zone)
    }
}
impl From<Trigger> for Stored {
    fn from(t: Trigger) -> Self {
        Self { spec: t.spec, zone: t.zone }
    }
}

impl Trigger {
    /// Checks a specification; `default_zone` is used where it names no time zone.
    ///
    /// # Errors
    /// When a part is not understood or the trigger can never fire.
    pub fn new(spec: TriggerSpec, default_zone: Tz) -> Result<Self, TriggerError> {
        let bad = |m: String| TriggerError { field: "interval".into(), message: m, hint: None };
        let every = spec
            .interval
            .as_deref()
            .map(crate::model::parse_duration)
            .transpose()
            .map_err(|e| bad(e.to_string()))?;
        let at = spec.date.as_deref().map(str::parse).transpose().map_err(|e| bad(format!("{e}")))?;
        Ok(Self { spec, zone: default_zone, every, at })
    }

    /// The specification.
    #[must_use]
    pub fn spec(&self) -> &TriggerSpec {
        &self.spec
    }

    /// The time zone in which it is read.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first fire that is strictly after `previous` (the job's latest fire, if any) and not before `now`.
    ///
    /// A date answers its date even when that is before `now`, as long as there was no previous fire. An interval
    /// without a start is anchored at `previous`, else its first fire is `now` + interval.
    #[must_use]
    pub fn next_after(&self, previous: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        if let Some(every) = self.every {
            let step = chrono::TimeDelta::from_std(every).ok()?;
            let Some(previous) = previous else { return Some(now + step) };
            let mut next = previous + step;
            if next < now {
                let gap = (now - next).num_microseconds()?;
                let step_us = step.num_microseconds()?.max(1);
                let n = gap.div_euclid(step_us) + i64::from(gap.rem_euclid(step_us) > 0);
                next += chrono::TimeDelta::microseconds(n * step_us);
            }
            return Some(next);
        }
        match (self.at, previous) {
            (Some(at), None) => Some(at),
            (None, None) => Some(now),
            _ => None,
        }
    }

    /// How long after `fire` it is acted upon: the trigger's jitter, a fixed function of `seed` and `fire`.
    #[must_use]
    pub fn delay(&self, _seed: u64, _fire: Timestamp) -> Duration {
        Duration::ZERO
    }

    /// The trigger in plain English.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{:?}", self.spec)
    }
}
