//! What a driver is told.

use std::{collections::BTreeMap, time::Duration};

use clockbox_core::{
    model::{Event, PluginName, Refusal, Report, RunId},
    timetable::{Change, Input, Timetable},
};

use super::{SchedulerError, reply::ReplyTo};
use crate::pool::Work;

/// A question about the timetable.
pub(crate) type Question = Box<dyn FnOnce(&Timetable) + Send>;

/// What somebody makes of the timetable as it is: what is to be done, or why nothing is.
pub(crate) type Decision = Box<dyn FnOnce(&Timetable) -> Result<Input, SchedulerError> + Send>;

/// Something that a driver is told.
pub(crate) enum Message {
    /// Hand this to the timetable; answer with the runs that it recorded, once they are durable.
    Tell { input: Input, reply: ReplyTo<Vec<RunId>> },
    /// The same, where what is to be done depends on how things are then.
    Decide { decision: Decision, reply: ReplyTo<Vec<RunId>> },
    /// Put plugins and jobs in force together.
    Reload(Box<Reload>),
    /// Look something up.
    Ask(Question),
    /// Publish an event behind all that is under way.
    Publish(Event),
    /// An attempt ended.
    Finished { run: RunId, attempt: u32, report: Box<Report> },
    /// The oldest submission is durable, with these answers of the store to its writes.
    Durable(Vec<Result<(), Refusal>>),
    /// The store is beyond repair: nothing can be recorded any more.
    StoreLost(String),
    /// Drain, cancel what still runs after the grace, and stop.
    Shutdown { grace: Duration, reply: ReplyTo<()> },
}

/// What a reload puts in force.
pub(crate) struct Reload {
    pub(crate) plugins: BTreeMap<PluginName, Work>,
    pub(crate) change: Change,
    /// Told once all of it is durable.
    pub(crate) event: Event,
    pub(crate) reply: ReplyTo<Vec<RunId>>,
}
