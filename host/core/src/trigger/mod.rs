//! When a job fires. A trigger is a pure function of time: see [`Trigger::next_after`].

mod spec;

pub use spec::{Trigger, TriggerError, TriggerSpec};
