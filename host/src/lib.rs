//! Under construction.

pub mod manifest;
