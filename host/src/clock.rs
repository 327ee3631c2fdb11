//! The one place that asks the time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clockbox_core::model::Timestamp;
use tokio::sync::watch;

/// How long a wait goes on before it looks at the wall clock again. Waiting uses the monotonic clock; decisions use
/// wall time: a step of the system clock, or a machine that slept, is noticed within this time.
const RECHECK: Duration = Duration::from_secs(1);

/// Where a scheduler has its time from: the system, or a test.
///
/// ```
/// use clockbox::Clock;
/// use std::time::Duration;
///
/// let (clock, hand) = Clock::manual("2030-01-01T00:00:00Z".parse().unwrap());
/// hand.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), "2030-01-01T00:01:00Z".parse::<clockbox::Timestamp>().unwrap());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    Manual(watch::Receiver<Timestamp>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until its [`ManualClock`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        let (sender, receiver) = watch::channel(start);
        (Self(Source::Manual(receiver)), ManualClock { now: Arc::new(Mutex::new(sender)) })
    }

    /// The time now, to the microsecond: what the stores keep.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => to_micros(system_now()),
            Source::Manual(now) => to_micros(*now.borrow()),
        }
    }

    /// Waits until the clock shows `at`, or returns early so that the caller looks again.
    pub(crate) async fn sleep_until(&self, at: Timestamp) {
        match &self.0 {
            Source::System => {
                let left = (at - system_now()).to_std().unwrap_or(Duration::ZERO);
                tokio::time::sleep(left.min(RECHECK)).await;
            }
            Source::Manual(now) => {
                let mut now = now.clone();
                // The hand is gone: this clock stands still for ever.
                if now.wait_for(|now| *now >= at).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

/// The hand of a manual clock.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<Mutex<watch::Sender<Timestamp>>>,
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.change(|now| *now += by);
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, to: Timestamp) {
        self.change(|now| *now = to);
    }

    fn change(&self, how: impl FnOnce(&mut Timestamp)) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).send_modify(how);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the time")]
fn system_now() -> Timestamp {
    chrono::Utc::now()
}

fn to_micros(time: Timestamp) -> Timestamp {
    let finer = time.timestamp_subsec_nanos() % 1_000;
    // A leap second has more than a second of nanoseconds; what is cut off is less than a microsecond all the same.
    time.checked_sub_signed(chrono::TimeDelta::nanoseconds(finer.into())).unwrap_or(time)
}

/// A running measurement of elapsed time, for reports to people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the time")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The time since the first call, by a clock that only goes forward.
#[expect(clippy::disallowed_methods, reason = "the one place that asks the time")]
pub(crate) fn monotonic_time() -> Duration {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(std::time::Instant::now).elapsed()
}

/// The monotonic clock of the runtime.
#[expect(clippy::disallowed_methods, reason = "the one place that asks the time")]
pub(crate) fn monotonic() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
