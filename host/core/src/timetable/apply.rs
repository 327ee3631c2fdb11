//! Jobs and pools that come, change, pause and go.

use std::sync::Arc;

use super::{Action, Change, Timetable, entry::Entry, slots::Slots};
use crate::model::{Event, Job, JobId, JobRecord, Pause, RunId, Timestamp, Write};

impl Timetable {
    /// Takes in pools first, then removals, then additions and changes.
    pub(super) fn apply(&mut self, now: Timestamp, change: Change, out: &mut Vec<Action>) {
        for pool in change.pools {
            let name = pool.name.clone();
            match self.pools.get_mut(&name) {
                Some(slots) => slots.pool = pool,
                None => {
                    self.pools.insert(name.clone(), Slots::new(pool));
                }
            }
            self.fill(now, &name, out);
        }
        for id in change.remove {
            self.remove(now, &id, out);
        }
        for job in change.put {
            self.put(now, job, out);
        }
    }

    fn put(&mut self, now: Timestamp, job: Arc<Job>, out: &mut Vec<Action>) {
        let id = job.id.clone();
        if self.jobs.get(&id).is_some_and(|entry| !entry.removed && entry.record.job.trigger != job.trigger) {
            self.settle(now, &id, "the job's trigger was changed before this fire was decided", out);
        }
        let known = self.jobs.get_mut(&id);
        let event = match &known {
            Some(entry) if !entry.removed => {
                if *entry.record.job == *job {
                    return;
                }
                Event::JobModified { job: id.clone() }
            }
            _ => Event::JobAdded { job: id.clone() },
        };
        match known {
            Some(entry) if !entry.removed => {
                if entry.record.job.trigger != job.trigger {
                    entry.record.next_fire = first_fire(&job, entry.record.last_fire, now);
                    entry.backlog_until = None;
                }
                entry.record.job = job;
            }
            // A job that was removed while runs of it are under way comes back as a new one.
            Some(entry) => {
                entry.removed = false;
                entry.record = new_record(job, now);
                entry.backlog_until = None;
            }
            None => {
                self.jobs.insert(id.clone(), Entry::new(new_record(job, now)));
            }
        }
        self.put_write(&id, out);
        out.push(Action::Publish(event));
        self.schedule(&id);
        self.release(now, &id, out);
    }

    fn remove(&mut self, now: Timestamp, id: &JobId, out: &mut Vec<Action>) {
        let Some(entry) = self.jobs.get_mut(id).filter(|entry| !entry.removed) else { return };
        entry.removed = true;
        self.settle(now, id, "the job was removed before this fire was decided", out);
        out.push(Action::Write(Write::RemoveJob(id.clone())));
        out.push(Action::Publish(Event::JobRemoved { job: id.clone() }));
        self.schedule(id);
        let mut unstarted: Vec<RunId> = self
            .active
            .values()
            .filter(|active| active.run.job == *id && active.place != super::entry::Place::Running)
            .map(|active| active.run.id)
            .collect();
        unstarted.sort();
        for run in unstarted {
            let attempted = self.active.get(&run).is_some_and(|active| active.run.attempt > 0);
            if attempted {
                self.stop(now, run, "the job was removed before the next attempt", out);
            } else {
                self.skip_waiting(now, run, "the job was removed", out);
            }
        }
        self.release(now, id, out);
    }

    pub(super) fn pause_job(
        &mut self,
        now: Timestamp,
        id: &JobId,
        note: Option<String>,
        out: &mut Vec<Action>,
    ) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        if entry.record.paused.is_none() {
            entry.record.paused = Some(Pause { at: now, note });
            self.put_write(id, out);
            out.push(Action::Publish(Event::JobPaused { job: id.clone() }));
            self.schedule(id);
        }
    }

    pub(super) fn resume_job(&mut self, id: &JobId, out: &mut Vec<Action>) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        if entry.record.paused.take().is_some() {
            self.put_write(id, out);
            out.push(Action::Publish(Event::JobResumed { job: id.clone() }));
            self.schedule(id);
        }
    }

    fn put_write(&self, id: &JobId, out: &mut Vec<Action>) {
        if let Some(entry) = self.jobs.get(id) {
            out.push(Action::Write(Write::PutJob(Box::new(entry.record.clone()))));
        }
    }
}

fn new_record(job: Arc<Job>, now: Timestamp) -> JobRecord {
    let next_fire = first_fire(&job, None, now);
    JobRecord { job, next_fire, last_fire: None, last_success: None, paused: None }
}

/// The first fire under a new trigger: never one that the old trigger had already.
fn first_fire(job: &Job, last_fire: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let fire = job.trigger.next_after(None, now)?;
    if Some(fire) <= last_fire { job.trigger.next_after(last_fire, now) } else { Some(fire) }
}
