//! What the operating system knows of this process, under the names that every Prometheus client gives it. Only Linux is
//! asked.

use std::fmt;

use super::sheet::Sheet;

/// What the process uses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Process {
    cpu_seconds: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    threads: u64,
    open_files: u64,
    most_files: Option<u64>,
    started_at_seconds: f64,
}

impl Process {
    /// As it is now; `None` where nobody can be asked.
    pub(super) fn now() -> Option<Self> {
        #[cfg(target_os = "linux")]
        {
            linux::look()
                .inspect_err(|error| tracing::debug!("this process cannot be looked at: {error}"))
                .ok()
        }
        #[cfg(not(target_os = "linux"))]
        {
            None
        }
    }

    pub(super) fn write(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        use super::sheet::NONE;
        let one = |value| [(NONE, value)];
        sheet.counter(
            "process_cpu_seconds",
            "Time of processors that the host has used, guests included",
            [(NONE, self.cpu_seconds)],
        )?;
        sheet.gauge(
            "process_resident_memory_bytes",
            "Memory that the host occupies",
            one(self.resident_bytes),
        )?;
        sheet.gauge(
            "process_virtual_memory_bytes",
            "Address space that the host has reserved: terabytes of it cost nothing",
            one(self.virtual_bytes),
        )?;
        sheet.gauge("process_threads", "Threads of the host", one(self.threads))?;
        sheet.gauge("process_open_fds", "Open files and connections", one(self.open_files))?;
        sheet.gauge(
            "process_max_fds",
            "The most files and connections that may be open",
            self.most_files.map(|most| (NONE, most)),
        )?;
        sheet.gauge(
            "process_start_time_seconds",
            "When the process began, in seconds since 1970",
            [(NONE, self.started_at_seconds)],
        )
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::{ProcResult, process};

    use super::Process;

    pub(super) fn look() -> ProcResult<Process> {
        let this = process::Process::myself()?;
        let stat = this.stat()?;
        let ticks = procfs::ticks_per_second() as f64;
        let most_files = match this.limits()?.max_open_files.soft_limit {
            process::LimitValue::Value(most) => Some(most),
            process::LimitValue::Unlimited => None,
        };
        Ok(Process {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            resident_bytes: stat.rss.saturating_mul(procfs::page_size()),
            virtual_bytes: stat.vsize,
            threads: u64::try_from(stat.num_threads).unwrap_or(0),
            open_files: u64::try_from(this.fd_count()?).unwrap_or(u64::MAX),
            most_files,
            started_at_seconds: procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks,
        })
    }
}
