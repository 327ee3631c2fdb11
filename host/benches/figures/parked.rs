//! The memory of instances that wait in a call of the host, each number in fresh processes.

use std::{thread, time::Duration};

use clockbox::{Event, Scheduler};
use serde_json::{Value, json};

use crate::{
    bare::{self, Bare},
    guests,
    options::Options,
    report::{Figure, Limit, Report},
    support,
};

const MIB: f64 = 1048576.0;
/// Instances that the pools of both sides have room for.
const ROOM: u32 = 2_000;
/// What a thousand instances take to come to rest in their call, many times over.
const SETTLE: Duration = Duration::from_secs(1);

pub(crate) fn child(words: &[String]) -> Value {
    let count: usize = words[1].parse().expect("a number of instances");
    match words[0].as_str() {
        "ours" => ours(count),
        "bare" => floor(count),
        other => panic!("no such measurement: {other}"),
    }
}

pub(crate) fn run(report: &mut Report, options: &Options) {
    let rounds = if options.quick { 1 } else { 3 };
    let ask = |side: &str, count: usize| {
        let answer = support::child("parked", &[side, &count.to_string()]);
        answer["resident"].as_f64().expect("bytes")
    };
    let mut alone = None;
    for count in [1, 10, 100, 1_000] {
        // In turns; the middle one of each counts.
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            floor.push(ask("bare", count));
            ours.push(ask("ours", count));
        }
        let middle = |values: Vec<f64>| values.into_iter().collect::<support::Sample>().p50();
        let (ours, floor) = (middle(ours), middle(floor));
        report.plot_point("instances: clockbox", count as f64, ours / MIB);
        report.plot_point("instances: bare wasmtime", count as f64, floor / MIB);
        report.figure(Figure {
            name: format!("resident memory with {count} parked instances"),
            ours: format!("{:.1} MiB", ours / MIB),
            beside: format!("bare wasmtime {:.1} MiB", floor / MIB),
            ratio: Some(ours / floor),
            limit: if count == 1_000 { Limit::AtMost(1.3) } else { Limit::None },
        });
        let (ours_alone, floor_alone) = *alone.get_or_insert((ours, floor));
        if count == 1_000 {
            let each = |all: f64, one: f64| (all - one) / (count - 1) as f64 / 1024.0;
            let (ours, floor) = (each(ours, ours_alone), each(floor, floor_alone));
            report.figure(Figure {
                name: "resident memory of one more parked instance".to_owned(),
                ours: format!("{ours:.1} KiB"),
                beside: format!("bare wasmtime {floor:.1} KiB"),
                ratio: Some(ours / floor),
                limit: Limit::None,
            });
        }
    }
}

/// So many runs of as many jobs, through a scheduler with the memory store.
fn ours(count: usize) -> Value {
    let plugin = support::load(&support::sandbox(ROOM), "sleep", guests::SLEEP);
    let sleep = support::spec("sleep").name;
    let scheduler = Scheduler::builder()
        .store(support::memory())
        .plugin(sleep, plugin)
        .pool(support::pool(1_000))
        .start()
        .expect("a scheduler that starts");
    let mut events = scheduler.subscribe();
    let now = r#"{ "date": "2020-01-01T00:00:00Z" }"#;
    let jobs = (0..count).map(|n| {
        let mut job = support::job(&format!("sleeper-{n}"), "sleep", support::trigger(now));
        job.policy.misfire_grace = clockbox::Grace::Forever;
        job
    });
    scheduler.add_jobs(jobs, Default::default()).wait().expect("jobs that are added");
    let mut started = 0;
    while started < count {
        let happening = events.next_blocking().expect("a scheduler that goes on").expect("no lost events");
        match happening.event {
            Event::RunStarted { .. } => started += 1,
            Event::RunFinished { .. } => panic!("a sleeper that ended: {happening:?}"),
            _ => {}
        }
    }
    thread::sleep(SETTLE);
    let resident = support::resident();
    scheduler.shutdown(Duration::ZERO).wait().expect("a scheduler that stops");
    json!({ "resident": resident })
}

/// The same with wasmtime alone.
fn floor(count: usize) -> Value {
    let bare = Bare::module(&bare::engine(ROOM, None), guests::SLEEP);
    let runtime = support::runtime();
    for _ in 0..count {
        let bare = bare.clone();
        runtime.spawn(async move { bare.run().await });
    }
    thread::sleep(SETTLE);
    let resident = support::resident();
    runtime.shutdown_background();
    json!({ "resident": resident })
}
