//! A clock that stands still, and random numbers that can be told in advance.

use std::time::Duration;

use clockbox_core::model::{RunId, Timestamp};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

/// Shows the same time for ever.
struct Frozen(Duration);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Frozen {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        // Runtimes take zero for a clock that does not work: Go's ends the program.
        1_000_000_000
    }
}

/// Stops the guest's clocks at `at`. What it waits for still takes its time.
pub(crate) fn freeze(wasi: &mut WasiCtxBuilder, at: Timestamp) {
    let since_1970 = || Frozen(at.signed_duration_since(Timestamp::UNIX_EPOCH).to_std().unwrap_or_default());
    wasi.wall_clock(since_1970()).monotonic_clock(since_1970());
}

/// Lets the guest's random numbers follow from the run's id.
pub(crate) fn seed(wasi: &mut WasiCtxBuilder, run: RunId) {
    let number = run.as_i64().unsigned_abs();
    // Different streams, so that secure and insecure numbers do not repeat each other.
    wasi.secure_random(ChaCha20Rng::seed_from_u64(number))
        .insecure_random(ChaCha20Rng::seed_from_u64(!number))
        .insecure_random_seed(u128::from(number));
}
