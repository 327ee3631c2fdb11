//! What one run of a plugin may use up.

use std::time::Duration;

/// What one run of a plugin may use up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time, instantiation included.
    pub timeout: Duration,
    /// How long a run that is asked to stop may take to do so before it is stopped.
    pub cancel_grace: Duration,
    /// Bytes of memory, summed over memories, tables and GC heap.
    pub memory: u64,
    /// Units of fuel (about one WebAssembly instruction each); `None` does not count them.
    pub fuel: Option<u64>,
    /// Bytes of call stack; `None` is the engine's own, 512 KiB.
    pub stack: Option<u64>,
    /// Bytes of log, stdout and stderr kept.
    pub log: u64,
    /// Bytes of output kept.
    pub output: u64,
    /// Bytes of state that a job may keep, keys and values.
    pub state: u64,
    /// Bytes of one HTTP response's body.
    pub response: u64,
    /// Files, streams, sockets, requests and timers that a run may hold at one time.
    pub handles: u32,
    /// Bytes that a guest may hand over in one call of the host.
    pub host_call: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            cancel_grace: Duration::from_secs(5),
            memory: 128 << 20,
            fuel: None,
            stack: None,
            log: 256 << 10,
            output: 64 << 10,
            state: 1 << 20,
            response: 64 << 20,
            handles: 1_000,
            host_call: 128 << 20,
        }
    }
}
