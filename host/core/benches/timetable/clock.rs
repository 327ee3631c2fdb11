//! How long something took.

use std::time::{Duration, Instant};

/// The time that this thread had of a processor, where the system tells; else by the clock.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let (done, by_clock, of_processor) = times(work);
    (done, of_processor.unwrap_or(by_clock))
}

/// The time by the clock, and the time that this thread had of a processor.
#[expect(clippy::disallowed_methods, reason = "a bench asks the time")]
pub(crate) fn times<T>(work: impl FnOnce() -> T) -> (T, Duration, Option<Duration>) {
    let (begin, had) = (Instant::now(), had());
    let done = work();
    let of_processor = self::had().zip(had).map(|(now, then)| now.saturating_sub(then));
    (done, begin.elapsed(), of_processor)
}

/// The time that this thread has had of a processor so far.
fn had() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
