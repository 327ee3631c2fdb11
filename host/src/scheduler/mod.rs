//! The scheduler: a handle on a driver thread that owns the timetable.

mod builder;
mod driver;
mod error;
mod events;
mod handle;
mod history;
mod message;
mod reply;

pub use builder::{Builder, StartError};
pub use clockbox_core::model::Event;
pub use error::SchedulerError;
pub(crate) use events::Events;
pub use events::{Happening, Subscription};
pub use handle::Scheduler;
pub(crate) use message::{Inbox, Message};
pub use reply::Reply;
