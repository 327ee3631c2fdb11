//! Ctrl-C in a program that embeds the scheduler: the test plays that program in a process of its own.

use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    pin::pin,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use clockbox::{Event, Job, Outcome, Report, Scheduler};
use rustix::process::{Pid, Signal, kill_process};

/// Set in the process that plays the program: whether a run goes on in it.
const PART: &str = "CLOCKBOX_TEST_PART";

/// A line that the harness does not hold back.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdout.flush()).unwrap();
}

/// The program: it ends when Ctrl-C is pressed, and gives its runs an hour.
fn program(has_run: bool) {
    let scheduler = Scheduler::builder()
        .native("stubborn".parse().unwrap(), |_, token| async move {
            token.cancelled().await;
            Report::new(Outcome::Cancelled)
        })
        .start()
        .unwrap();
    let mut events = scheduler.subscribe();
    if has_run {
        scheduler.add_job(Job::new("hold").plugin("stubborn")).wait().unwrap();
        while !matches!(events.next_blocking().unwrap().unwrap().event, Event::RunStarted { .. }) {}
    }
    let told = std::thread::spawn(move || {
        while let Some(Ok(happening)) = events.next_blocking() {
            match happening.event {
                Event::SchedulerDraining => say("draining"),
                Event::RunFinished { outcome, .. } => say(&format!("the run is {outcome}")),
                _ => {}
            }
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ended = runtime.block_on(async {
        let mut serving = pin!(scheduler.serve().grace(Duration::from_secs(3600)).stop_on_ctrl_c());
        // From the first poll on signals are heard.
        tokio::select! {
            biased;
            ended = &mut serving => return ended,
            () = std::future::ready(()) => say("ready"),
        }
        serving.await
    });
    told.join().unwrap();
    say(&format!("ended: {ended:?}"));
}

/// The program in a process of its own.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(test: &str, part: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env(PART, part);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn hears(&mut self, line: &str) {
        let heard: Vec<String> =
            self.lines.by_ref().map(Result::unwrap).take_while(|said| !said.ends_with(line)).collect();
        assert!(!heard.iter().any(|said| said.contains("ended")), "{line:?} does not come: {heard:?}");
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    fn ends_well(mut self) {
        self.hears("ended: Ok(())");
        assert!(self.lines.all(|line| line.is_ok()));
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn a_signal_ends_a_program_in_order() {
    if std::env::var_os(PART).is_some() {
        return program(false);
    }
    let mut child = Program::start("ctrl_c::a_signal_ends_a_program_in_order", "idle");
    child.hears("ready");
    child.interrupt();
    child.ends_well();
}

#[test]
fn a_second_signal_cuts_the_grace_short() {
    if std::env::var_os(PART).is_some() {
        return program(true);
    }
    let mut child = Program::start("ctrl_c::a_second_signal_cuts_the_grace_short", "running");
    child.hears("ready");
    child.interrupt();
    // The run has an hour from here on.
    child.hears("draining");
    child.interrupt();
    child.hears("the run is cancelled");
    child.ends_well();
}
