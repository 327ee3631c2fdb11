//! The sandbox of clockbox: loads plugins, runs each run in an instance of its own, and gives it what it was granted
//! and no more.
//!
//! [`Sandbox::load`] turns a file into a [`Plugin`]; [`Plugin::run`] turns a [`RunRequest`] into a
//! [`Report`](clockbox_core::model::Report). [`inspect`] says what a file is and wants, without compiling it. This is
//! the only crate of clockbox that names wasmtime.
//!
//! # What a command finds
//!
//! A job component is handed its arguments and asks for the facts of its run. A command (a component with
//! `wasi:cli/run`, or a preview-1 module with `_start`) finds them where commands look:
//!
//! - `argv`: the plugin's name; then nothing for `null`, the items of an array of strings, numbers and booleans, a
//!   string as it is, and anything else as JSON text in one argument.
//! - Standard input: the arguments as JSON text, always.
//! - Environment: what `allow.env` grants, and `CLOCKBOX_JOB_ID`, `CLOCKBOX_RUN_ID` (the idempotency key),
//!   `CLOCKBOX_ATTEMPT`, `CLOCKBOX_SCHEDULED_AT`, `CLOCKBOX_CAUSE` and, after a first success,
//!   `CLOCKBOX_PREVIOUS_SUCCESS`; times are RFC 3339.
//!
//! It has no way to keep state or to change jobs: those are imports of `clockbox:state` and `clockbox:jobs`, which only a
//! component can have.
//!
//! Exit code 0 is success. WASI 0.2 passes on only success or failure from most toolchains, so that a failing command
//! *component* mostly ends with exit code 1; a module's code is exact.
//!
//! ```
//! use std::sync::Arc;
//! use clockbox_core::model::{Cause, LogLine, Outcome, PluginSpec, RunId, Timestamp};
//! use clockbox_sandbox::{CancelToken, RunRequest, RunSink, Sandbox, SandboxOptions};
//!
//! struct Quiet(Timestamp);
//! impl RunSink for Quiet {
//!     fn now(&self) -> Timestamp { self.0 }
//!     fn log(&self, _: LogLine) {}
//!     fn progress(&self, _: u64, _: Option<u64>, _: Option<String>) {}
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let spec = PluginSpec::new("nothing".parse().unwrap(), "nothing.wat");
//! let sandbox = Sandbox::new(SandboxOptions { max_instances: 10, ..Default::default() }).unwrap();
//! let plugin = sandbox.load(br#"(module (func (export "_start")))"#, &spec).unwrap();
//! let now = "2030-01-01T00:00:00Z".parse().unwrap();
//! let request = RunRequest {
//!     job: "nightly".parse().unwrap(),
//!     run: RunId::next(None, now),
//!     attempt: 1,
//!     scheduled_at: now,
//!     previous_success: None,
//!     cause: Cause::Trigger,
//!     args: "null".into(),
//! };
//! let report = plugin.run(request, Arc::new(Quiet(now)), CancelToken::new()).await;
//! assert_eq!(report.outcome, Outcome::Succeeded);
//! # });
//! ```

mod backtrace;
mod bindings;
mod cache;
mod cancel;
mod code;
mod compile;
mod cores;
mod deterministic;
mod engine;
mod error;
mod facts;
mod folders;
mod guest;
mod hex;
mod http;
mod imports;
mod inspect;
mod jobs;
mod kind;
mod limiter;
mod listing;
mod log;
mod machines;
mod plugin;
mod progress;
mod request;
mod resolver;
mod run;
mod said;
mod sandbox;
mod sockets;
mod special_files;
mod state;
mod ticker;
mod trap;
mod verdict;
mod wasi;

pub use cache::{CacheEntry, CacheView, Compilation};
pub use cancel::CancelToken;
pub use compile::{Compiler, compile_plugin};
pub use cores::CoreDumps;
pub use engine::Allocator;
pub use error::{PluginError, SandboxError};
pub use inspect::{Inspection, inspect};
pub use kind::PluginKind;
pub use plugin::Plugin;
pub use request::{JobDraft, JobView, Pending, RunRequest, RunSink};
pub use resolver::Resolver;
pub use sandbox::{CacheUse, Sandbox, SandboxOptions};
