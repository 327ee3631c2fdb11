//! Which jobs have series of their own.
//!
//! A job whose trigger names one fire is gone when that is over, and each would leave a series behind in every database that
//! ever read of it: such jobs share one, unless a file declares them.

use std::collections::{BTreeSet, BinaryHeap, HashSet};

use clockbox_core::{
    model::{JobId, JobRecord},
    timetable::Timetable,
    trigger::When,
};

/// The jobs that have series of their own from the start, at most so many: those that files declare before others, and
/// each kind in the order of their names.
pub(super) fn first(timetable: &Timetable, most: usize) -> Vec<JobId> {
    let mut first = BinaryHeap::new();
    for record in timetable.jobs().filter(|record| is_lasting(record)) {
        let key = (!record.job.source.is_reloaded(), &record.job.id);
        if first.len() < most {
            first.push(key);
        } else if let Some(mut last) = first.peek_mut()
            && key < *last
        {
            *last = key;
        }
    }
    first.into_iter().map(|(_, id)| id.clone()).collect()
}

/// Those of these jobs that may have series of their own.
pub(super) fn lasting(timetable: &Timetable, ids: BTreeSet<JobId>) -> HashSet<JobId> {
    ids.into_iter().filter(|id| timetable.job(id).is_some_and(is_lasting)).collect()
}

/// Those of these jobs that are not there any more.
pub(super) fn gone(timetable: &Timetable, mut ids: Vec<JobId>) -> Vec<JobId> {
    ids.retain(|id| timetable.job(id).is_none());
    ids
}

fn is_lasting(record: &JobRecord) -> bool {
    let fires_once = matches!(record.job.trigger.spec().when(), When::Now | When::Date(_));
    record.job.source.is_reloaded() || !fires_once
}
