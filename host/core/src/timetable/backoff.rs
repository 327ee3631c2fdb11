//! How long to wait before the next attempt.

use std::time::Duration;

use crate::model::{Retry, RetryHint, RunId};

/// The longest that a guest can put its next attempt off where the policy's cap is shorter. A wish beyond it is taken for
/// this one: it must not cost the attempt, nor hold the job's place for an age.
const LONGEST_WISH: Duration = Duration::from_secs(30 * 24 * 3600);

/// The pause after `attempt` failed; `None` when there is to be no other attempt.
///
/// Exponential backoff with full jitter: a point between nothing and `backoff * factor^(attempt - 1)`, capped; the
/// point is a fixed function of the run and the attempt, so that a decision can be replayed. A guest's "retry after"
/// is a lower bound of at most 30 days, or the policy's cap where that is longer.
pub(super) fn pause(policy: &Retry, hint: RetryHint, run: RunId, attempt: u32) -> Option<Duration> {
    if attempt >= policy.attempts || hint == RetryHint::Never {
        return None;
    }
    let growth = policy.factor.max(1.0).powi(i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX));
    let longest = (policy.backoff.as_secs_f64() * growth).min(policy.cap.as_secs_f64());
    let jittered = Duration::try_from_secs_f64(longest * unit(run, attempt)).unwrap_or(policy.cap);
    let pause = match hint {
        RetryHint::After(least) => jittered.max(least.min(LONGEST_WISH.max(policy.cap))),
        _ => jittered,
    };
    // Times are kept to the microsecond; a lower bound stays one.
    Some(Duration::from_micros(u64::try_from(pause.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX)))
}

/// A number in `0..=1` that looks random and depends on the run and attempt alone (splitmix64).
fn unit(run: RunId, attempt: u32) -> f64 {
    let mut x = run.as_i64().cast_unsigned() ^ (u64::from(attempt) << 56) ^ 0x9e37_79b9_7f4a_7c15;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    // 53 bits are what an f64 holds exactly.
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(n: i64) -> RunId {
        RunId::from_i64(n).unwrap()
    }

    #[test]
    fn pauses_stay_below_the_growing_bound_and_the_cap() {
        let policy = Retry {
            attempts: 40,
            backoff: Duration::from_secs(1),
            factor: 2.0,
            cap: Duration::from_secs(60),
        };
        for attempt in 1..39 {
            for n in 0..50 {
                let bound = 2_f64.powi(attempt as i32 - 1).min(60.0);
                let pause = pause(&policy, RetryHint::Policy, run(n), attempt).unwrap();
                assert!(pause.as_secs_f64() <= bound, "attempt {attempt}: {pause:?} > {bound}");
            }
        }
    }

    #[test]
    fn the_guest_has_the_last_word_within_the_policy() {
        let policy = Retry { attempts: 2, ..Retry::default() };
        let hour = Duration::from_secs(3600);
        assert!(pause(&policy, RetryHint::After(hour), run(1), 1).unwrap() >= hour);
        assert_eq!(pause(&policy, RetryHint::Never, run(1), 1), None);
        assert_eq!(pause(&policy, RetryHint::After(hour), run(1), 2), None);
    }

    #[test]
    fn a_wish_beyond_the_longest_is_taken_for_the_longest() {
        let policy = Retry { attempts: 2, ..Retry::default() };
        let patient = Retry { cap: LONGEST_WISH * 3, ..policy };
        for wish in
            [LONGEST_WISH * 3 + Duration::from_secs(1), Duration::from_millis(u64::MAX), Duration::MAX]
        {
            assert_eq!(pause(&policy, RetryHint::After(wish), run(1), 1), Some(LONGEST_WISH));
            assert_eq!(pause(&patient, RetryHint::After(wish), run(1), 1), Some(LONGEST_WISH * 3));
        }
    }

    #[test]
    fn a_pause_is_a_whole_number_of_microseconds() {
        let policy = Retry { attempts: 2, backoff: Duration::from_millis(10), ..Retry::default() };
        for n in 0..50 {
            let pause = pause(&policy, RetryHint::Policy, run(n), 1).unwrap();
            assert_eq!((pause.subsec_nanos() % 1000, pause <= policy.backoff), (0, true));
        }
        let odd = Duration::from_nanos(1_000_000_001);
        assert!(pause(&policy, RetryHint::After(odd), run(1), 1).unwrap() >= odd);
    }

    #[test]
    fn pauses_differ_between_runs() {
        let policy = Retry { attempts: 2, ..Retry::default() };
        let first = pause(&policy, RetryHint::Policy, run(1), 1);
        assert!((2..20).any(|n| pause(&policy, RetryHint::Policy, run(n), 1) != first));
    }
}
