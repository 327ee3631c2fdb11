//! What becomes of a fire, story by story.

mod caps;
mod delivery;
mod fires;
mod lifecycle;
mod support;
