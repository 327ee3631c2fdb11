//! Which jobs will fire: those of a manifest, with what its store knows of them.

use std::collections::HashMap;

use clockbox_core::model::{JobId, JobRecord};

use super::{exit::Failure, place::Place};
use crate::{
    manifest::{self, Manifest},
    simulation::Planned,
};

/// The jobs of a manifest, and with `stored` what its store knows: an interval goes on from its last fire, a date that
/// ran does not run again, a paused job does not fire, and jobs that were added otherwise fire too.
pub(super) fn jobs(
    place: &Place,
    manifest: &Manifest,
    only: &[JobId],
    stored: bool,
) -> Result<Vec<Planned>, Failure> {
    let stored = if stored { place.stored_jobs(manifest) } else { Vec::new() };
    let known: HashMap<&JobId, &JobRecord> = stored.iter().map(|record| (&record.job.id, record)).collect();
    let declared = manifest.jobs.values().map(|job| &**job);
    let added = stored.iter().filter(|record| !record.job.source.is_reloaded()).map(|record| &*record.job);
    let added = added.filter(|job| !manifest.jobs.contains_key(&job.id));
    let mut planned = Vec::new();
    let mut names = Vec::new();
    for job in declared.chain(added) {
        names.push(job.id.as_str());
        if !only.is_empty() && !only.contains(&job.id) {
            continue;
        }
        let record = known.get(&job.id).filter(|record| record.declaration().trigger == job.trigger);
        // Rescheduled by hand, perhaps.
        let trigger = record.map_or(&job.trigger, |record| &record.job.trigger);
        match record {
            Some(record) if record.paused.is_some() => eprintln!("job {} is paused", job.id),
            Some(record) if record.next_fire.is_none() && !trigger.fires_at_start() => {}
            record => planned.push(Planned {
                job: job.id.clone(),
                trigger: trigger.clone(),
                next: record.and_then(|record| record.next_fire),
            }),
        }
    }
    match only.iter().find(|id| !names.contains(&id.as_str())) {
        None => Ok(planned),
        Some(id) => {
            let message = format!("there is no job {:?} in {}", id.as_str(), manifest.path.display());
            Err(Failure::no(message).hint(manifest::known_hint("jobs", id.as_str(), names)))
        }
    }
}
