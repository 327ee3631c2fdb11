//! Which fires of a job are due, and which of them stand for the others.

use crate::{
    model::Timestamp,
    trigger::{Next, Trigger, When},
};

/// How far one search is taken up again: each takes some milliseconds at most.
const LOOKS_AT_ONCE: u32 = 16;

/// Due fires that are being counted: over several calls where there are many, so that nothing waits long for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    first: Timestamp,
    latest: Timestamp,
    count: u32,
    /// Nothing is between the latest and this.
    from: Timestamp,
}

/// The fires of one job that are due together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// The first of them.
    pub(super) first: Timestamp,
    /// The last of them.
    pub(super) latest: Timestamp,
    /// How many there are.
    pub(super) count: u32,
    /// The first fire that is not due yet.
    pub(super) next: Option<Timestamp>,
}

impl Count {
    /// A count from `first` on, which is due.
    pub(super) fn new(first: Timestamp) -> Self {
        Self { first, latest: first, count: 1, from: first }
    }

    /// Counts what is due at `now`, at most `budget` fires one by one; `None` when that was not enough.
    pub(super) fn go_on(
        &mut self,
        trigger: &Trigger,
        seed: u64,
        now: Timestamp,
        budget: &mut u32,
    ) -> Option<Due> {
        let mut may_stride = true;
        loop {
            let next = next_fire(trigger, Some(self.latest), self.from.max(self.latest), now);
            if let Some(from) = next.filter(|at| *at <= now && !is_fire(trigger, *at)) {
                // A long search: it is gone on with later.
                self.from = from;
                *budget = 0;
                return None;
            }
            let Some(fire) = next.filter(|fire| due_at(trigger, seed, *fire) <= now) else {
                let Self { first, latest, count, .. } = *self;
                return Some(Due { first, latest, count, next });
            };
            // Mostly one fire is due, and there is nothing to stride over.
            if std::mem::take(&mut may_stride) && self.stride(trigger, now) {
                continue;
            }
            *budget = budget.checked_sub(1)?;
            self.count = self.count.saturating_add(1);
            self.latest = fire;
        }
    }

    /// What was counted so far, standing for all that is due at `now`: the number is a lower bound.
    pub(super) fn at_least(&self, trigger: &Trigger, now: Timestamp) -> Due {
        let next = next_fire(trigger, Some(self.latest.max(now)), now, now);
        Due { first: self.first, latest: self.latest, count: self.count, next }
    }

    /// Fires of a plain interval that are due for certain are not counted one by one. Answers whether there were any.
    fn stride(&mut self, trigger: &Trigger, now: Timestamp) -> bool {
        if !matches!(trigger.spec().when(), When::Interval(_)) {
            return false;
        }
        let Some(second) = trigger.next_after(Some(self.latest), self.latest) else { return false };
        let micros = |span: chrono::TimeDelta| span.num_microseconds().filter(|micros| *micros > 0);
        let certain =
            now.checked_sub_signed(trigger_jitter(trigger)).and_then(|until| micros(until - self.latest));
        let (Some(step), Some(span)) = (micros(second - self.latest), certain) else { return false };
        let steps = span / step;
        let Some(latest) = self.latest.checked_add_signed(chrono::TimeDelta::microseconds(steps * step))
        else {
            return false;
        };
        // Not beyond the trigger's end.
        let before = latest - chrono::TimeDelta::microseconds(step);
        let is_stride = steps > 1 && trigger.next_after(Some(before), before) == Some(latest);
        if is_stride {
            self.count = self.count.saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
            self.latest = latest;
        }
        is_stride
    }
}

impl Due {
    /// The first of them that is fresh; the latest where there is none.
    pub(super) fn earliest(&self, trigger: &Trigger, is_fresh: impl Fn(Timestamp) -> bool) -> Timestamp {
        if is_fresh(self.first) {
            return self.first;
        }
        // Fires become fresh in about their order, so halving the time finds the first, however many are due.
        let (mut stale, mut until, mut fresh) = (self.first, self.latest, self.latest);
        while until - stale > chrono::TimeDelta::microseconds(1) {
            let middle = stale + (until - stale) / 2;
            match trigger.next_after(Some(stale), middle) {
                Some(fire) if fire < fresh && !is_fresh(fire) => stale = fire,
                fire => {
                    fresh = fire.map_or(fresh, |fire| fire.min(fresh));
                    until = middle;
                }
            }
        }
        fresh
    }
}

/// The first fire after `previous` and not before `from`; or an instant from which on it is to be looked for (see
/// [`Next::NotBefore`]), which [`is_fire`] tells from a fire. That is after `now`, unless a long search leads there.
pub(super) fn next_fire(
    trigger: &Trigger,
    previous: Option<Timestamp>,
    mut from: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    for _ in 0..LOOKS_AT_ONCE {
        match trigger.look(previous, from) {
            Next::NotBefore(later) if later <= now => from = later,
            Next::NotBefore(at) | Next::Fire(at) => return Some(at),
            Next::Never => return None,
        }
    }
    Some(from)
}

