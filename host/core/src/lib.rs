//! The pure core of clockbox: what jobs, runs and pools are ([`model`]), when they fire ([`trigger`]) and what is to
//! be done about it ([`timetable`]).
//!
//! Nothing here reads a clock, a file or a socket: time enters as an argument and leaves as a value, so that every
//! decision can be replayed.

pub mod model;
pub mod timetable;
pub mod trigger;
