//! WebAssembly backtraces for people.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use wasmtime::FrameInfo;

use crate::log::clean_lines;

/// The longest name of a function, in bytes. Real ones of C++ and Rust have a few hundred; a plugin's own may be as long as
/// its author likes, and a short mangled name can stand for terabytes.
const LONGEST_NAME: usize = 2_000;
/// The longest backtrace, in bytes.
const LONGEST_TRACE: usize = 32 << 10;

/// The frames, innermost first, with readable names and, where the plugin has debug information, files and lines.
/// `None` when no frame is known.
pub(crate) fn render(frames: &[FrameInfo]) -> Option<String> {
    let mut text = String::new();
    for (number, frame) in frames.iter().enumerate() {
        if text.len() > LONGEST_TRACE {
            text.push_str("     …\n");
            break;
        }
        let module = frame.module().name().map(|name| format!("{}!", cut(name))).unwrap_or_default();
        let mut known = false;
        // Several symbols: functions that were inlined into one another.
        for symbol in frame.symbols() {
            let Some(name) = symbol.name().filter(|_| text.len() <= LONGEST_TRACE) else { continue };
            known = true;
            // Writing to a String cannot fail, here and below.
            let _ = write!(text, "{number:>3}: {module}{}", readable(name));
            if let (Some(file), Some(line)) = (symbol.file(), symbol.line()) {
                let _ = write!(text, " at {}:{line}", cut(file));
            }
            text.push('\n');
        }
        if !known {
            let name = match frame.func_name() {
                Some(name) => readable(name),
                None => format!("<function {}>", frame.func_index()).into(),
            };
            let _ = writeln!(text, "{number:>3}: {module}{name}");
        }
    }
    (!text.is_empty()).then(|| clean_lines(&text))
}

/// The name as its author wrote it, where it is a mangled name of Rust or C++.
fn readable(name: &str) -> Cow<'_, str> {
    if name.len() > LONGEST_NAME {
        return format!("{}…", cut(name)).into();
    }
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        let mut text = Bounded::default();
        return if write!(text, "{rust:#}").is_ok() { text.0.into() } else { name.into() };
    }
    let mut text = Bounded::default();
    match cpp_demangle::Symbol::new(name) {
        Ok(symbol) if symbol.structured_demangle(&mut text, &Default::default()).is_ok() => text.0.into(),
        _ => name.into(),
    }
}

/// What of a text is short enough to be shown.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_NAME)]
}

/// Takes a demangled name, and fails when it becomes too long.
#[derive(Default)]
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST_NAME {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mangled_names_become_readable_and_others_stay() {
        assert_eq!(readable("_ZN3cmd4main17h76262e27b2a59b77E"), "cmd::main");
        assert_eq!(readable("_RNvNtCsduLgnYOpJcz_4core9panicking9panic_fmt"), "core::panicking::panic_fmt");
        assert_eq!(readable("_ZN5space3fooEibc"), "space::foo(int, bool, char)");
        assert_eq!(readable("_start"), "_start");
    }

    #[test]
    fn a_short_mangled_name_cannot_stand_for_terabytes() {
        // pair<int, int>, a pair of two of these, a pair of two of those, and so on: each twice as long as the last.
        let level = |n: u32| match n {
            0 => "S_".to_owned(),
            n => format!("S{}_", char::from_digit(n - 1, 36).unwrap().to_ascii_uppercase()),
        };
        let name = |levels| {
            let doubled: String = (1..levels).map(|n| format!("S_I{0}{0}E", level(n))).collect();
            format!("_Z1fSt4pairIiiE{doubled}")
        };
        assert!(readable(&name(2)).ends_with("std::pair<std::pair<int, int>, std::pair<int, int> >)"));
        assert_eq!(readable(&name(36)), name(36));
        let long = "n".repeat(100_000);
        assert_eq!(readable(&long).len(), LONGEST_NAME + "…".len());
    }
}
