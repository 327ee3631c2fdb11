//! 1,000 jobs, each once a second, with durable records: how late they start, against a timer alone.

mod floor;
mod load;

use load::{Load, Spread, Tally, load};

use crate::{
    options::Options,
    report::{Figure, Limit, Report},
    support::Sample,
};

/// Jobs that are due each second.
const JOBS: usize = 1_000;
const SPINNERS: usize = 16;

pub(crate) fn run(report: &mut Report, options: &Options) {
    let (seconds, half, others) = if options.quick { (10, 3, 5) } else { (60, 15, 20) };
    let mut tally = Tally::default();

    // In turns: half of the floor before and half of it after.
    let mut floor = floor::timer(half);
    let spread = load(seconds, Spread::Even, 0, &mut tally);
    floor.merge(floor::timer(half));
    let wake_up = floor.cpu_micros;
    let floor: Sample = floor.late.into_iter().collect();
    say(report, "spread over the second", &spread);
    report.note(format!(
        "bare sleep_until loop, the same deadlines: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        floor.p50(),
        floor.p99(),
        floor.max()
    ));
    report.figure(Figure {
        name: "lateness p99, 1,000 jobs/s spread: released to start".to_owned(),
        ours: format!("{:.2} ms", spread.released.p99()),
        beside: format!("bare timer loop p99 {:.2} ms", floor.p99()),
        ratio: Some(spread.released.p99() / floor.p99()),
        limit: Limit::AtMost(3.0),
    });
    against_limit(report, "lateness p99, 1,000 jobs/s spread: released to start", &spread.released, 5.0);
    report.figure(Figure {
        name: "lateness p99, 1,000 jobs/s spread: guest code runs".to_owned(),
        ours: format!("{:.2} ms", spread.guest.p99()),
        beside: format!("bare timer loop p99 {:.2} ms", floor.p99()),
        ratio: Some(spread.guest.p99() / floor.p99()),
        limit: Limit::None,
    });

    let beside = load(others, Spread::Even, SPINNERS, &mut tally);
    say(report, "the same beside 16 spinning guests", &beside);
    against_limit(report, "lateness p99 beside 16 spinning guests: guest code runs", &beside.guest, 50.0);
    against_limit(
        report,
        "lateness p99 beside 16 spinning guests: released to start",
        &beside.released,
        50.0,
    );

    let mut bare = floor::herd(others / 2);
    let herd_of_ours = load(others, Spread::Herd, 0, &mut tally);
    bare.merge(floor::herd(others / 2));
    say(report, "a herd: all 1,000 due at one instant, each second", &herd_of_ours);
    let floor: Sample = bare.late.into_iter().collect();
    report.note(format!(
        "bare herd: end of a run p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms after it was due; {:.0} µs CPU a run",
        floor.p50(),
        floor.p99(),
        floor.max(),
        bare.cpu_micros
    ));
    for (what, ours) in [("guest code runs", &herd_of_ours.guest), ("end is durable", &herd_of_ours.ended)] {
        report.figure(Figure {
            name: format!("herd of 1,000 at one instant, p99: {what}"),
            ours: format!("{:.1} ms", ours.p99()),
            beside: format!("1,000 bare runs spawned at one instant {:.1} ms", floor.p99()),
            ratio: Some(ours.p99() / floor.p99()),
            limit: Limit::None,
        });
    }
    for (what, ours) in [("spread", &spread), ("herd", &herd_of_ours)] {
        report.figure(Figure {
            name: format!("CPU a run, SQLite, 1,000 jobs/s ({what})"),
            ours: format!("{:.0} µs, {:.0} % of a core", ours.cpu_micros, ours.cpu_share * 100.0),
            beside: format!("bare {wake_up:.0} µs a timer, {:.0} µs a run in the herd", bare.cpu_micros),
            ratio: Some(ours.cpu_micros / (wake_up + bare.cpu_micros)),
            limit: Limit::None,
        });
    }
    report.note(tally.to_string());
    if tally.lost != 0 || tally.events_lost != 0 || tally.unexpected != 0 {
        report.broken(tally.to_string());
    }
}

fn say(report: &mut Report, what: &str, load: &Load) {
    let line = |sample: &Sample| {
        format!("p50 {:.2}, p99 {:.2}, max {:.2} ms", sample.p50(), sample.p99(), sample.max())
    };
    report.note(format!("{what}: {} runs, {} s", load.released.len(), load.seconds));
    report.note(format!("  released to start (record durable): {}", line(&load.released)));
    report.note(format!("  guest code runs ({} runs): {}", load.guest.len(), line(&load.guest)));
    report.note(format!("  end is durable: {}", line(&load.ended)));
    if load.coalesced + load.other > 0 {
        report.note(format!(
            "  the machine did not keep up: {} fires coalesced, {} skipped or missed",
            load.coalesced, load.other
        ));
    }
}

/// A limit in milliseconds.
fn against_limit(report: &mut Report, name: &str, sample: &Sample, limit: f64) {
    report.figure(Figure {
        name: format!("{name} (absolute)"),
        ours: format!("{:.2} ms", sample.p99()),
        beside: format!("limit {limit} ms"),
        ratio: Some(sample.p99() / limit),
        limit: Limit::AtMost(1.0),
    });
}
