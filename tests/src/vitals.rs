//! What a running host takes of the machine, as Linux tells it.

use std::{fmt, fs};

use crate::Running;

/// What a process holds at one moment.
#[derive(Debug, Clone)]
pub struct Vitals {
    /// Bytes of memory that are resident.
    pub resident: u64,
    /// The most that were resident since the start, or since [`Running::forget_peak`].
    pub peak: u64,
    /// Threads.
    pub threads: u64,
    /// What its open files are, in order; without the images of plugins' memories, which belong to their code.
    pub files: Vec<String>,
}

impl Running {
    /// What the host holds now.
    ///
    /// # Panics
    /// When it has ended, or the machine does not tell.
    #[must_use]
    #[track_caller]
    pub fn vitals(&self) -> Vitals {
        let folder = format!("/proc/{}", self.pid());
        let status = fs::read_to_string(format!("{folder}/status")).unwrap_or_else(|e| panic!("{e}; {self}"));
        let number = |key: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let digits = line.and_then(|line| line.split_whitespace().next());
            digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{key} in {status}"))
        };
        let open = fs::read_dir(format!("{folder}/fd")).unwrap_or_else(|e| panic!("{e}; {self}"));
        // One that is closed meanwhile has no name any more.
        let names = open.flatten().filter_map(|file| fs::read_link(file.path()).ok());
        let mut files: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        files.retain(|name| !name.starts_with("/memfd:wasm-memory-image"));
        files.sort_unstable();
        Vitals {
            resident: number("VmRSS:") << 10,
            peak: number("VmHWM:") << 10,
            threads: number("Threads:"),
            files,
        }
    }

    /// Lets [`Vitals::peak`] begin anew. Where the machine does not allow it, the peak is that since the start.
    pub fn forget_peak(&self) {
        _ = fs::write(format!("/proc/{}/clear_refs", self.pid()), "5");
    }
}

impl fmt::Display for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident, peak, threads, files } = self;
        let mib = |bytes: u64| bytes >> 20;
        write!(
            f,
            "{} MiB (peak {} MiB), {threads} threads, {} files",
            mib(*resident),
            mib(*peak),
            files.len()
        )
    }
}
