//! The scheduler: a handle on a driver thread that owns the timetable.

mod builder;
mod defaults;
mod driver;
mod error;
mod events;
mod handle;
mod history;
mod inbox;
mod listener;
mod message;
mod plugins;
mod reply;
mod serving;
mod settings;
mod shutdown;
mod start_error;
mod status;
mod thread;

pub use builder::{Builder, RunError};
pub use clockbox_core::model::Event;
pub(crate) use defaults::Defaults;
pub use error::SchedulerError;
pub(crate) use events::Events;
pub use events::{Happening, Subscription};
pub use handle::Scheduler;
pub(crate) use inbox::Inbox;
pub use listener::Listener;
pub(crate) use message::{Message, Reload};
pub use reply::Reply;
pub use serving::Serving;
pub use settings::Settings;
pub use start_error::{RefusedFile, StartError};
pub use status::Status;
