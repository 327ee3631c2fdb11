//! `clockbox top` on a terminal.

use std::{
    io::{Read as _, Write as _},
    num::NonZeroU16,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use clockbox_tests::{Running, TestHost, prebuilt};
use rustix::process::{Pid, Signal, kill_process};

/// A guard against a screen that never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A terminal with `clockbox top` on it, made by `script`.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    told: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// All that was written to it.
    raw: Vec<u8>,
    /// Its name.
    name: String,
}

impl Terminal {
    fn open(place: &TestHost, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new("script");
        command.args(["-qefc", "tty; stty rows 30 cols 120; exec \"$TOP\" top", "/dev/null"]);
        let top = place.command();
        command.current_dir(top.get_current_dir().unwrap()).env("TOP", top.get_program());
        for (name, value) in top.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("SHELL", "/bin/sh").env("TERM", "xterm-256color").env_remove("NO_COLOR");
        command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (keys, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                if tell.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(size(30), size(120), 0);
        let mut terminal = Self { child, keys, told, screen, raw: Vec::new(), name: String::new() };
        terminal.until("its name", |terminal| terminal.said_name().is_some());
        terminal.name = terminal.said_name().unwrap();
        terminal
    }

    /// What `tty` says, before anything is drawn.
    fn said_name(&self) -> Option<String> {
        let said = String::from_utf8_lossy(&self.raw);
        let (name, _) = said.split_once("\r\n")?;
        Some(name.to_owned())
    }

    fn resize(&mut self, rows: u16, columns: u16) {
        let mut stty = Command::new("stty");
        stty.args(["-F", &self.name, "rows", &rows.to_string(), "cols", &columns.to_string()]);
        assert!(stty.status().unwrap().success());
        self.screen.screen_mut().set_size(size(rows), size(columns));
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).unwrap();
    }

    /// Waits until it is so, and answers what the screen shows then.
    #[track_caller]
    #[expect(
        clippy::disallowed_methods,
        reason = "a screen that is drawn again and again is not waited for for ever"
    )]
    fn until(&mut self, what: &str, is_it: impl Fn(&Self) -> bool) -> String {
        let deadline = Instant::now() + DEADLINE;
        while !is_it(self) {
            match self.told.recv_timeout(DEADLINE) {
                Ok(bytes) if Instant::now() < deadline => {
                    self.screen.process(&bytes);
                    self.raw.extend(bytes);
                }
                _ => panic!("{what} is not shown, but:\n{}", self.text()),
            }
        }
        self.text()
    }

    fn text(&self) -> String {
        self.screen.screen().contents()
    }

    #[track_caller]
    fn shows(&mut self, text: &str) -> String {
        self.until(text, |terminal| terminal.text().contains(text))
    }

    /// Waits for the end, and that the terminal is as it was.
    #[track_caller]
    fn ends(mut self) -> Vec<u8> {
        while let Ok(bytes) = self.told.recv_timeout(DEADLINE) {
            self.screen.process(&bytes);
            self.raw.extend(bytes);
        }
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        assert!(!self.screen.screen().alternate_screen(), "the screen is not given back");
        assert!(!self.screen.screen().hide_cursor(), "the cursor is not given back");
        std::mem::take(&mut self.raw)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, unless a test has failed.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn size(of: u16) -> NonZeroU16 {
    NonZeroU16::new(of).unwrap()
}

fn place() -> TestHost {
    let place = crate::place();
    for name in ["hello", "counter"] {
        place.drop_plugin(&prebuilt(name), name);
    }
    place.manifest(
        "[scheduler]\nshutdown_grace = \"0s\"\n[pools.default]\nmax_instances = 4\n\
         [plugins.counter]\nallow = { state = true }\nlimits = { timeout = \"2h\", cancel_grace = \"100ms\" }\n\
         [jobs.hold]\nplugin = \"counter\"\nargs = { hold_ms = 3600000 }\ntrigger = { date = \"2090-01-01\" }\n\
         [jobs.yearly]\nplugin = \"hello\"\ntrigger = { date = \"2091-01-01\" }\n",
    );
    place
}

fn start(place: &TestHost) -> Running {
    let mut host = place.start();
    host.hear_text("asked and changed at");
    host
}

#[test]
fn runs_are_watched_started_and_stopped_from_the_screen() {
    let place = place();
    let mut host = start(&place);
    let _ = place.cli(&["jobs", "run", "hold"]).exits(0);
    host.hear_text("run 1");
    let mut terminal = Terminal::open(&place, &[]);
    for text in [
        "1/4",
        "clockbox 0.1.0",
        "1 running, 0 waiting",
        "sqlite:clockbox.db",
        "yearly",
        "2091-01-01",
        "q quit",
    ] {
        terminal.shows(text);
    }
    // The run is stopped, after a question back.
    terminal.press("jc");
    terminal.shows("stop run ");
    terminal.press("y");
    terminal.shows("was asked to stop");
    terminal.shows("cancelled");
    // Jobs are paused, resumed and run: `hold` is the next one to fire, `yearly` the one after it.
    terminal.press("\tjr");
    terminal.shows("a run of yearly is on record");
    terminal.shows("✓ succeeded");
    terminal.press("p");
    terminal.shows("yearly is paused");
    assert!(place.cli(&["jobs", "show", "yearly", "--json"]).exits(0).json()["paused"].is_object());
    terminal.shows("paused    ");
    terminal.press("p");
    terminal.shows("yearly fires again");
    terminal.press("?");
    terminal.shows("pause the job of the row, or resume it");
    terminal.press(" ");
    terminal.resize(12, 60);
    terminal.until("one panel", |terminal| {
        !terminal.text().contains("pools") && terminal.text().contains(" next ")
    });
    terminal.press("q");
    let raw = terminal.ends();
    assert!(raw.windows(5).any(|bytes| bytes == b"\x1b[38;" || bytes == b"\x1b[32m"), "there are colours");
    host.stop();
}

#[test]
fn a_host_that_goes_and_comes_back_is_told() {
    let place = place();
    let host = start(&place);
    let mut terminal = Terminal::open(&place, &[("NO_COLOR", "1")]);
    terminal.shows("0 running");
    host.kill();
    terminal.shows("the host is away: no host is running at");
    let host = start(&place);
    terminal.until("it again", |terminal| {
        !terminal.text().contains("away") && terminal.text().contains("0 running")
    });
    // Ctrl-C is a key here.
    terminal.press("\u{3}");
    let raw = String::from_utf8_lossy(&terminal.ends()).into_owned();
    for colour in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[36m", "[38;"] {
        assert!(!raw.contains(colour), "{colour:?} in spite of NO_COLOR");
    }
    host.stop();
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let place = place();
    let host = start(&place);
    let mut terminal = Terminal::open(&place, &[]);
    terminal.shows("0 running");
    let script = terminal.child.id();
    let children = std::fs::read_to_string(format!("/proc/{script}/task/{script}/children")).unwrap();
    let top: i32 = children.trim().parse().unwrap();
    kill_process(Pid::from_raw(top).unwrap(), Signal::TERM).unwrap();
    terminal.ends();
    host.stop();
}

#[test]
fn what_is_no_screen_is_told_what_else_there_is() {
    let place = place();
    place.cli(&["top"]).exits(2).says(&[
        "`top` needs a screen: stdout is no terminal",
        "hint: `clockbox status`",
        "`clockbox events`",
    ]);
}
