//! Somebody who hears every event, and reads what it speaks of.

use std::collections::HashMap;

use clockbox_core::model::*;

use crate::disk::Disk;

/// What was heard last of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    Fired,
    Waiting,
    Started(u32),
    Retrying(u32),
    Over,
}

#[derive(Debug, Default)]
pub(crate) struct Listener {
    runs: HashMap<RunId, Heard>,
}

impl Listener {
    pub(crate) fn hear(&mut self, event: &Event, disk: &Disk) {
        let Some(run) = event.run() else { return };
        let Some(stored) = disk.run(run) else { panic!("events: {event:?} comes before its record") };
        let before = self.runs.get(&run).copied();
        let heard = match event {
            Event::Fired { .. } => Heard::Fired,
            Event::RunWaiting { .. } => Heard::Waiting,
            Event::RunStarted { attempt, .. } => {
                assert!(stored.attempt >= *attempt, "events: {event:?} comes before its record");
                Heard::Started(*attempt)
            }
            Event::RunRetrying { attempt, .. } => Heard::Retrying(*attempt),
            Event::RunFinished { .. } | Event::Missed { .. } | Event::Skipped { .. } => {
                assert!(stored.state.is_final(), "events: {event:?} comes before its record");
                Heard::Over
            }
            _ => return,
        };
        // Attempts go round; all else goes forward. A crash swallows some.
        let is_in_order = match (before, heard) {
            (None, _) => true,
            (Some(Heard::Over), _) => false,
            (Some(Heard::Retrying(last)), Heard::Started(next)) => next > last,
            (Some(before), heard) => before < heard,
        };
        assert!(is_in_order, "events: {event:?} after {before:?}");
        self.runs.insert(run, heard);
    }
}
