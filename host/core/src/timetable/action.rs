//! What a timetable asks for.

use std::sync::Arc;

use crate::model::{Event, Job, Run, RunId, Timestamp, Write};

/// Something that a timetable asks for. The actions of one answer belong together: its writes are committed in one
/// batch; its launches and events follow once that is durable.
#[derive(Debug, Clone)]
pub enum Action {
    /// Make this durable.
    Write(Write),
    /// Then start an attempt, unless the store refused the run's record.
    Launch(Launch),
    /// Ask the instance of this run to stop, now.
    Cancel(RunId),
    /// Then tell the listeners, unless the store refused the record of the event's run.
    Publish(Event),
}

/// An attempt to start. Its slot is taken already.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The run, as recorded: `attempt` is the one to start.
    pub run: Arc<Run>,
    /// The job as it is now.
    pub job: Arc<Job>,
    /// The scheduled time of the job's latest success.
    pub previous_success: Option<Timestamp>,
}
