//! clockbox runs scheduled jobs as sandboxed WebAssembly components.
//!
//! The `clockbox` command is the host for operators; this library is the same scheduler for Rust programs: see
//! [`Scheduler`].

mod author;
pub mod cli;
mod clock;
mod configured;
pub mod control;
mod granted;
mod in_force;
pub mod manifest;
mod outbound;
mod plugin_files;
mod pool;
pub mod reload;
mod reload_answer;
mod scheduler;
pub mod simulation;
mod system_zones;
pub mod traces;
pub mod webhooks;

pub use clock::{Clock, ManualClock};
pub use clockbox_core::{
    model::{
        Allow, Attempt, Cause, ClockRight, Coalesce, Delivery, Endpoint, Grace, History, HttpGrant,
        HttpOptions, IntoJob, InvalidJob, Job, JobBuilder, JobDefaults, JobId, JobPatch, JobRecord, JobState,
        JobTerms, JobsRight, KeyProblem, KeyProblems, Limits, LogLevel, LogLine, LogStream, Origin, Outcome,
        OutputFrom, Overlap, Pause, PluginName, PluginSpec, Policy, PolicyPatch, Pool, PoolName, RandomRight,
        Report, Retry, RetryHint, Rights, Run, RunId, RunState, Secret, SecretAs, Source, StateChanges,
        StateEntry, Timestamp, WebhookName, WhenDone,
    },
    timetable::{Conflict, Launch, PoolLoad, Rejection, Running},
    trigger::{Trigger, TriggerError, TriggerSpec, zone_data},
};
pub use clockbox_sandbox as sandbox;
pub use clockbox_store as store;
pub use pool::{JobError, NativeRun, NativeWork, Work};
pub use scheduler::{
    Builder, Event, Happening, Listener, RefusedFile, Reply, RunError, Scheduler, SchedulerError, Serving,
    Settings, StartError, Status, Subscription,
};
pub use system_zones::prefer_system_zone_data;
