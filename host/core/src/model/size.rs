//! Sizes as people write them: `64MiB`, `1 MB`, `512`.

use bytesize::ByteSize;

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a size; write for instance \"64MiB\", \"1GB\" or \"4096\" (bytes)")]
pub struct SizeError(String);

/// Reads a size in bytes: `64MiB` (binary units), `1GB` (decimal units), `4096`.
///
/// # Errors
/// When the text is not a number with an optional unit.
///
/// ```
/// use clockbox_core::model::parse_size;
/// assert_eq!(parse_size("64MiB").unwrap(), 64 << 20);
/// assert!(parse_size("big").is_err());
/// ```
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    text.trim().parse::<ByteSize>().map(|size| size.as_u64()).map_err(|_| SizeError(text.to_owned()))
}

/// Writes a size in binary units: `64.0 MiB`.
///
/// ```
/// assert_eq!(clockbox_core::model::format_size(64 << 20), "64.0 MiB");
/// ```
#[must_use]
pub fn format_size(bytes: u64) -> String {
    ByteSize::b(bytes).display().iec().to_string()
}
