//! Listings of folders: however many entries a folder has, what the host holds of it counts as the run's memory.
#![cfg(unix)]

use std::fs::File;

use clockbox_core::model::{Limits, LogStream, Outcome, PluginSpec, Report, Rights};

use crate::support::{run, sandbox, spec};

const GUEST: &[u8] = include_bytes!("../../../../tests/guests/hostile/listing.wat");

/// Lets the guest open a thousand listings of a folder with so many entries.
async fn list(entries: usize, memory: u64) -> (Report, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..entries {
        File::create(folder.path().join(format!("{n:05}"))).unwrap();
    }
    let rights =
        Rights { read: [("/data".to_owned(), folder.path().to_owned())].into(), ..Rights::default() };
    // Listings are handles, and the folder and the streams are some, too.
    let limits = Limits { memory, handles: 2_000, ..Limits::default() };
    let plugin = sandbox().load(GUEST, &PluginSpec { rights, limits, ..spec("listing") }).unwrap();
    let (report, sink) = run(&plugin, "null").await;
    (report, sink.texts(LogStream::Host))
}

#[tokio::test]
async fn listings_beyond_the_memory_limit_are_refused_and_the_reason_names_it() {
    let (report, remarks) = list(1_000, 4 << 20).await;
    let reason = report.reason.unwrap();
    assert_eq!(report.outcome, Outcome::OutOfMemory, "{reason}");
    assert!(reason.contains("limits.memory") && reason.ends_with("exit code 1"), "{reason}");
    assert!(remarks[0].contains("listing of a folder refused"), "{remarks:?}");
    let peak = report.peak_memory.unwrap();
    assert!((3 << 20..=4 << 20).contains(&peak), "{peak}");
}

#[tokio::test]
async fn listings_that_fit_are_given_and_counted() {
    let (report, remarks) = list(10, 4 << 20).await;
    assert_eq!((report.outcome, remarks.len()), (Outcome::Succeeded, 0), "{report:?} {remarks:?}");
    // A thousand listings of ten entries beside the guest's own page of memory.
    assert!(report.peak_memory.unwrap() > 600_000 + 65_536, "{report:?}");
}
