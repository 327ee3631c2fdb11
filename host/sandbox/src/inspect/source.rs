//! From the bytes of a file to a WebAssembly binary.

use std::borrow::Cow;

use wasmtime::Engine;

use crate::PluginError;

/// The longest text that is assembled in this process, in bytes. Assembling takes up to a hundred times its size in memory, and
/// for some texts a time that grows with its square: a second is reached at some 300 KiB.
pub(crate) const LONGEST_TEXT: usize = 64 << 10;
/// The longest account of a mistake, in bytes: it quotes the line, and all of a text may be one.
const LONGEST_ACCOUNT: usize = 2_000;

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    Binary(&'a [u8]),
    Text(&'a str),
}

/// The WebAssembly binary in `bytes`: as it is, or assembled from `.wat` text that is not too long for it.
pub(crate) fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, PluginError> {
    match source(bytes)? {
        Source::Binary(binary) => Ok(Cow::Borrowed(binary)),
        Source::Text(text) if text.len() > LONGEST_TEXT => {
            Err(PluginError::LongText { size: text.len() as u64, max: LONGEST_TEXT as u64 })
        }
        Source::Text(text) => assemble(text).map(Cow::Owned),
    }
}

/// Assembles `.wat` text.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>, PluginError> {
    wat::parse_str(text).map_err(|e| {
        let mut account = e.to_string().trim().to_owned();
        if account.len() > LONGEST_ACCOUNT {
            account.truncate(account.floor_char_boundary(LONGEST_ACCOUNT));
            account.push('…');
        }
        PluginError::Text(account)
    })
}

/// Tells what a file holds.
pub(crate) fn source(bytes: &[u8]) -> Result<Source<'_>, PluginError> {
    const MAGIC: &[u8] = b"\0asm";
    if bytes.is_empty() {
        return Err(PluginError::Empty);
    }
    if bytes.starts_with(MAGIC) {
        return Ok(Source::Binary(bytes));
    }
    if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
        return Err(PluginError::Truncated { size: bytes.len() as u64 });
    }
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(PluginError::NativeCode);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if looks_like_wat(text) => Ok(Source::Text(text)),
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
