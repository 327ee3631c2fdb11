//! imports
use crate::guest::Guest;
use wasmtime::{Engine, component::Linker};
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    Ok(Linker::new(engine))
}
