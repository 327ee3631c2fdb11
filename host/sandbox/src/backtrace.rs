//! WebAssembly backtraces for people.

use std::{borrow::Cow, fmt::Write as _};

use wasmtime::WasmBacktrace;

use crate::log::clean_lines;

/// The frames, innermost first, with readable names and, where the plugin has debug information, files and lines.
/// `None` when no frame is known.
pub(crate) fn render(trace: &WasmBacktrace) -> Option<String> {
    let mut text = String::new();
    for (number, frame) in trace.frames().iter().enumerate() {
        let module = frame.module().name().map(|name| format!("{name}!")).unwrap_or_default();
        let mut known = false;
        // Several symbols: functions that were inlined into one another.
        for symbol in frame.symbols() {
            let Some(name) = symbol.name() else { continue };
            known = true;
            // Writing to a String cannot fail, here and below.
            let _ = write!(text, "{number:>3}: {module}{}", readable(name));
            if let (Some(file), Some(line)) = (symbol.file(), symbol.line()) {
                let _ = write!(text, " at {file}:{line}");
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
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return format!("{rust:#}").into();
    }
    match cpp_demangle::Symbol::new(name).map(|symbol| symbol.demangle()) {
        Ok(Ok(cpp)) => cpp.into(),
        _ => name.into(),
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
}
