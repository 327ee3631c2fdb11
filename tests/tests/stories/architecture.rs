//! The house as the design lays it out: who may know whom.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clockbox_tests::repository;

/// The names of the crates that a crate depends on, for its tests included.
fn dependencies(folder: &str) -> BTreeSet<String> {
    dependencies_in(folder, &["dependencies", "dev-dependencies", "build-dependencies"])
}

/// The names of the crates in these sections of a crate's manifest.
fn dependencies_in(folder: &str, sections: &[&str]) -> BTreeSet<String> {
    let manifest = fs::read_to_string(repository().join(folder).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let mut tables = vec![&manifest];
    tables.extend(
        manifest
            .get("target")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flat_map(|targets| targets.values().filter_map(toml::Value::as_table)),
    );
    let sections =
        tables.iter().flat_map(|table| sections.iter().filter_map(|name| table.get(*name)?.as_table()));
    sections.flat_map(|section| section.keys().cloned()).collect()
}

/// Each Rust source below a folder: its path below the repository, and its lines without comments.
fn sources(folder: &str) -> Vec<(String, Vec<String>)> {
    let mut paths = vec![repository().join(folder)];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    assert!(!files.is_empty(), "{folder} has no sources");
    files.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let code =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect();
        (path.strip_prefix(repository()).unwrap().display().to_string(), code)
    };
    files.iter().map(read).collect()
}

/// The lines below a folder that name one of these, except in files below `allowed`.
fn naming(folder: &str, names: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (file, lines) in sources(folder) {
        if allowed.iter().any(|place| Path::new(&file).starts_with(place)) {
            continue;
        }
        let bad = lines.iter().filter(|line| names.iter().any(|name| line.contains(name)));
        found.extend(bad.map(|line| format!("{file}: {}", line.trim())));
    }
    found
}

#[test]
fn the_core_knows_nobody_and_does_no_io() {
    // Its simulation runs on the real stores; nothing else of it knows them.
    let tests = dependencies_in("host/core", &["dev-dependencies"]);
    let ours: Vec<_> = tests.iter().filter(|name| name.starts_with("clockbox")).collect();
    assert_eq!(ours, ["clockbox-store"]);
    let known = dependencies_in("host/core", &["dependencies", "build-dependencies"]);
    for name in ["tokio", "wasmtime", "rusqlite", "clap", "notify", "hyper", "tracing", "tempfile"] {
        assert!(!known.contains(name), "clockbox-core depends on {name}");
    }
    assert!(known.iter().all(|name| !name.starts_with("clockbox")), "{known:?}");
    let io =
        ["std::fs", "std::net::Tcp", "std::net::Udp", "std::process", "std::io", "std::thread", "std::env"];
    assert_eq!(naming("host/core/src", &io, &[]), [""; 0]);
}

#[test]
fn store_and_sandbox_know_the_core_alone() {
    for folder in ["host/store", "host/sandbox"] {
        let known: Vec<_> =
            dependencies(folder).into_iter().filter(|name| name.starts_with("clockbox")).collect();
        assert_eq!(known, ["clockbox-core"], "{folder}");
    }
}

#[test]
fn wasmtime_rusqlite_and_clap_each_live_in_one_place() {
    let homes = [("wasmtime", "host/sandbox"), ("rusqlite", "host/store"), ("clap", "host")];
    for folder in ["host", "host/core", "host/store", "host/sandbox", "sdk/rust", "tests"] {
        // The host's benches measure against bare wasmtime and bare SQLite; nothing else of its sources names them.
        let known = match folder {
            "host" => dependencies_in(folder, &["dependencies", "build-dependencies"]),
            _ => dependencies(folder),
        };
        for name in known {
            for (lodger, home) in homes {
                let is_it = name == lodger || name.starts_with(&format!("{lodger}-"));
                assert!(!is_it || folder == home, "{folder} depends on {name}, which lives in {home}");
            }
        }
    }
    for folder in ["host/src", "host/tests", "examples"] {
        let paths = ["wasmtime::", "wasmtime_wasi", "rusqlite::"];
        assert_eq!(naming(folder, &paths, &[]), [""; 0]);
    }
    assert_eq!(naming("host/src", &["clap"], &["host/src/cli"]), [""; 0]);
}

#[test]
fn the_manifest_knows_none_of_its_users() {
    let users = [
        "crate::scheduler",
        "crate::pool",
        "crate::reload",
        "crate::cli",
        "clockbox_store",
        "clockbox_sandbox",
    ];
    assert_eq!(naming("host/src/manifest", &users, &[]), [""; 0]);
}

#[test]
fn nothing_but_the_program_itself_knows_the_command_line() {
    assert_eq!(
        naming("host/src", &["crate::cli", "clockbox::cli"], &["host/src/cli", "host/src/main.rs"]),
        [""; 0]
    );
}

#[test]
fn the_pool_knows_neither_manifest_nor_reload() {
    assert_eq!(naming("host/src/pool", &["crate::manifest", "crate::reload"], &[]), [""; 0]);
    assert_eq!(naming("host/src/scheduler", &["crate::manifest", "crate::reload"], &[]), [""; 0]);
}

#[test]
fn the_control_api_speaks_to_the_scheduler_alone() {
    assert_eq!(naming("host/src/control", &["crate::pool", "crate::reload", "crate::cli"], &[]), [""; 0]);
    assert_eq!(naming("host/src", &["axum::", "utoipa"], &["host/src/control"]), [""; 0]);
}

#[test]
fn one_file_asks_the_time() {
    let clocks = ["Utc::now(", "Local::now(", "Instant::now(", "SystemTime::now("];
    let mut found = Vec::new();
    for folder in ["host/src", "host/core/src", "host/store/src", "host/sandbox/src"] {
        found.extend(naming(folder, &clocks, &["host/src/clock.rs"]));
    }
    assert_eq!(found, [""; 0]);
    assert_eq!(naming("host/src/clock.rs", &clocks, &[]).len(), 3);
}
