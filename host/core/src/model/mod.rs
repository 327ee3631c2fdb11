//! The nouns: jobs, runs, outcomes, events, pools and their identifiers.

mod duration;
mod event;
mod history;
mod ids;
mod job;
mod log;
mod origin;
mod outcome;
mod patch;
mod plugin;
mod policy;
mod pool;
mod report;
mod run;
mod sharing;
mod size;
mod write;

pub use duration::{DurationError, Grace, format_duration, format_roughly, parse_duration};
pub use event::Event;
pub use history::History;
pub use ids::{IdError, JobId, PluginName, PoolName, RunId};
pub use job::{Job, JobRecord, Pause, Source};
pub use log::{LogLevel, LogLine, LogStream};
pub use origin::{Origin, OriginError};
pub use outcome::Outcome;
pub use patch::{JobPatch, PolicyPatch};
pub use plugin::{Limits, PluginSpec, Rights};
pub use policy::{Coalesce, Delivery, Overlap, Policy, Retry, WhenDone};
pub use pool::Pool;
pub use report::{Report, RetryHint};
pub use run::{Attempt, Cause, Run, RunState};
pub use sharing::Sharing;
pub use size::{SizeError, format_size, parse_size};
pub use write::{Refusal, Write};

/// An instant in UTC; the stores keep it to the microsecond.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
