//! For scale: what a host pays that starts a process for each run, beside a run here.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use clockbox::{Event, Scheduler};

use crate::{
    bare::{self, Bare},
    guests,
    options::Options,
    report::{Figure, Limit, Report},
    support::{self, Sample},
};

pub(crate) fn run(report: &mut Report, options: &Options) {
    let (rounds, runs) = if options.quick { (2, 10) } else { (10, 20) };
    let interpreter = interpreter();
    let folder = support::folder();
    let memory = Host::start(support::memory());
    let sqlite = Host::start(support::sqlite(&folder.path().join("processes.db")));
    let bare = Bare::job(&bare::engine(100, None), guests::NOOP);
    let runtime = support::runtime();

    let (mut program, mut python, mut floor, mut ours, mut durable) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        for _ in 0..runs {
            program.push(support::timed(|| reap("/bin/true", &[])).1);
            if let Some(interpreter) = &interpreter {
                python.push(support::timed(|| reap(interpreter, &["-c", "pass"])).1);
            }
        }
        for _ in 0..runs * 10 {
            floor.push(support::timed(|| runtime.block_on(bare.run())).1);
            ours.push(support::timed(|| memory.run()).1);
        }
        for _ in 0..runs {
            durable.push(support::timed(|| sqlite.run()).1);
        }
    }
    let sample = |times: Vec<Duration>| times.into_iter().map(support::micros).collect::<Sample>();
    let (ours, durable, floor) = (sample(ours), sample(durable), sample(floor));
    let mut others = vec![("/bin/true", sample(program))];
    if interpreter.is_some() {
        others.push(("python3 -c pass", sample(python)));
    } else {
        report.note("python3 is not there: no figure of an interpreter for each run".to_owned());
    }
    for (what, process) in others {
        for (store, ours) in [("memory store", &ours), ("SQLite, durable", &durable)] {
            report.figure(Figure {
                name: format!("one run on demand, {store}, against {what}, p50"),
                ours: format!("{:.0} µs", ours.p50()),
                beside: format!("spawned and reaped in {:.0} µs", process.p50()),
                ratio: Some(ours.p50() / process.p50()),
                limit: Limit::None,
            });
        }
    }
    report.note(format!("one bare run: p50 {:.0} µs, p99 {:.0} µs", floor.p50(), floor.p99()));
}

/// The Python interpreter itself, not a script that looks for one; `None` where there is none.
fn interpreter() -> Option<String> {
    let ask = "import sys; print(sys.executable)";
    let output = Command::new("python3").args(["-c", ask]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !path.is_empty()).then_some(path)
}

fn reap(program: &str, words: &[&str]) {
    let status =
        Command::new(program).args(words).stdin(Stdio::null()).status().expect("a program to compare with");
    assert!(status.success());
}

/// A scheduler with one job that is run on demand.
struct Host(Scheduler);

impl Host {
    fn start(store: std::sync::Arc<dyn clockbox::store::JobStore>) -> Self {
        let plugin = support::load(&support::sandbox(100), "noop", guests::NOOP);
        let noop = support::spec("noop").name;
        let scheduler = Scheduler::builder().store(store).plugin(noop, plugin).start();
        let scheduler = scheduler.expect("a scheduler that starts");
        let job = support::job("probe", "noop", support::never());
        scheduler.add_job(job).wait().expect("a job that is added");
        Self(scheduler)
    }

    /// One run, from the request until its end is on record.
    fn run(&self) {
        let mut events = self.0.subscribe();
        let run = self.0.run_now("probe".parse().expect("a name"), None).wait().expect("a run");
        loop {
            let happening = events.next_blocking().expect("a scheduler that goes on").expect("no lost event");
            if matches!(happening.event, Event::RunFinished { run: ended, .. } if ended == run) {
                return;
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.0.shutdown(Duration::ZERO).wait().expect("a scheduler that stops");
    }
}
