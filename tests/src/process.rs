//! A host that runs: what it says, and the signals that it is sent.

use std::{
    fmt,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A guard against a host that hangs, not a measure of anything: far longer than any machine takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// One line that a host wrote on stderr.
#[derive(Debug, Clone)]
pub struct Line(Value);

impl Line {
    fn new(text: String) -> Self {
        Self(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// What it says: the message of an event, or the whole line where it is none.
    #[must_use]
    pub fn message(&self) -> &str {
        self.0.as_str().or_else(|| self.0["message"].as_str()).unwrap_or_default()
    }

    /// The job that it is about, or nothing.
    #[must_use]
    pub fn job(&self) -> &str {
        self.0["job"].as_str().unwrap_or_default()
    }

    /// The run that it is about, or nothing.
    #[must_use]
    pub fn run(&self) -> &str {
        self.0["run"].as_str().unwrap_or_default()
    }

    /// `ERROR`, `WARN`, `INFO` or `DEBUG`.
    #[must_use]
    pub fn level(&self) -> &str {
        self.0["level"].as_str().unwrap_or_default()
    }

    /// Whether the host says it of a job, and not the job's guest.
    #[must_use]
    pub fn is_of(&self, job: &str, start: &str) -> bool {
        self.job() == job && self.0["target"] != "clockbox::guest" && self.message().starts_with(start)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<5} {:<12} {}", self.level(), self.job(), self.message())
    }
}

/// A host that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<Line>,
    heard: Vec<Line>,
}

impl Running {
    pub(crate) fn spawn(mut command: Command) -> Self {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = child.stderr.take().unwrap_or_else(|| unreachable!("stderr is piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                // The test that listened may have ended.
                _ = sender.send(Line::new(String::from_utf8_lossy(&line).into_owned()));
            }
        });
        Self { child, lines, heard: Vec::new() }
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far, as far as anybody waited for it.
    #[must_use]
    pub fn heard(&self) -> &[Line] {
        &self.heard
    }

    /// Waits for a line that it has not said yet.
    ///
    /// # Panics
    /// When the host ends, or nothing of the kind is said within a minute.
    #[track_caller]
    pub fn hear(&mut self, what: &str, is_it: impl Fn(&Line) -> bool) -> Line {
        let deadline = now() + DEADLINE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(now())) {
                Ok(line) => {
                    self.heard.push(line.clone());
                    if is_it(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the host ended before {what}; {self}"),
                Err(RecvTimeoutError::Timeout) => panic!("too long without {what}; {self}"),
            }
        }
    }

    /// Waits for a line with this text in it.
    #[track_caller]
    pub fn hear_text(&mut self, text: &str) -> Line {
        self.hear(&format!("{text:?}"), |line| line.message().contains(text))
    }

    /// Waits for a line about this job that the host starts so: `started`, `succeeded`, `skipped`.
    #[track_caller]
    pub fn hear_of(&mut self, job: &str, start: &str) -> Line {
        self.hear(&format!("{start:?} of {job}"), |line| line.is_of(job, start))
    }

    /// Waits until the host is ready: its jobs are known, and it obeys signals.
    #[track_caller]
    pub fn ready(&mut self) -> Line {
        self.hear("it is ready", |line| line.message().contains("; ready in "))
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap_or_else(|error| panic!("{error}; {self}"));
    }

    /// Waits until it has ended and said its last.
    ///
    /// # Panics
    /// When it goes on for a minute without a word.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        let deadline = now() + DEADLINE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(now())) {
                Ok(line) => self.heard.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the host does not end; {self}"),
            }
        }
        self.child.wait().unwrap_or_else(|error| panic!("{error}; {self}"))
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Panics
    /// When it does not end with the exit code 0.
    #[track_caller]
    pub fn stop(mut self) -> Vec<Line> {
        self.signal(Signal::TERM);
        let status = self.end();
        assert_eq!(status.code(), Some(0), "{self}");
        std::mem::take(&mut self.heard)
    }

    /// Kills it with no chance to tidy up.
    ///
    /// # Panics
    /// When it had ended by itself.
    #[track_caller]
    pub fn kill(mut self) -> Vec<Line> {
        self.signal(Signal::KILL);
        let status = self.end();
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status}; {self}");
        std::mem::take(&mut self.heard)
    }
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the host said:")?;
        self.heard.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a guard against a host that hangs; no test depends on the time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
