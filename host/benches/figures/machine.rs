//! What the figures were taken on, and with which settings.

use std::{fs, path::Path};

use crate::{apscheduler, options::Options, support};

/// Some lines that belong to every table of figures.
pub(crate) fn describe(options: &Options) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cpu = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_else(|| "unknown".to_owned());
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split(' ').take(3).collect();
    format!(
        "machine: {} × {cpu}; memory {memory}; Linux {}; load {} (other work makes figures worse, ratios less so)\n\
         store: SQLite {} in WAL mode, synchronous=FULL, wal_autocheckpoint=2048 pages, cache 8 MiB; on {}\n\
         sandbox: wasmtime {}, pooling allocator, epochs, a fresh instance for each run\n\
         peer: {}\n\
         {}",
        support::threads(),
        kernel.trim(),
        load.join(" "),
        rusqlite::version(),
        filesystem(Path::new(env!("CARGO_TARGET_TMPDIR"))),
        version("wasmtime"),
        apscheduler::describe(),
        if options.quick { "quick: shorter and with fewer jobs than full figures" } else { "full figures" },
    )
}

/// The version of a crate that this program was built with.
fn version(name: &str) -> String {
    let lock: toml::Table = include_str!("../../../Cargo.lock").parse().expect("a lock file");
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let of = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    packages
        .filter(|package| of(package, "name").as_deref() == Some(name))
        .find_map(|package| of(package, "version"))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The kind of file system that a folder is on.
fn filesystem(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(place, _)| folder.starts_with(place))
        .max_by_key(|(place, _)| place.len())
        .map_or_else(|| "an unknown file system".to_owned(), |(_, kind)| kind.to_owned())
}
