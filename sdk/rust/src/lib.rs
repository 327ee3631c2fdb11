#![doc = include_str!("../README.md")]

mod backend;
pub mod context;
mod error;
#[cfg(feature = "http")]
pub mod http;
mod job;
pub mod jobs;
pub mod log;
pub mod progress;
pub mod state;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
#[cfg(all(feature = "http", any(target_family = "wasm", test)))]
mod url;

pub use error::{Failure, JobError, OrFail};

/// What the macros expand to. Not part of the API.
#[doc(hidden)]
pub mod __private {
    pub use std::{format, string::String};

    #[cfg(target_family = "wasm")]
    pub use crate::backend::bindings::{
        self,
        exports::clockbox::job::runner::{Guest, JobError as WitJobError},
    };
    pub use crate::job::{Output, bytes, call};

    #[cfg(target_family = "wasm")]
    pub type WitOutput = Result<Option<String>, WitJobError>;
}
