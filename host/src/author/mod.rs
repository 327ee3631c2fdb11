//! What authors of plugins need beside a host: descriptions, WIT, templates, and the way from a toolchain's result to a
//! plugin.

mod put;
mod section;
pub(crate) mod wit;

pub(crate) use put::put;
pub(crate) use section::describe;