/// Whether the next fire of a job is one, and not merely the instant from which on it is to be looked for.
pub(super) fn is_fire(trigger: &Trigger, at: Timestamp) -> bool {
    !trigger.is_searched() || trigger.look(None, at) == Next::Fire(at)
}

/// When a fire is acted upon: its nominal time plus the trigger's jitter.
pub(super) fn due_at(trigger: &Trigger, seed: u64, fire: Timestamp) -> Timestamp {
    if !trigger.is_jittered() {
        return fire;
    }
    let delay = chrono::TimeDelta::from_std(trigger.delay(seed, fire)).unwrap_or_default();
    fire.checked_add_signed(delay).unwrap_or(fire)
}

/// The longest that a fire of this trigger may be put off.
fn trigger_jitter(trigger: &Trigger) -> chrono::TimeDelta {
    // It was read once already, so it can be read again.
    let jitter = trigger.spec().jitter().and_then(|text| crate::model::parse_duration(text).ok());
    chrono::TimeDelta::from_std(jitter.unwrap_or_default()).unwrap_or(chrono::TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::TriggerSpec;

    fn every(interval: &str) -> Trigger {
        let spec: TriggerSpec = serde_json::from_value(serde_json::json!({ "interval": interval })).unwrap();
        Trigger::new(spec, chrono_tz::UTC).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn count(trigger: &Trigger, first: &str, now: &str) -> Due {
        let (mut count, mut calls) = (Count::new(at(first)), 0);
        loop {
            calls += 1;
            assert!(calls < 100_000, "it does not come to an end");
            if let Some(due) = count.go_on(trigger, 0, at(now), &mut 1000) {
                return due;
            }
        }
    }

    #[test]
    fn all_due_fires_are_counted_and_the_next_is_not_due() {
        let trigger = every("10s");
        let due = count(&trigger, "2030-01-01T00:00:00Z", "2030-01-01T00:00:35Z");
        assert_eq!((due.count, due.latest), (4, at("2030-01-01T00:00:30Z")));
        assert_eq!(due.next, Some(at("2030-01-01T00:00:40Z")));
        let earliest = |from: &str| due.earliest(&trigger, |fire| fire >= at(from));
        assert_eq!(earliest("2030-01-01T00:00:15Z"), at("2030-01-01T00:00:20Z"));
        assert_eq!(earliest("2029-01-01T00:00:15Z"), at("2030-01-01T00:00:00Z"));
        assert_eq!(earliest("2030-01-01T00:00:34Z"), at("2030-01-01T00:00:30Z"), "none is fresh");
    }

    #[test]
    fn ten_years_of_seconds_are_counted_exactly_and_at_once() {
        let due = Count::new(at("2030-01-01T00:00:00Z"))
            .go_on(&every("1s"), 0, at("2040-01-01T00:00:00.5Z"), &mut 5)
            .unwrap();
        assert_eq!(due.count, 3652 * 86_400 + 1);
        assert_eq!(due.latest, at("2040-01-01T00:00:00Z"));
        assert_eq!(due.next, Some(at("2040-01-01T00:00:01Z")));
    }

    #[test]
    fn a_jittered_interval_with_an_end_is_counted_as_if_one_by_one() {
        for end in ["2030-01-01T00:50:00Z", "2030-01-01T01:00:00Z", "2031-01-01T00:00:00Z"] {
            let json = serde_json::json!({ "interval": "10s", "jitter": "25s", "end": end });
            let trigger = Trigger::new(serde_json::from_value(json).unwrap(), chrono_tz::UTC).unwrap();
            let (first, now) = (at("2030-01-01T00:00:00Z"), at("2030-01-01T01:00:00Z"));
            let due = Count::new(first).go_on(&trigger, 3, now, &mut 1000).unwrap();
            let fires = std::iter::successors(Some(first), |fire| trigger.next_after(Some(*fire), *fire));
            let one_by_one = fires.take_while(|fire| due_at(&trigger, 3, *fire) <= now).count();
            assert_eq!(due.count as usize, one_by_one, "{end}");
        }
    }

    #[test]
    fn what_is_no_interval_is_counted_over_several_calls() {
        let spec = TriggerSpec::cron("* * * * * *");
        let trigger = Trigger::new(spec, chrono_tz::UTC).unwrap();
        let due = count(&trigger, "2030-01-01T00:00:00Z", "2030-01-01T01:00:00Z");
        assert_eq!(due.count, 3601);
    }
}
