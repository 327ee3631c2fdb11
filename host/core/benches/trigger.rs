//! How long a trigger takes to say when it fires next, beside croner's own search over the same expression.
//!
//! `cargo bench -p clockbox-core --bench trigger`. The last lines are the ratios of one run.

use std::{hint::black_box, str::FromStr, time::Duration};

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use clockbox_core::trigger::{Trigger, TriggerSpec, jsonl};
use criterion::{BatchSize, Criterion, measurement::WallTime};
use croner::Cron;

const EXPRESSIONS: [(&str, &str); 5] = [
    ("every minute", "* * * * *"),
    ("working days", "30 5 * * mon-fri"),
    ("every 15 minutes", "*/15 9-17 * * *"),
    ("last Friday", "0 0 * * fri#L"),
    ("leap day", "0 0 29 2 *"),
];

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 34, 56).unwrap()
}

/// Mean times by name, read back from what criterion measured.
fn mean(group: &str, name: &str) -> Option<f64> {
    let base = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "../../target".to_owned());
    let folder = |text: &str| text.replace([' ', '/'], "_");
    for name in [name.to_owned(), folder(name)] {
        let path = format!("{base}/criterion/{group}/{name}/new/estimates.json");
        if let Ok(text) = std::fs::read_to_string(path) {
            return serde_json::from_str::<serde_json::Value>(&text).ok()?["mean"]["point_estimate"].as_f64();
        }
    }
    None
}

fn next_fire(criterion: &mut Criterion<WallTime>, zone: Tz, group: &str) {
    let mut bench = criterion.benchmark_group(group);
    for (name, expression) in EXPRESSIONS {
        let trigger = Trigger::new(TriggerSpec::cron(expression), zone).unwrap();
        bench.bench_function(format!("clockbox {name}"), |b| {
            b.iter(|| black_box(&trigger).next_after(None, black_box(now())));
        });
        let cron = Cron::from_str(expression).unwrap();
        let local = now().with_timezone(&zone);
        bench.bench_function(format!("croner {name}"), |b| {
            b.iter(|| black_box(&cron).find_next_occurrence(black_box(&local), false));
        });
    }
    bench.finish();
}

fn build(criterion: &mut Criterion<WallTime>) {
    let mut bench = criterion.benchmark_group("build");
    let expression = "30 5 * * mon-fri";
    bench.bench_function("clockbox", |b| {
        b.iter(|| Trigger::new(TriggerSpec::cron(black_box(expression)), Tz::UTC).unwrap());
    });
    bench.bench_function("croner", |b| b.iter(|| Cron::from_str(black_box(expression)).unwrap()));
    // What can never fire, or hardly ever, must be found out as fast as anything else.
    for (name, expression) in [
        ("never: 30 February", "0 0 30 2 *"),
        ("never: 30 February in some years", "0 0 0 30 2 * */3"),
        ("rare: leap day on a Monday in some years", "0 0 0 29 2 ?,mon */7"),
    ] {
        bench.bench_function(name, |b| {
            b.iter(|| Trigger::new(TriggerSpec::cron(black_box(expression)), Tz::UTC))
        });
    }
    let apart = r#"{"all":[{"interval":"2days"},{"cron":"0 0 0 */2 * *"}],"start":"2026-01-01 00:00:01"}"#;
    let apart: TriggerSpec = serde_json::from_str(apart).unwrap();
    bench.bench_function("never: parts that do not meet", |b| {
        b.iter_batched(|| apart.clone(), |spec| Trigger::new(spec, Tz::UTC), BatchSize::SmallInput);
    });
    bench.finish();
}

fn many(criterion: &mut Criterion<WallTime>) {
    let zones = [Tz::UTC, chrono_tz::Europe::Berlin, chrono_tz::America::New_York, chrono_tz::Asia::Shanghai];
    let jobs: Vec<Trigger> = (0..1_000_000u32)
        .map(|job| {
            let text = format!("{} {} * * {}", job % 60, job / 60 % 24, job / 1440 % 7);
            Trigger::new(TriggerSpec::cron(&text), zones[job as usize % zones.len()]).unwrap()
        })
        .collect();
    let mut bench = criterion.benchmark_group("many");
    bench.sample_size(10).measurement_time(Duration::from_secs(10));
    bench.bench_function("first fire of a million jobs", |b| {
        b.iter(|| jobs.iter().filter_map(|job| job.next_after(None, now())).max());
    });
    let lines =
        [include_str!("../tests/vectors/plain.jsonl"), include_str!("../tests/vectors/dst.jsonl")].concat();
    bench.bench_function("3749 lines of questions", |b| {
        b.iter(|| lines.lines().map(|line| jsonl::answer(line, now(), 10).len()).sum::<usize>());
    });
    bench.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    next_fire(&mut criterion, Tz::UTC, "next in UTC");
    next_fire(&mut criterion, chrono_tz::Europe::Berlin, "next in Berlin");
    build(&mut criterion);
    many(&mut criterion);
    criterion.final_summary();

    println!("\ncroner's time / clockbox's time");
    for group in ["next in UTC", "next in Berlin"] {
        for (name, _) in EXPRESSIONS {
            let of = |who: &str| mean(group, &format!("{who} {name}"));
            if let (Some(ours), Some(theirs)) = (of("clockbox"), of("croner")) {
                println!("{group:16} {name:18} {ours:8.0} ns  {theirs:10.0} ns  {:7.1} x", theirs / ours);
            }
        }
    }
    if let (Some(ours), Some(theirs)) = (mean("build", "clockbox"), mean("build", "croner")) {
        println!("{:16} {:18} {ours:8.0} ns  {theirs:10.0} ns  {:7.1} x", "build", "", theirs / ours);
    }
}
