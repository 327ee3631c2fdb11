//! The scheduler: a handle on a driver thread that owns the timetable.

mod builder;
mod defaults;
mod driver;
mod error;
mod events;
mod handle;
mod history;
mod inbox;
mod message;
mod reply;
mod shutdown;
mod status;
mod thread;

pub use builder::{Builder, StartError};
pub use clockbox_core::model::Event;
pub(crate) use defaults::Defaults;
pub use error::SchedulerError;
pub(crate) use events::Events;
pub use events::{Happening, Subscription};
pub use handle::Scheduler;
pub(crate) use inbox::Inbox;
pub(crate) use message::{Message, Reload};
pub use reply::Reply;
pub use status::Status;
