//! Jobs that are added, modified, removed and paused one at a time: by people, programs and other jobs.

use std::{collections::HashSet, sync::Arc};

use super::{Action, Conflict, Rejection, Running, Timetable};
use crate::model::{Event, Job, JobId, JobPatch, Pause, Source, Timestamp, Write};

impl Timetable {
    /// Whether these jobs can be added together.
    pub(super) fn check_addition(&self, jobs: &[Arc<Job>], conflict: Conflict) -> Result<(), Rejection> {
        let mut names = HashSet::new();
        for job in jobs {
            if job.source.is_reloaded() {
                return Err(Rejection::WrongSource(job.id.clone()));
            }
            let known = self.job(&job.id).map(|record| &record.job.source);
            let is_twice = !names.insert(&job.id);
            match (conflict, known) {
                (Conflict::Error, known) if known.is_some() || is_twice => {
                    return Err(Rejection::JobExists(job.id.clone()));
                }
                (Conflict::Replace, Some(owner)) if !may_replace(&job.source, owner) => {
                    return Err(Rejection::NotOwner { job: job.id.clone(), owner: owner.clone() });
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn add_jobs(
        &mut self,
        now: Timestamp,
        jobs: Vec<Arc<Job>>,
        conflict: Conflict,
        out: &mut Vec<Action>,
    ) {
        for job in jobs {
            match self.job(&job.id) {
                None => self.add(now, job, out),
                Some(record) if conflict == Conflict::Replace && *record.job != *job => {
                    self.change(now, job, None, out);
                }
                Some(_) => {}
            }
        }
    }

    pub(super) fn modify_job(&mut self, now: Timestamp, id: &JobId, patch: JobPatch, out: &mut Vec<Action>) {
        let Some(record) = self.job(id) else { return };
        let job = patch.apply(&record.job);
        if job == *record.job {
            return;
        }
        let declaration = record.declaration();
        let is_laid_over = job.source.is_reloaded() && job != **declaration;
        let declared = is_laid_over.then(|| Arc::clone(declaration));
        self.change(now, Arc::new(job), declared, out);
    }

    pub(super) fn remove_all(&mut self, now: Timestamp, running: Running, out: &mut Vec<Action>) {
        let removed = self.jobs().filter(|record| !record.job.source.is_reloaded());
        let mut ids: Vec<JobId> = removed.map(|record| record.job.id.clone()).collect();
        // In an order of their own, so that the same inputs always have the same answers.
        ids.sort_unstable();
        for id in ids {
            self.remove(now, &id, running, out);
        }
    }

    pub(super) fn pause_job(&mut self, id: &JobId, pause: Pause, out: &mut Vec<Action>) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        if entry.record.paused.is_none() {
            let event = Event::JobPaused { job: id.clone(), by: pause.by.clone(), note: pause.note.clone() };
            entry.record.paused = Some(Box::new(pause));
            self.put_write(id, out);
            out.push(Action::Publish(event));
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

    pub(super) fn pause(&mut self, pause: Pause, out: &mut Vec<Action>) {
        if self.paused.is_none() {
            let event = Event::SchedulerPaused { by: pause.by.clone(), note: pause.note.clone() };
            out.push(Action::Write(Write::Pause(Some(pause.clone()))));
            out.push(Action::Publish(event));
            self.paused = Some(pause);
        }
    }

    pub(super) fn resume(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.paused.take().is_some() {
            out.push(Action::Write(Write::Pause(None)));
            out.push(Action::Publish(Event::SchedulerResumed));
            self.start_waiting(now, out);
        }
    }
}

/// Nobody replaces what a reload owns; a job replaces only what it added itself.
fn may_replace(by: &Source, owner: &Source) -> bool {
    !owner.is_reloaded() && (*by == Source::Api || by == owner)
}
