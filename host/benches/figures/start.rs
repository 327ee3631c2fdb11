//! The host starts: the real program, with many plugins, without and with what it compiled before; and compilation.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    bare, guests,
    options::Options,
    report::{Figure, Limit, Report},
    support::{self, Sample},
};

const MANIFEST: &str = r#"
[scheduler]
timezone = "UTC"
plugin_dir = "jobs"

[store]
url = "sqlite:clockbox.db"

[jobs.first]
plugin = "plugin-000"
trigger = { date = "2020-01-01T00:00:00Z" }
misfire_grace = "forever"
args = { name = "bench" }
"#;

pub(crate) fn run(report: &mut Report, options: &Options) {
    start(report, options);
    compile(report, options);
}

/// How long a start took, in milliseconds.
struct Start {
    /// From the start of the process until it says that it is ready.
    ready: f64,
    /// And until the end of its first run is on record.
    first: f64,
}

fn start(report: &mut Report, options: &Options) {
    let (plugins, rounds) = if options.quick { (10, 3) } else { (50, 9) };
    let folder = support::folder();
    let home = folder.path().join("home");
    fs::create_dir_all(home.join("jobs")).expect("a folder");
    fs::write(home.join("clockbox.toml"), MANIFEST).expect("a manifest");
    let files: Vec<Vec<u8>> = (0..plugins).map(guests::distinct).collect();
    for (n, bytes) in files.iter().enumerate() {
        fs::write(home.join(format!("jobs/plugin-{n:03}.wasm")), bytes).expect("a plugin");
    }
    let (cache, bare_cache) = (folder.path().join("cache"), folder.path().join("bare-cache"));

    let cold = host(&home, &cache);
    let bare_cold = load_bare(&files, &bare_cache);
    // In turns; the middle one of each counts.
    let (mut starts, mut bare_warm) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        starts.push(host(&home, &cache));
        bare_warm.push(load_bare(&files, &bare_cache));
    }
    let ready: Sample = starts.iter().map(|start| start.ready).collect();
    let first: Sample = starts.iter().map(|start| start.first).collect();
    let bare_warm: Sample = bare_warm.into_iter().collect();
    let kib = files[0].len() / 1024;
    report.note(format!(
        "{plugins} plugins of {kib} KiB, SQLite; from the start of the process; {rounds} warm starts"
    ));
    for (what, ours) in [("ready", &ready), ("the end of a first run", &first)] {
        report.figure(Figure {
            name: format!("start to {what}, {plugins} cached plugins"),
            ours: format!("{:.0} ms", ours.p50()),
            beside: "limit 500 ms".to_owned(),
            ratio: Some(ours.p50() / 500.0),
            limit: Limit::AtMost(1.0),
        });
    }
    report.figure(Figure {
        name: format!("start to ready, {plugins} cached plugins, against loading alone"),
        ours: format!("{:.0} ms", ready.p50()),
        beside: format!("bare wasmtime loads them from its cache in {:.0} ms", bare_warm.p50()),
        ratio: Some(ready.p50() / bare_warm.p50()),
        limit: Limit::None,
    });
    report.figure(Figure {
        name: format!("start to ready, {plugins} plugins, no cache"),
        ours: format!("{:.0} ms", cold.ready),
        beside: format!("bare wasmtime compiles them in {bare_cold:.0} ms"),
        ratio: Some(cold.ready / bare_cold),
        limit: Limit::None,
    });
    report.note(format!(
        "no cache: the end of the first run after {:.0} ms; the cache makes a start {:.1} times faster",
        cold.first,
        cold.ready / ready.p50()
    ));
}

/// Starts the program on a folder, until its first run has ended.
fn host(home: &Path, cache: &Path) -> Start {
    for entry in fs::read_dir(home).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("clockbox.db")) {
            fs::remove_file(path).expect("a file that can be removed");
        }
    }
    let begin = support::clock();
    let mut host = Command::new(env!("CARGO_BIN_EXE_clockbox"))
        .arg("run")
        .arg(home)
        .arg("--cache-dir")
        .arg(cache)
        .env_remove("CLOCKBOX_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let talk = BufReader::new(host.stderr.take().expect("its talk"));
    let (mut ready, mut first, mut said) = (None, None, Vec::new());
    for line in talk.lines() {
        let (line, at) = (line.expect("text"), support::millis(begin.elapsed()));
        if line.contains("; ready in ") {
            ready = Some(at);
        }
        if line.contains("first") && line.contains("succeeded") {
            first = Some(at);
        }
        said.push(line);
        if first.is_some() && ready.is_some() {
            break;
        }
    }
    // The folder is the bench's own, and its database is made anew.
    host.kill().expect("a process that can be ended");
    host.wait().expect("a process that ends");
    match (ready, first) {
        (Some(ready), Some(first)) => Start { ready, first },
        _ => panic!("the host did not start:\n{}", said.join("\n")),
    }
}

/// Loads the same files with wasmtime alone, in milliseconds.
fn load_bare(files: &[Vec<u8>], cache: &Path) -> f64 {
    let (_, took) = support::timed(|| {
        let engine = bare::engine(1_000, Some(cache));
        files.iter().map(|bytes| bare::compile(&engine, bytes)).collect::<Vec<_>>()
    });
    support::millis(took)
}

/// Compile time by size, without a cache.
fn compile(report: &mut Report, options: &Options) {
    let rounds = if options.quick { 1 } else { 5 };
    let bytes: usize = guests::PREBUILT.iter().map(|bytes| bytes.len()).sum();
    let mib = bytes as f64 / 1048576.0;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let sandbox = support::sandbox(100);
        let load = |(n, bytes): (usize, &&[u8])| sandbox.load(bytes, &spec(n)).expect("a plugin");
        let (_, took) = support::timed(|| guests::PREBUILT.iter().enumerate().map(load).collect::<Vec<_>>());
        ours.push(took);
        let engine = bare::engine(100, None);
        let (_, took) = support::timed(|| {
            guests::PREBUILT.iter().map(|bytes| bare::compile(&engine, bytes)).collect::<Vec<_>>()
        });
        floor.push(took);
    }
    let middle =
        |times: Vec<Duration>| times.into_iter().map(support::millis).collect::<Sample>().p50() / mib;
    let (ours, floor) = (middle(ours), middle(floor));
    report.figure(Figure {
        name: format!("compile time for a MiB of WebAssembly ({mib:.2} MiB of Rust components)"),
        ours: format!("{ours:.0} ms"),
        beside: format!("bare wasmtime {floor:.0} ms"),
        ratio: Some(ours / floor),
        limit: Limit::None,
    });
}

/// The rights that the plugin of this number asks for.
fn spec(n: usize) -> clockbox::PluginSpec {
    let mut spec = support::spec(&format!("prebuilt-{n}"));
    spec.rights.http.push(clockbox::HttpGrant::to("https://example.com".parse().expect("an origin")));
    spec
}
