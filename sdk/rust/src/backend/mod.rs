//! The other side of the imports: the host in a sandbox, `testing` elsewhere.

#[cfg(target_family = "wasm")]
#[expect(missing_docs, reason = "generated from wit/job.wit")]
pub mod bindings;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
mod native_imports;
#[cfg(target_family = "wasm")]
mod wasm;
#[cfg(all(target_family = "wasm", feature = "http"))]
mod wasm_http;
#[cfg(target_family = "wasm")]
mod wasm_imports;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::*;
#[cfg(not(target_family = "wasm"))]
pub(crate) use native_imports::*;
#[cfg(target_family = "wasm")]
pub(crate) use wasm::*;
#[cfg(all(target_family = "wasm", feature = "http"))]
pub(crate) use wasm_http::send;
#[cfg(target_family = "wasm")]
pub(crate) use wasm_imports::*;
