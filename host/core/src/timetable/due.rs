//! Which fires of a job are due, and which of them stand for the others.

use crate::{model::Timestamp, trigger::Trigger};

/// Fires counted one by one; beyond that many the search jumps ahead, and the count is a lower bound.
const COUNTED: u32 = 10_000;

/// The fires of one job that are due together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// The first of them that fits what was asked for: see [`collect`].
    pub(super) earliest: Timestamp,
    /// The last of them.
    pub(super) latest: Timestamp,
    /// How many there are.
    pub(super) count: u32,
    /// The first fire that is not due yet.
    pub(super) next: Option<Timestamp>,
}

/// All fires from `first` on that are due at `now`: `first` itself is. `earliest` is the first one not before
/// `fresh_from`, or the latest where there is none.
pub(super) fn collect(
    trigger: &Trigger,
    seed: u64,
    first: Timestamp,
    now: Timestamp,
    fresh_from: Option<Timestamp>,
) -> Due {
    let is_fresh = |fire: Timestamp| fresh_from.is_none_or(|from| fire >= from);
    let mut earliest = is_fresh(first).then_some(first);
    let mut latest = first;
    let mut count = 1_u32;
    let next = loop {
        match trigger.next_after(Some(latest), latest) {
            Some(fire) if due_at(trigger, seed, fire) <= now => {
                count = count.saturating_add(1);
                latest = fire;
                if earliest.is_none() && is_fresh(fire) {
                    earliest = Some(fire);
                }
            }
            next => break next,
        }
        if count == COUNTED {
            latest = jump(trigger, seed, latest, now);
            break trigger.next_after(Some(latest), latest);
        }
    };
    Due { earliest: earliest.unwrap_or(latest), latest, count, next }
}

/// When a fire is acted upon: its nominal time plus the trigger's jitter.
pub(super) fn due_at(trigger: &Trigger, seed: u64, fire: Timestamp) -> Timestamp {
    let delay = chrono::TimeDelta::from_std(trigger.delay(seed, fire)).unwrap_or_default();
    fire.checked_add_signed(delay).unwrap_or(fire)
}

/// The last due fire, found by halving the distance to `now` instead of counting.
fn jump(trigger: &Trigger, seed: u64, from: Timestamp, now: Timestamp) -> Timestamp {
    let (mut latest, mut end) = (from, now);
    // No due fire lies in (end, now]; stop when there is no room for one between.
    while (end - latest).num_microseconds().is_none_or(|room| room > 1) {
        let half = latest + (end - latest) / 2;
        match trigger.next_after(Some(latest), half) {
            Some(fire) if fire <= end && due_at(trigger, seed, fire) <= now => latest = fire,
            _ => end = half,
        }
    }
    latest
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

    #[test]
    fn all_due_fires_are_counted_and_the_next_is_not_due() {
        let due = collect(
            &every("10s"),
            0,
            at("2030-01-01T00:00:00Z"),
            at("2030-01-01T00:00:35Z"),
            Some(at("2030-01-01T00:00:15Z")),
        );
        assert_eq!(due.count, 4);
        assert_eq!(due.earliest, at("2030-01-01T00:00:20Z"));
        assert_eq!(due.latest, at("2030-01-01T00:00:30Z"));
        assert_eq!(due.next, Some(at("2030-01-01T00:00:40Z")));
    }

    #[test]
    fn where_nothing_is_fresh_the_latest_stands_for_all() {
        let due = collect(
            &every("10s"),
            0,
            at("2030-01-01T00:00:00Z"),
            at("2030-01-01T00:00:35Z"),
            Some(at("2030-01-01T00:00:34Z")),
        );
        assert_eq!((due.earliest, due.latest), (at("2030-01-01T00:00:30Z"), at("2030-01-01T00:00:30Z")));
    }

    #[test]
    fn a_year_of_seconds_is_jumped_over() {
        let due = collect(&every("1s"), 0, at("2030-01-01T00:00:00Z"), at("2031-01-01T00:00:00.5Z"), None);
        assert_eq!(due.latest, at("2031-01-01T00:00:00Z"));
        assert_eq!(due.next, Some(at("2031-01-01T00:00:01Z")));
        assert_eq!(due.count, COUNTED);
    }
}
