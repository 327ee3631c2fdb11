//! The nouns: jobs, runs, outcomes, events, pools and their identifiers.

mod allow;
mod compile;
mod duration;
mod endpoint;
mod event;
mod history;
mod http_grant;
mod ids;
mod job;
mod limits;
mod log;
mod origin;
mod outcome;
mod patch;
mod plugin;
mod policy;
mod pool;
mod report;
mod rights;
mod run;
mod secret;
mod sharing;
mod size;
mod write;

pub use allow::Allow;
pub use compile::CompileLimits;
pub use duration::{DurationError, Grace, format_duration, format_roughly, parse_duration};
pub use endpoint::{Endpoint, EndpointError};
pub use event::Event;
pub use history::History;
pub use http_grant::{HttpGrant, HttpOptions};
pub use ids::{IdError, JobId, PluginName, PoolName, RunId};
pub use job::{Job, JobRecord, Pause, Source};
pub use limits::Limits;
pub use log::{LogLevel, LogLine, LogStream};
pub use origin::{Origin, OriginError};
pub use outcome::Outcome;
pub use patch::{JobPatch, PolicyPatch};
pub use plugin::PluginSpec;
pub use policy::{Coalesce, Delivery, Overlap, Policy, Retry, WhenDone};
pub use pool::Pool;
pub use report::{Report, RetryHint};
pub use rights::{ClockRight, JobsRight, RandomRight, Rights};
pub use run::{Attempt, Cause, Run, RunState};
pub use secret::{Secret, SecretAs};
pub use sharing::Sharing;
pub use size::{SizeError, format_size, parse_size};
pub use write::{Refusal, Write};

/// An instant in UTC; the stores keep it to the microsecond.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
