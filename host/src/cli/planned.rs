//! Which jobs will fire: those of a manifest, with what its store knows of them, or those of a host.

use std::collections::HashMap;

use clockbox_core::{
    model::{JobId, JobRecord},
    trigger::{Trigger, TriggerSpec},
};

use super::{
    ask::{Host, part},
    exit::Failure,
    jobs::{every_job, names_at, paused_jobs, unknown},
    place::Place,
};
use crate::{
    control::{JobPage, view::JobView},
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

/// The most jobs that a host names in the order of their fires.
const MOST_IN_ORDER: usize = 1000;

/// The jobs of a host of which the next `count` fires come; with `stored` as they stand, else as if none had ever fired.
pub(super) fn at_host(
    host: &mut Host,
    only: &[JobId],
    count: usize,
    stored: bool,
) -> Result<Vec<Planned>, Failure> {
    let mut views = Vec::new();
    if !only.is_empty() {
        for id in only {
            match host.find::<JobView>(&format!("/v1/jobs/{}", part(id.as_str())))? {
                Some(view) => views.push(view),
                None => return Err(unknown(id, &names_at(host)?)),
            }
        }
    } else if stored && count <= MOST_IN_ORDER {
        // Of each other job the next fire comes later than all of theirs.
        let page: JobPage = host.get(&format!("/v1/next?limit={}", count.max(1)))?;
        views = page.jobs;
        views.extend(paused_jobs(host)?);
    } else {
        views = every_job(host)?;
    }
    let mut planned = Vec::new();
    for view in views {
        if stored && view.paused.is_some() {
            eprintln!("job {} is paused", view.name);
        } else if !stored || view.next_fire.is_some() {
            planned.push(of_view(&view, stored)?);
        }
    }
    Ok(planned)
}

fn of_view(view: &JobView, stored: bool) -> Result<Planned, Failure> {
    let odd = |why: String| {
        Failure::new(format!("the host's answer is not understood: job {}: {why}", view.name))
            .hint("is the host of another version? `clockbox status` says which")
    };
    let keys = view.keys.trigger.clone().unwrap_or_else(|| serde_json::json!({}));
    let spec: TriggerSpec = serde_json::from_value(keys).map_err(|error| odd(error.to_string()))?;
    let zone = view.timezone.parse().map_err(|_| odd(format!("{:?} is no time zone", view.timezone)))?;
    let trigger = Trigger::new(spec, zone).map_err(|error| odd(error.message))?;
    let job = view.name.parse().map_err(|error| odd(format!("{error}")))?;
    Ok(Planned { job, trigger, next: view.next_fire.filter(|_| stored) })
}
