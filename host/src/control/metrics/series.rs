//! What is counted of one job, or of all that have no series of their own.

use clockbox_core::model::{Cause, Outcome};
use prometheus_client::metrics::histogram::Histogram;

/// The upper bounds of the buckets of run durations, in seconds.
const DURATIONS: [f64; 15] =
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0];

/// What becomes of a fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    /// A run that began.
    Run,
    /// Another fire's run stands for it.
    Coalesced,
    /// It came too late, or waited for too long.
    Missed,
    /// It was not run because of overlap or saturation.
    Skipped,
    /// It was cancelled before it began.
    Cancelled,
}

impl Became {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 5] =
        [Self::Run, Self::Coalesced, Self::Missed, Self::Skipped, Self::Cancelled];

    /// As a label.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Coalesced => "coalesced",
            Self::Missed => "missed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What is counted of one job.
#[derive(Debug, Default)]
pub(super) struct Series {
    fires: [u64; Became::ALL.len()],
    by_trigger: u64,
    on_demand: u64,
    retries: u64,
    ends: [u64; Outcome::ALL.len()],
    /// Made when the first run ends so: most runs of a job end in one way.
    durations: [Option<Histogram>; Outcome::ALL.len()],
}

impl Series {
    pub(super) fn fired(&mut self, became: Became, how_many: u32) {
        self.fires[became as usize] += u64::from(how_many);
    }

    pub(super) fn started(&mut self, cause: Cause) {
        match cause {
            Cause::Trigger => self.by_trigger += 1,
            Cause::Manual => self.on_demand += 1,
        }
    }

    pub(super) fn retried(&mut self) {
        self.retries += 1;
    }

    /// A run ended; `seconds` is how long it took, where that is known.
    pub(super) fn ended(&mut self, outcome: Outcome, seconds: Option<f64>) {
        self.ends[outcome as usize] += 1;
        if let Some(seconds) = seconds {
            let duration = &mut self.durations[outcome as usize];
            duration.get_or_insert_with(|| Histogram::new(DURATIONS)).observe(seconds);
        }
    }

    pub(super) fn fires(&self) -> impl Iterator<Item = (Became, u64)> + '_ {
        Became::ALL.into_iter().zip(self.fires)
    }

    pub(super) fn starts(&self) -> [(Cause, u64); 2] {
        [(Cause::Trigger, self.by_trigger), (Cause::Manual, self.on_demand)]
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries
    }

    pub(super) fn ends(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL.into_iter().zip(self.ends)
    }

    pub(super) fn durations(&self) -> impl Iterator<Item = (Outcome, &Histogram)> + '_ {
        let durations = Outcome::ALL.into_iter().zip(&self.durations);
        durations.filter_map(|(outcome, durations)| Some((outcome, durations.as_ref()?)))
    }
}
