//! Many jobs that do not fire: what it costs to have them, and what a fire costs among them. Each number of jobs is
//! measured in fresh processes.

mod fires;
mod host;

use serde_json::Value;

use crate::{
    apscheduler,
    options::Options,
    report::{Figure, Limit, Report},
    support,
};

const FEW: usize = 1_000;
const MIB: f64 = 1048576.0;

/// What the processes of this section measure.
pub(crate) fn child(words: &[String]) -> Value {
    let number = || words[1].parse().expect("a number of jobs");
    match words[0].as_str() {
        "add" => host::add(number(), words[2].as_ref()),
        "restart" => host::restart(words[1].as_ref()),
        "core" => host::core(number(), &words[2]),
        "fires" => fires::among(number()),
        other => panic!("no such measurement: {other}"),
    }
}

fn ask(words: &[&str]) -> impl Fn(&str) -> f64 + use<> {
    let answer = support::child("idle", words);
    move |key| answer[key].as_f64().unwrap_or_else(|| panic!("{key} in {answer}"))
}

pub(crate) fn run(report: &mut Report, options: &Options) {
    let sizes: &[usize] =
        if options.quick { &[1_000, 10_000, 100_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    for &jobs in sizes {
        keep(report, options, jobs, jobs == sizes[sizes.len() - 1]);
    }
    fire(report, &sizes[1..]);
}

/// Adding jobs, starting again with them, and their memory.
fn keep(report: &mut Report, options: &Options, jobs: usize, is_most: bool) {
    let folder = support::folder();
    let (empty, full) = (folder.path().join("empty.db"), folder.path().join("full.db"));
    let (empty, full) = (empty.to_string_lossy().into_owned(), full.to_string_lossy().into_owned());
    let count = jobs.to_string();
    support::child("idle", &["add", "0", &empty]);
    let added = ask(&["add", &count, &full]);
    let (without, with) = (ask(&["restart", &empty]), ask(&["restart", &full]));
    let core = |kind| ask(&["core", &count, kind])("resident") / jobs as f64;
    let bytes_core = core("unlike");
    assert_eq!(with("jobs"), jobs as f64, "a start that forgets jobs");

    let bytes = (with("resident") - without("resident")) / jobs as f64;
    let bytes_added = added("resident") / jobs as f64;
    let shown = shown(jobs);
    report.note(format!(
        "{shown} jobs: added at {:.0} jobs/s, started again in {:.2} s (peak {:.0} MiB); a job has {bytes:.0} B after \
         the restart, {bytes_added:.0} B after being added, {bytes_core:.0} B in the core alone",
        jobs as f64 / added("seconds"),
        with("seconds"),
        with("peak") / MIB,
    ));
    report.plot_point("memory: host, started again", jobs as f64, with("resident") / MIB);
    report.plot_point("memory: what its jobs take", jobs as f64, bytes * jobs as f64 / MIB);
    report.plot_point("memory: the timetable alone", jobs as f64, bytes_core * jobs as f64 / MIB);
    if !is_most {
        return;
    }
    let peer = apscheduler::peer(options);
    let rate = jobs as f64 / added("seconds");
    report.figure(Figure {
        name: format!("adding {shown} jobs to SQLite, 1,000 a transaction"),
        ours: format!("{rate:.0} jobs/s"),
        beside: format!("{} with SQLite {:.0} jobs/s", peer.name, peer.adding),
        ratio: Some(rate / peer.adding),
        limit: Limit::AtLeast(50.0),
    });
    report.figure(Figure {
        name: "adding jobs to SQLite one by one, each durable".to_owned(),
        ours: format!("{:.0} jobs/s", added("one_by_one")),
        beside: format!("{} with SQLite {:.0} jobs/s", peer.name, peer.adding),
        ratio: Some(added("one_by_one") / peer.adding),
        limit: Limit::None,
    });
    let most = |name: String, value: f64, unit: &str, limit: f64| Figure {
        name,
        ours: if value < 100.0 { format!("{value:.2} {unit}") } else { format!("{value:.0} {unit}") },
        beside: format!("limit {limit} {unit}"),
        ratio: Some(value / limit),
        limit: Limit::AtMost(1.0),
    };
    report.figure(most(format!("start again with {shown} jobs in SQLite"), with("seconds"), "s", 10.0));
    for (what, bytes) in [
        ("with a date of its own", core("dated")),
        ("with one of 50 cron triggers", core("nightly")),
        ("with a cron or interval trigger of its own", bytes_core),
    ] {
        report.figure(most(format!("a job of {shown} in the core, {what}"), bytes, "B", 500.0));
    }
    report.figure(most(format!("a job of {shown} in a host started again"), bytes, "B", 1500.0));
    report.figure(most(format!("a job of {shown} in the host it was added to"), bytes_added, "B", 1500.0));
}

/// A fire among many jobs against one among few.
fn fire(report: &mut Report, sizes: &[usize]) {
    let kinds = [
        ("on_demand", "on demand, p50"),
        ("at_once", "1,000 due at once, CPU"),
        ("steady", "500 a second, CPU"),
    ];
    let mut all_few: [Vec<f64>; 3] = Default::default();
    for &jobs in sizes {
        let found = support::child("idle", &["fires", &jobs.to_string()]);
        for ((key, what), all_few) in kinds.iter().zip(&mut all_few) {
            let [few, many] = [0, 1].map(|n| found[key][n].as_f64().expect("a time"));
            all_few.push(few);
            report.plot_point(&format!("fire: {what}"), jobs as f64, many);
            report.figure(Figure {
                name: format!("a fire among {} jobs, memory store: {what}", shown(jobs)),
                ours: format!("{many:.1} µs"),
                beside: format!("among 1 k {few:.1} µs"),
                ratio: Some(many / few),
                limit: Limit::AtMost(3.0),
            });
        }
    }
    for ((_, what), few) in kinds.iter().zip(all_few) {
        let few = few.into_iter().collect::<support::Sample>().p50();
        report.plot_point(&format!("fire: {what}"), FEW as f64, few);
    }
}

fn shown(jobs: usize) -> String {
    match jobs {
        1_000_000.. => format!("{} M", jobs / 1_000_000),
        1_000.. => format!("{} k", jobs / 1_000),
        few => few.to_string(),
    }
}
