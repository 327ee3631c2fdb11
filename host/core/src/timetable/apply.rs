//! Pools and jobs that are declared together: what a start or a reload brings.

use std::sync::Arc;

use super::{
    Action, Change, Running, Timetable,
    admit::run_expiry,
    due,
    entry::{self, Entry, Place},
    slots::Slots,
};
use crate::model::{Event, Job, JobId, JobRecord, Run, RunId, Timestamp, Write};

impl Timetable {
    /// Takes in pools first, then removals, then additions and changes. Jobs that others added stay as they are.
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
            self.shadowed.remove(&id);
            if self.job(&id).is_some_and(|record| record.job.source.is_reloaded()) {
                self.remove(now, &id, Running::Finish, out);
            }
        }
        let mut problems = Vec::new();
        for job in change.put {
            match self.job(&job.id).map(|record| &record.job.source) {
                Some(owner) if !owner.is_reloaded() => {
                    problems.push(format!(
                        "job {:?} of {} is not in force: there is one of that name from {owner}, and a reload changes \
                         only its own; remove that one, and this one takes its place, or rename this one",
                        job.id.as_str(),
                        job.source
                    ));
                    self.shadowed.insert(job.id.clone(), job);
                }
                _ => self.declare(now, job, out),
            }
        }
        if !problems.is_empty() {
            out.push(Action::Publish(Event::ReloadRejected { problems }));
        }
    }

    /// A job as the manifest or folder says it: what was modified by hand stays until that says something new.
    fn declare(&mut self, now: Timestamp, job: Arc<Job>, out: &mut Vec<Action>) {
        let Some(entry) = self.jobs.get_mut(&job.id).filter(|entry| !entry.busy().removed) else {
            return self.add(now, job, out);
        };
        let known = entry.record.declared.as_mut().unwrap_or(&mut entry.record.job);
        if **known == *job {
            // Whoever declares it may keep it: one of the two is enough.
            *known = job;
            if let Some(at) = entry.due_at {
                self.due.replace((at, entry.id().clone()));
            }
        } else {
            self.change(now, job, None, out);
        }
    }

    /// Takes in a job of a name that is free.
    pub(super) fn add(&mut self, now: Timestamp, mut job: Arc<Job>, out: &mut Vec<Action>) {
        self.share(&mut job);
        self.add_record(now, new_record(job, now), out);
    }

    /// The same, with what is known of the job.
    pub(super) fn add_record(&mut self, now: Timestamp, record: JobRecord, out: &mut Vec<Action>) {
        let id = record.job.id.clone();
        self.count_source(&record.job.source, true);
        match self.jobs.get_mut(&id) {
            // A job that was removed while runs of it are under way comes back as a new one.
            Some(entry) => {
                entry.record = record;
                let busy = entry.busy_mut();
                busy.removed = false;
                busy.earlier_runs = self.last_run;
                busy.backlog_until = None;
                busy.counting = None;
            }
            None => self.jobs.insert(Entry::new(record)),
        }
        self.put_write(&id, out);
        out.push(Action::Publish(Event::JobAdded { job: id.clone() }));
        self.schedule(&id);
        self.release(now, &id, out);
    }

    /// Puts `job` in the place of the one of its name. A trigger that stays the same keeps its next fire.
    pub(super) fn change(
        &mut self,
        now: Timestamp,
        mut job: Arc<Job>,
        declared: Option<Arc<Job>>,
        out: &mut Vec<Action>,
    ) {
        self.share(&mut job);
        let id = job.id.clone();
        let Some(entry) = self.jobs.get(&id) else { return };
        let is_rescheduled = entry.record.job.trigger != job.trigger;
        if is_rescheduled {
            self.settle(now, &id, "the job's trigger was changed before this fire was decided", out);
        }
        let Some(entry) = self.jobs.get_mut(&id) else { return };
        if is_rescheduled {
            let fire = first_fire(&job, entry.record.last_fire, now);
            // A run on demand may have this very time already.
            let is_taken = fire.is_some() && fire == entry.busy().last_manual;
            let step = chrono::TimeDelta::microseconds(i64::from(is_taken));
            entry.record.next_fire = fire.and_then(|fire| fire.checked_add_signed(step));
            if let Some(busy) = entry.if_busy() {
                busy.backlog_until = None;
            }
        }
        if let Some(busy) = entry.if_busy() {
            busy.counting = None;
        }
        let old = std::mem::replace(&mut entry.record.job, job);
        entry.record.declared = declared;
        let source = entry.record.job.source.clone();
        if source != old.source {
            self.count_source(&old.source, false);
            self.count_source(&source, true);
        }
        self.wait_by_new_rules(&id, &old);
        self.put_write(&id, out);
        self.expire(now, out);
        out.push(Action::Publish(Event::JobModified { job: id.clone() }));
        self.schedule(&id);
        self.release(now, &id, out);
    }

    /// Runs that wait do so under the grace and the priority that their job has now; it was `old`.
    fn wait_by_new_rules(&mut self, id: &JobId, old: &Job) {
        let Some(entry) = self.jobs.get(id) else { return };
        let job = entry.record.job.clone();
        let of_job = entry.busy().runs().filter_map(|run| self.active.get(run));
        let waiting = of_job.filter(|active| matches!(active.place, Place::Held | Place::Queued));
        let waiting: Vec<(Arc<Run>, Place)> =
            waiting.map(|active| (active.run.clone(), active.place)).collect();
        for (run, place) in waiting {
            if let Some(at) = run_expiry(&run, entry::grace_of(old, run.scheduled_at)) {
                self.expiries.remove(&(at, run.id));
            }
            let grace = entry::grace_of(&job, run.scheduled_at);
            self.expiries.extend(run_expiry(&run, grace).map(|at| (at, run.id)));
            if place == Place::Queued {
                let slots = self.pool(&run.pool);
                slots.forget(run.id);
                slots.enqueue(job.policy.priority, run.scheduled_at, run.id);
            }
        }
    }

    /// Lets a job go: nothing of it starts any more. A declared job that waited for its name takes its place.
    pub(super) fn remove(&mut self, now: Timestamp, id: &JobId, running: Running, out: &mut Vec<Action>) {
        let Some(entry) = self.jobs.get_mut(id).filter(|entry| !entry.busy().removed) else { return };
        entry.busy_mut().removed = true;
        let source = entry.record.job.source.clone();
        self.count_source(&source, false);
        self.settle(now, id, "the job was removed before this fire was decided", out);
        out.push(Action::Write(Write::RemoveJob(id.clone())));
        out.push(Action::Publish(Event::JobRemoved { job: id.clone() }));
        self.schedule(id);
        let Some(entry) = self.jobs.get(id) else { return };
        let mut runs: Vec<(RunId, bool)> = entry
            .busy()
            .runs()
            .filter_map(|run| self.active.get(run))
            .map(|active| (active.run.id, active.place == Place::Running))
            .collect();
        runs.sort();
        for (run, is_running) in runs {
            if !is_running {
                self.drop_unstarted(now, run, "the job was removed", out);
            } else if running == Running::Cancel {
                self.stop(now, run, "the job was removed", out);
            }
        }
        self.release(now, id, out);
        if let Some(job) = self.shadowed.remove(id) {
            self.add(now, job, out);
        }
    }

    /// Removes jobs whose trigger has nothing left and whose last run has ended, where that is their policy.
    pub(super) fn clean_up(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        while let Some(id) = self.ended.pop_first() {
            if self.jobs.get(&id).is_some_and(Entry::is_done) {
                self.remove(now, &id, Running::Finish, out);
            }
        }
    }

    /// Lets a job share what others have as well, unless somebody else holds it as it is.
    fn share(&mut self, job: &mut Arc<Job>) {
        if let Some(job) = Arc::get_mut(job) {
            self.sharing.share(job);
        }
    }

    pub(super) fn put_write(&self, id: &JobId, out: &mut Vec<Action>) {
        if let Some(entry) = self.jobs.get(id) {
            out.push(Action::Write(Write::PutJob(Box::new(entry.record.clone()))));
        }
    }
}

pub(super) fn new_record(job: Arc<Job>, now: Timestamp) -> JobRecord {
    let next_fire = first_fire(&job, None, now);
    JobRecord { job, declared: None, next_fire, last_fire: None, last_success: None, paused: None }
}

/// The first fire under a new trigger: never one that the old trigger had already.
pub(super) fn first_fire(job: &Job, last_fire: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let fire = due::next_fire(&job.trigger, None, now, now)?;
    if Some(fire) <= last_fire { due::next_fire(&job.trigger, last_fire, now, now) } else { Some(fire) }
}
