//! Where the files that tests schedule lie.

use std::path::{Path, PathBuf};

/// The folder of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".."))
}

/// The guest of this name in `tests/guests`: WebAssembly text with one misbehaviour.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    repository().join("tests/guests").join(name).with_extension("wat")
}

/// The prebuilt plugin of this name.
#[must_use]
pub fn prebuilt(name: &str) -> PathBuf {
    repository().join("plugins/prebuilt").join(name).with_extension("wasm")
}
