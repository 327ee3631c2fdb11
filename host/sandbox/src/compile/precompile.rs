//! The compilation itself, wherever it takes place.

use wasmtime::{Engine, OutOfMemory};

use super::message::{Answer, Work};
use crate::{PluginError, inspect::assemble};

/// Compiles a binary, or assembles a text.
pub(super) fn precompile(engine: &Engine, work: Work, plugin: &[u8]) -> Answer {
    let code = match work {
        Work::Component => engine.precompile_component(plugin),
        Work::Module => engine.precompile_module(plugin),
        Work::Assemble => {
            return match str::from_utf8(plugin).map(assemble) {
                Ok(Ok(binary)) => Answer::Code(binary),
                Ok(Err(PluginError::Text(account))) => Answer::Invalid(account),
                Ok(Err(e)) => Answer::Failed(e.to_string()),
                Err(e) => Answer::Failed(format!("the text is not UTF-8: {e}")),
            };
        }
    };
    match code {
        Ok(code) => Answer::Code(code),
        Err(e) if is_out_of_memory(&e) => Answer::OutOfMemory,
        Err(e) => Answer::Invalid(format!("{e:#}")),
    }
}

fn is_out_of_memory(e: &wasmtime::Error) -> bool {
    let of_system = |e: &std::io::Error| e.kind() == std::io::ErrorKind::OutOfMemory;
    #[cfg(unix)]
    if e.downcast_ref::<rustix::io::Errno>().is_some_and(|e| *e == rustix::io::Errno::NOMEM) {
        return true;
    }
    e.is::<OutOfMemory>() || e.downcast_ref().is_some_and(of_system)
}
