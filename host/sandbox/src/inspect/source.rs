//! From the bytes of a file to a WebAssembly binary.

use std::borrow::Cow;

use wasmtime::Engine;

use crate::PluginError;

/// The WebAssembly binary in `bytes`: as it is, or assembled from `.wat` text.
pub(crate) fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, PluginError> {
    const MAGIC: &[u8] = b"\0asm";
    if bytes.is_empty() {
        return Err(PluginError::Empty);
    }
    if bytes.starts_with(MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
        return Err(PluginError::Truncated { size: bytes.len() as u64 });
    }
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(PluginError::NativeCode);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if looks_like_wat(text) => wat::parse_str(text)
            .map(Cow::Owned)
            .map_err(|e| PluginError::Text(e.to_string().trim().to_owned())),
        _ => Err(PluginError::NotWasm { start: start(bytes) }),
    }
}

/// Whether the text opens a form of the WebAssembly text format, after blanks and comments.
fn looks_like_wat(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix(";;") {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        } else if let Some(comment) = rest.strip_prefix("(;") {
            rest = comment.split_once(";)").map_or("", |(_, rest)| rest).trim_start();
        } else {
            return rest.strip_prefix('(').is_some_and(|form| {
                let form = form.trim_start();
                form.starts_with("module") || form.starts_with("component")
            });
        }
    }
}

fn start(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(16)];
    let known = [
        (&b"\x7fELF"[..], "an ELF program"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "gzip data"),
        (b"MZ", "a Windows program"),
        (b"#!", "a script"),
        (b"BC\xc0\xde", "LLVM bitcode"),
    ];
    match known.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, what)) => format!("\"{}\" ({what})", head.escape_ascii()),
        None => format!("\"{}\"", head.escape_ascii()),
    }
}
