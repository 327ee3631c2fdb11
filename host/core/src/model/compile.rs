//! What compiling plugins may use up.

use std::time::Duration;

/// What compiling plugins may use up: a plugin's own limits hold when it runs, these before.
///
/// ```
/// use clockbox_core::model::CompileLimits;
/// assert_eq!(CompileLimits::default().at_once, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileLimits {
    /// Wall-clock time for one plugin.
    pub timeout: Duration,
    /// Bytes of memory that the compiler may take for one plugin, where it is a process of its own; its threads alone may
    /// take 200 MiB.
    pub memory: u64,
    /// How many plugins are compiled at one time. Each compilation uses every core as it is.
    pub at_once: u32,
    /// The largest plugin file, in bytes.
    pub max_size: u64,
    /// Bytes of compiled code kept on disk, over all plugins.
    pub cache: u64,
}

impl Default for CompileLimits {
    /// 120 s and 2 GiB for one plugin of 64 MiB at most, one at a time, and 1 GiB of compiled code: a program with an
    /// interpreter in it (Python, JavaScript) has up to 40 MiB and takes a slow machine a minute.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(120),
            memory: 2 << 30,
            at_once: 1,
            max_size: 64 << 20,
            cache: 1 << 30,
        }
    }
}
