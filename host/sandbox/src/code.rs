//! Native code that can be trusted.

use wasmtime::{Engine, Module, component::Component};

/// Code that this program compiled: in this process, in a process that it started for it, or earlier, and then its key
/// vouches for it. There is no other way to one.
pub(crate) struct Code {
    bytes: Vec<u8>,
    /// Where the code begins in them.
    start: usize,
}

impl Code {
    /// Code that was compiled just now.
    pub(crate) fn compiled(bytes: Vec<u8>) -> Self {
        Self { bytes, start: 0 }
    }

    /// Code from the cache: from `start` on in the very bytes that were verified.
    pub(crate) fn vouched_for(bytes: Vec<u8>, start: usize) -> Self {
        Self { bytes, start }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The component that it is.
    #[expect(
        unsafe_code,
        reason = "these bytes came from the compiler, or a MAC over all of them was verified"
    )]
    pub(crate) fn component(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: see the type: nothing but the output of `Engine::precompile_component` gets here.
        unsafe { Component::deserialize(engine, self.bytes()) }
    }

    /// The module that it is.
    #[expect(
        unsafe_code,
        reason = "these bytes came from the compiler, or a MAC over all of them was verified"
    )]
    pub(crate) fn module(&self, engine: &Engine) -> wasmtime::Result<Module> {
        // SAFETY: see the type: nothing but the output of `Engine::precompile_module` gets here.
        unsafe { Module::deserialize(engine, self.bytes()) }
    }
}
