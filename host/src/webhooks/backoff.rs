//! How long a webhook is left alone before it is tried again.

use std::time::Duration;

/// The longest pause by itself.
const CAP: Duration = Duration::from_secs(300);
/// The longest that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// The pause before a retry, the first one being 1: `first`, doubled for each further one, of which `chance` (0 to 1)
/// takes away up to a half, so that many hosts do not come back together. It is no shorter than the server `asked` for.
pub(super) fn pause(first: Duration, retry: u32, asked: Option<Duration>, chance: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(retry.saturating_sub(1));
    let longest = first.saturating_mul(doubled).min(CAP.max(first));
    let pause = longest - (longest / 2).mul_f64(chance.clamp(0.0, 1.0));
    // Whole milliseconds, for whoever reads of it.
    let odd = Duration::from_nanos(u64::from(pause.subsec_nanos() % 1_000_000));
    (pause - odd).max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_a_cap() {
        let pauses = [1, 2, 3, 9, 10, 40].map(|retry| pause(SECOND, retry, None, 0.0).as_secs());
        assert_eq!(pauses, [1, 2, 4, 256, 300, 300]);
        assert_eq!(pause(SECOND * 600, 3, None, 0.0), SECOND * 600);
        assert_eq!(pause(Duration::MAX, u32::MAX, None, 0.0).as_secs(), u64::MAX);
        assert_eq!(pause(SECOND, 1, None, 0.333_333).subsec_nanos() % 1_000_000, 0);
    }

    #[test]
    fn chance_takes_half_at_most_and_a_server_may_ask_for_more() {
        assert_eq!(pause(SECOND * 4, 1, None, 1.0), SECOND * 2);
        assert_eq!(pause(SECOND, 1, Some(SECOND * 7), 0.5), SECOND * 7);
        assert_eq!(pause(SECOND, 1, Some(SECOND * 100_000), 0.5), SECOND * 3600);
    }
}
