//! The compilation itself, wherever it takes place.

use wasmtime::{Engine, OutOfMemory};

use super::message::Answer;

/// Compiles a binary.
pub(super) fn precompile(engine: &Engine, component: bool, binary: &[u8]) -> Answer {
    let code = match component {
        true => engine.precompile_component(binary),
        false => engine.precompile_module(binary),
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
