//! What becomes of a fire, story by story.

mod backlog;
mod by_hand;
mod caps;
mod clock;
mod delivery;
mod fires;
mod hold;
mod jitter;
mod lifecycle;
mod ownership;
mod searched;
mod success;
mod support;
mod telling;
