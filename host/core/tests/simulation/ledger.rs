//! Every fire that a trigger names, against those on record.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use clockbox_core::{model::*, timetable::Timetable, trigger::Trigger};

use crate::{disk::Disk, owners::Owners};

/// A job that has had one trigger since it was added.
#[derive(Debug, Clone)]
struct Life {
    trigger: Trigger,
    added_at: Timestamp,
    removed_at: Option<Timestamp>,
}

/// Jobs whose fires can be counted.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    lives: BTreeMap<JobId, Life>,
    /// Those that had another trigger, or another life, before.
    lost: BTreeSet<JobId>,
}

impl Ledger {
    /// Takes in what the jobs are now.
    pub(crate) fn note(&mut self, now: Timestamp, owners: &Owners) {
        let lose: Vec<JobId> = self
            .lives
            .iter()
            .filter(|(id, life)| match owners.jobs.get(*id) {
                Some(owned) => life.removed_at.is_some() || owned.job.trigger != life.trigger,
                None => false,
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in lose {
            self.lose(&id);
        }
        for (id, life) in &mut self.lives {
            if life.removed_at.is_none() && !owners.jobs.contains_key(id) {
                life.removed_at = Some(now);
            }
        }
        for (id, owned) in &owners.jobs {
            let trigger = &owned.job.trigger;
            if !self.lost.contains(id) && !self.lives.contains_key(id) {
                if trigger.fires_at_start() {
                    self.lost.insert(id.clone());
                } else {
                    let life = Life { trigger: trigger.clone(), added_at: now, removed_at: None };
                    self.lives.insert(id.clone(), life);
                }
            }
        }
    }

    /// The job's fires can no longer be counted.
    pub(crate) fn lose(&mut self, id: &JobId) {
        self.lives.remove(id);
        self.lost.insert(id.clone());
    }

    /// After a crash, what was not committed is forgotten.
    pub(crate) fn restored(&mut self, jobs: &[JobRecord], disk: &Disk) {
        let known: Vec<JobId> = self.lives.keys().cloned().collect();
        for id in known {
            let stored = jobs.iter().find(|record| record.job.id == id);
            let Some(life) = self.lives.get_mut(&id) else { continue };
            match stored {
                Some(record) if record.job.trigger == life.trigger => life.removed_at = None,
                Some(_) => self.lose(&id),
                // It never was.
                None if disk.runs_of(&id).is_empty() => drop(self.lives.remove(&id)),
                None if life.removed_at.is_some() => {}
                None => self.lose(&id),
            }
        }
    }

    /// No fire is lost: each that the trigger names is on record, or is counted on one that is.
    pub(crate) fn audit(&self, disk: &Disk, timetable: &Timetable, shared: &HashSet<JobId>) {
        for (id, life) in self.lives.iter().filter(|(id, _)| !shared.contains(*id)) {
            let rows = disk.runs_of(id).into_iter().filter(|run| run.cause == Cause::Trigger);
            let recorded: u32 = rows.map(|run| 1 + run.coalesced).sum();
            let mut next = life.trigger.next_after(None, life.added_at);
            for _ in 0..recorded {
                let fire = next.unwrap_or_else(|| panic!("fires: more of {id} are on record than there are"));
                next = life.trigger.next_after(Some(fire), fire);
            }
            match (timetable.job(id), life.removed_at) {
                (Some(record), _) => {
                    assert_eq!(record.next_fire, next, "fires: of {id}, {recorded} are on record");
                }
                // A jitter may have put it off.
                (None, Some(_)) if life.trigger.spec().jitter().is_some() => {}
                (None, Some(at)) => {
                    assert!(
                        next.is_none_or(|next| next > at),
                        "fires: {next:?} of {id} was lost by its removal"
                    );
                }
                (None, None) => panic!("fires: {id} is gone"),
            }
        }
    }
}
