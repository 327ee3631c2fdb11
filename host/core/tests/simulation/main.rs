//! A whole host in miniature: the real timetable, pipeline and stores, under random orders of events: fires, ends,
//! commits that come late or fail, refusals, crashes between any two doings, clock jumps, reloads, pauses,
//! modifications, cancellations, drains. Whatever happens, the promises hold.
//!
//! A failing seed is told with the command that replays it, and with the shortest list of steps found that still fails.
//! `SIMULATION_SEED=n` runs one seed, `SIMULATION_SEEDS=n` so many of them.

mod audit;
mod disk;
mod effects;
mod ledger;
mod listener;
mod owners;
mod plan;
mod quiet;
mod shrink;
mod trace;
mod world;

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use clockbox_core::model::Run;
use plan::Plan;
use world::World;

const SEEDS: u64 = 10_000;

/// How a simulated life went wrong.
#[derive(Debug, Clone)]
struct Failure {
    message: String,
    /// The step at which it did; the number of steps, where that was at the end.
    step: usize,
    trace: Vec<String>,
}

/// Lives through a plan.
fn run(plan: &Plan, traced: bool) -> Result<Vec<Run>, Failure> {
    let mut world = World::new(plan, traced);
    let mut step = 0;
    let lived = quiet::catch(|| {
        for next in &plan.steps {
            world.step(*next);
            step += 1;
        }
        world.settle();
        world.disk.runs()
    });
    lived.map_err(|message| Failure { message, step, trace: world.trace.take().unwrap_or_default() })
}

#[test]
fn the_promises_hold_under_every_order_of_events() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, end) = match number("SIMULATION_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, number("SIMULATION_SEEDS").unwrap_or(SEEDS)),
    };
    let next = AtomicU64::new(first);
    let failed: Mutex<Option<Plan>> = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let plan = Plan::of(seed);
                    if run(&plan, false).is_err() {
                        let mut failed = failed.lock().unwrap();
                        // The lowest seed is told, whichever thread was first.
                        if failed.as_ref().is_none_or(|other| other.seed > seed) {
                            *failed = Some(plan);
                        }
                        next.store(end, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    if let Some(plan) = failed.into_inner().unwrap() {
        panic!("{}", shrink::report(&plan));
    }
}

#[test]
fn a_seed_replays_to_the_same_history() {
    let history = |seed| run(&Plan::of(seed), false).unwrap();
    assert_eq!(history(8), history(8));
    assert_ne!(history(8), history(16));
}

#[test]
fn a_failure_is_cut_down_to_the_steps_that_matter() {
    // A crash is the failure: one step is enough for it.
    let fails = |plan: &Plan| {
        let step = plan.steps.iter().position(|step| step.what == plan::What::Crash)?;
        Some(Failure { message: "a crash".to_owned(), step, trace: Vec::new() })
    };
    let plan = (0..).map(Plan::of).find(|plan| fails(plan).is_some()).unwrap();
    let short = shrink::shrink(&plan, fails);
    assert_eq!(short.steps.iter().map(|step| step.what).collect::<Vec<_>>(), [plan::What::Crash]);
}
