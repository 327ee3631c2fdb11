//! What authors of plugins need beside a host: templates, the way from a toolchain's result to a plugin, descriptions, and
//! the WIT of the contract.

mod componentize;
mod put;
mod recipe;
pub(crate) mod rust_target;
mod section;
pub(crate) mod template;
pub(crate) mod wit;

pub(crate) use componentize::{World, plugin};
pub(crate) use put::put;
pub(crate) use recipe::{FILE as RECIPE, Recipe};
pub(crate) use section::describe;
