//! The processes in which a host compiles plugins, as Linux tells of them.

use std::{fs, thread, time::Duration};

use crate::{
    Running,
    process::{DEADLINE, now},
};

/// A process in which a host compiles a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompilerProcess(u32);

impl Running {
    /// Waits until the host compiles a plugin in a process of its own.
    ///
    /// # Panics
    /// When it has not begun within a minute.
    #[must_use]
    #[track_caller]
    pub fn compiler(&self) -> CompilerProcess {
        let (found, deadline) = (|| compilers_of(self.pid()).into_iter().next(), now() + DEADLINE);
        loop {
            match found() {
                Some(found) => return found,
                None if now() > deadline => panic!("no plugin is compiled; {self}"),
                None => thread::sleep(LOOK_AGAIN),
            }
        }
    }
}

impl CompilerProcess {
    /// Waits until it has used so much time of a processor, so that it is known to be at work.
    ///
    /// # Panics
    /// When it ends before, or takes too long.
    #[track_caller]
    pub fn has_worked(self, at_least: Duration) {
        let deadline = now() + DEADLINE;
        loop {
            let Some(fields) = stat(self.0).filter(|fields| !is_over(fields)) else {
                panic!("the compiler ended by itself")
            };
            // A tick is a hundredth of a second wherever Linux runs.
            let ticks: u64 = fields[11..13].iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
            if Duration::from_millis(ticks * 10) >= at_least {
                return;
            }
            assert!(now() < deadline, "the compiler does nothing");
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits until it is over.
    ///
    /// # Panics
    /// When it goes on for longer than it takes to end: it would be over some time in any case.
    #[track_caller]
    pub fn is_over(self) {
        let deadline = now() + DEADLINE / 4;
        while stat(self.0).is_some_and(|fields| !is_over(&fields)) {
            assert!(now() < deadline, "the compiler goes on");
            thread::sleep(LOOK_AGAIN);
        }
    }
}

/// The kernel tells nobody that somebody else's child begins or ends.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

fn compilers_of(host: u32) -> Vec<CompilerProcess> {
    let processes = fs::read_dir("/proc").unwrap_or_else(|error| panic!("/proc: {error}"));
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_compiler = |pid: &u32| {
        let is_child = stat(*pid).is_some_and(|fields| fields[1] == host.to_string());
        is_child
            && fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == b"compile-plugin"))
    };
    pids.filter(is_compiler).map(CompilerProcess).collect()
}

/// What stands in `stat` after the name: the state, the parent and so on. `None` when there is no such process.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// Whether nothing is left but its exit code, which its parent or whoever took it over may take its time to ask for.
fn is_over(fields: &[String]) -> bool {
    matches!(fields[0].as_str(), "Z" | "X")
}
