//! Runs that succeeded and brought something about: whether they did is decided by the store, which takes the success
//! and all that goes with it, or refuses all of it. Only then is it done in here, and heard of.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Action, Conflict, Input, Running, Timetable,
    apply::{first_fire, new_record},
    entry::{Active, Place, Stopping},
    runs::forget_stopping,
};
use crate::model::{
    Attempt, Cause, Effects, Event, Job, JobChange, JobChanges, JobId, JobRecord, JobsReach, Outcome, Pause,
    Refusal, Report, RetryHint, Run, RunId, RunState, Source, Timestamp, Write,
};

/// A success on its way to the store.
#[derive(Debug)]
pub(super) struct Settling {
    /// The run as it is recorded, if the store takes it.
    run: Arc<Run>,
    attempt: Box<Attempt>,
    jobs: Vec<Planned>,
    /// Whether another attempt may follow if it does not.
    hint: RetryHint,
}

/// What is done about a job then.
#[derive(Debug)]
enum Planned {
    Add(Box<JobRecord>),
    Change(Arc<Job>),
    Pause(JobId, Box<Pause>),
    Resume(JobId),
    Remove(JobId),
    /// As it is recorded: waiting.
    Run(Arc<Run>),
}

impl Planned {
    fn job(&self) -> &JobId {
        match self {
            Self::Add(record) => &record.job.id,
            Self::Change(job) => &job.id,
            Self::Pause(job, _) | Self::Resume(job) | Self::Remove(job) => job,
            Self::Run(run) => &run.job,
        }
    }
}

/// What a list of changes comes to, one after the other.
struct Plan<'t> {
    reach: &'t JobsReach,
    /// The jobs concerned as they are by then; `None`: gone.
    jobs: BTreeMap<JobId, Option<JobRecord>>,
    /// Times of runs on demand.
    times: BTreeMap<JobId, Timestamp>,
    /// How many jobs runs of the plugin have added by then.
    added: usize,
    planned: Vec<Planned>,
    writes: Vec<Write>,
}

impl Timetable {
    /// Whether a success that brings something about is on its way to the store.
    #[must_use]
    pub fn is_settling(&self) -> bool {
        !self.settling.is_empty()
    }

    /// Whether an input has to wait, because it is about a job that a success changes which is on its way to the store.
    /// It can be taken in when that is [settled](Input::Settled): as soon as it is committed.
    #[must_use]
    pub fn must_wait(&self, input: &Input) -> bool {
        let is_concerned = |job: &JobId| self.is_concerned(job);
        match input {
            Input::Apply(change) => {
                change.remove.iter().any(is_concerned) || change.put.iter().any(|job| is_concerned(&job.id))
            }
            Input::AddJobs { jobs, .. } => jobs.iter().any(|job| is_concerned(&job.id)),
            Input::ModifyJob { job, .. }
            | Input::RemoveJob { job, .. }
            | Input::RunNow { job, .. }
            | Input::PauseJob { job, .. }
            | Input::ResumeJob(job) => is_concerned(job),
            Input::RemoveAllJobs { .. } => self.is_settling(),
            Input::Finished { report, .. } => self.must_wait_for(report),
            _ => false,
        }
    }

    /// The same of the end of an attempt.
    #[must_use]
    pub fn must_wait_for(&self, report: &Report) -> bool {
        let effects = report.effects.as_deref().filter(|_| report.outcome == Outcome::Succeeded);
        let jobs = effects.and_then(|effects| effects.jobs.as_ref());
        jobs.is_some_and(|jobs| jobs.list.iter().any(|change| self.is_concerned(change.job())))
    }

    fn is_concerned(&self, job: &JobId) -> bool {
        self.settling.values().any(|settling| settling.jobs.iter().any(|planned| planned.job() == job))
    }

    /// How many jobs there are that runs of this plugin added.
    #[must_use]
    pub fn added_by(&self, plugin: &crate::model::PluginName) -> usize {
        self.added.get(plugin).copied().unwrap_or_default()
    }

    /// Counts a job that came, or one that goes.
    pub(super) fn count_source(&mut self, source: &Source, has_come: bool) {
        let Source::Job(adder) = source else { return };
        let count = self.added.entry(adder.plugin.clone()).or_default();
        *count = if has_come { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            self.added.remove(&adder.plugin);
        }
    }

    /// An attempt succeeded and brings something about.
    #[expect(clippy::too_many_arguments, reason = "all that there is to say of an attempt that ended")]
    pub(super) fn submit_success(
        &mut self,
        now: Timestamp,
        mut run: Arc<Run>,
        attempt: Attempt,
        hint: RetryHint,
        stopping: Option<Box<Stopping>>,
        effects: Effects,
        out: &mut Vec<Action>,
    ) {
        // The state of a job that was removed meanwhile is gone, as it would be if the run had ended before.
        let is_its_job = self.jobs.get(&run.job).is_some_and(|entry| entry.is_job_of(run.id));
        let state = effects.state.filter(|_| is_its_job).map(Box::new);
        let (jobs, writes) = match effects.jobs.map(|changes| self.plan(now, changes)).transpose() {
            Ok(planned) => planned.unwrap_or_default(),
            Err(why) => {
                let id = run.id;
                self.spoil(now, run, attempt, hint, format!("jobs conflict: {why}"), out);
                return forget_stopping(id, stopping, out);
            }
        };
        let id = run.id;
        if state.is_none() && writes.is_empty() {
            self.end(now, run, Outcome::Succeeded, Some(attempt), out);
            return forget_stopping(id, stopping, out);
        }
        let active = Active {
            run: Arc::clone(&run),
            place: Place::Settling,
            attempt_started_at: Some(attempt.started_at),
            stopping,
        };
        let changed = Arc::make_mut(&mut run);
        changed.state = RunState::Finished;
        changed.outcome = Some(Outcome::Succeeded);
        changed.finished_at = Some(now);
        let attempt = Box::new(attempt);
        let success = Write::Success { run: Arc::clone(&run), attempt: attempt.clone(), state, jobs: writes };
        out.push(Action::Write(success));
        self.active.insert(id, active);
        self.settling.insert(id, Settling { run, attempt, jobs, hint });
    }

    /// The store has answered.
    pub(super) fn settled(
        &mut self,
        now: Timestamp,
        id: RunId,
        answer: Result<(), Refusal>,
        out: &mut Vec<Action>,
    ) {
        let Some(Settling { run, attempt, jobs, hint }) = self.settling.remove(&id) else { return };
        let why = match answer {
            Ok(()) => {
                let stopping = self.active.remove(&id).and_then(|active| active.stopping);
                forget_stopping(id, stopping, out);
                let event = self.give_back(&run, Outcome::Succeeded);
                out.push(Action::Publish(event));
                self.release(now, &run.job, out);
                jobs.into_iter().for_each(|planned| self.carry_out(now, planned, out));
                return;
            }
            Err(Refusal::NoSuchRun) => return self.refused(now, id, out),
            Err(Refusal::AlreadyRecorded) => {
                "jobs conflict: a run that it asked for is on record already".to_owned()
            }
            Err(refusal) => refusal.to_string(),
        };
        if let Some(Active { run, stopping, .. }) = self.active.remove(&id) {
            // Perhaps somebody asked for its end meanwhile.
            let hint = if stopping.is_some() { RetryHint::Never } else { hint };
            self.spoil(now, run, *attempt, hint, why, out);
            forget_stopping(id, stopping, out);
        }
    }

    /// The attempt would have succeeded, but what it brings about cannot be.
    fn spoil(
        &mut self,
        now: Timestamp,
        mut run: Arc<Run>,
        mut attempt: Attempt,
        hint: RetryHint,
        why: String,
        out: &mut Vec<Action>,
    ) {
        let changed = Arc::make_mut(&mut run);
        changed.output = None;
        changed.reason = Some(why.clone());
        attempt.outcome = Some(Outcome::Failed);
        attempt.reason = Some(why);
        self.conclude(now, run, Outcome::Failed, attempt, hint, out);
    }

    /// What the changes come to, or why they cannot be made.
    fn plan(&mut self, now: Timestamp, changes: JobChanges) -> Result<(Vec<Planned>, Vec<Write>), String> {
        let JobChanges { reach, list } = changes;
        let mut plan = Plan {
            added: self.added_by(&reach.by.plugin),
            reach: &reach,
            jobs: BTreeMap::new(),
            times: BTreeMap::new(),
            planned: Vec::new(),
            writes: Vec::new(),
        };
        list.into_iter().try_for_each(|change| self.plan_one(now, change, &mut plan))?;
        if plan.added > reach.max_jobs as usize && plan.added > self.added_by(&reach.by.plugin) {
            return Err(format!(
                "runs of plugin {:?} would have added {} jobs and the limit is {} (allow.jobs.max_jobs)",
                reach.by.plugin.as_str(),
                plan.added,
                reach.max_jobs
            ));
        }
        Ok((plan.planned, plan.writes))
    }

    fn plan_one(&mut self, now: Timestamp, change: JobChange, plan: &mut Plan<'_>) -> Result<(), String> {
        let id = change.job().clone();
        let found = match plan.jobs.get(&id) {
            Some(planned) => planned.clone(),
            None => self.job(&id).cloned(),
        };
        let found =
            found.filter(|record| plan.reach.sees(&record.job) || matches!(change, JobChange::Add { .. }));
        let name = id.as_str();
        let gone = || format!("there is no job {name:?} any more");
        let foreign = || format!("the job {name:?} was not added by a run, or is of another plugin by now");
        match change {
            JobChange::Add { conflict: Conflict::Ignore, .. } if found.is_some() => {}
            JobChange::Add { conflict: Conflict::Error, .. } if found.is_some() => {
                return Err(format!("there is a job {name:?} by now"));
            }
            JobChange::Add { job, .. } => {
                self.check_pool(&job)?;
                match found {
                    Some(record) if !plan.reach.may_change(&record.job) => return Err(foreign()),
                    Some(record) => plan.change(record, job, now),
                    None => plan.add(new_record(job, now)),
                }
            }
            JobChange::Modify { patch, .. } => {
                let record = found.ok_or_else(gone)?;
                if !plan.reach.may_change(&record.job) {
                    return Err(foreign());
                }
                let job = Arc::new(patch.apply(&record.job));
                self.check_pool(&job)?;
                if *job != *record.job {
                    plan.change(record, job, now);
                }
            }
            JobChange::Pause { note, .. } => {
                let by = Some(format!("the job {}", plan.reach.by.job));
                let mut record = found.ok_or_else(gone)?;
                if record.paused.is_none() {
                    let pause = Box::new(Pause { at: now, by, note });
                    record.paused = Some(pause.clone());
                    plan.put(record, Planned::Pause(id, pause));
                }
            }
            JobChange::Resume(_) => {
                let mut record = found.ok_or_else(gone)?;
                if record.paused.take().is_some() {
                    plan.put(record, Planned::Resume(id));
                }
            }
            JobChange::Remove(_) => {
                let record = found.ok_or_else(gone)?;
                if !plan.reach.may_change(&record.job) {
                    return Err(foreign());
                }
                plan.remove(&record);
            }
            JobChange::Run { args, .. } => {
                let record = found.ok_or_else(gone)?;
                let at = self.time_on_demand(now, &record, plan.times.get(&id).copied());
                plan.times.insert(id, at);
                let run = self.new_run(now, &record.job, at, Cause::Manual, 0, args);
                plan.writes.push(Write::Fire { run: Arc::clone(&run), next_fire: None });
                plan.planned.push(Planned::Run(run));
            }
        }
        Ok(())
    }

    /// A pool that nobody declared would be one more that a guest can fill.
    fn check_pool(&self, job: &Job) -> Result<(), String> {
        match self.pools.contains_key(&job.pool) {
            true => Ok(()),
            false => Err(format!("there is no pool {:?}", job.pool.as_str())),
        }
    }

    /// Does what the store has taken. A job that went by itself meanwhile stays gone.
    fn carry_out(&mut self, now: Timestamp, planned: Planned, out: &mut Vec<Action>) {
        match planned {
            Planned::Add(record) => self.add_record(now, *record, out),
            Planned::Change(job) => {
                if self.job(&job.id).is_some() {
                    self.change(now, job, None, out);
                }
            }
            Planned::Pause(job, pause) => {
                if self.job(&job).is_some() {
                    self.pause_job(&job, *pause, out);
                }
            }
            Planned::Resume(job) => {
                if self.job(&job).is_some() {
                    self.resume_job(&job, out);
                }
            }
            Planned::Remove(job) => self.remove(now, &job, Running::Finish, out),
            Planned::Run(run) => self.let_wait(now, run, out),
        }
    }

    /// A run on demand that is on record takes its turn.
    fn let_wait(&mut self, now: Timestamp, run: Arc<Run>, out: &mut Vec<Action>) {
        let (job, id, scheduled_at, pool) = (run.job.clone(), run.id, run.scheduled_at, run.pool.clone());
        if self.job(&job).is_none() {
            return self.skip_gone(now, run, out);
        }
        let Some(entry) = self.jobs.get_mut(&job) else { return };
        let busy = entry.busy_mut();
        busy.last_manual = busy.last_manual.max(Some(scheduled_at));
        let place = if entry.has_room() { Place::Queued } else { Place::Held };
        self.wait_at(run, place);
        out.push(Action::Publish(Event::RunWaiting { job, run: id, scheduled_at }));
        self.fill(now, &pool, out);
    }
}

impl Plan<'_> {
    fn add(&mut self, record: JobRecord) {
        self.added += usize::from(self.counts(&record.job));
        let planned = Planned::Add(Box::new(record.clone()));
        self.put(record, planned);
    }

    fn change(&mut self, mut record: JobRecord, job: Arc<Job>, now: Timestamp) {
        self.added += usize::from(self.counts(&job));
        self.added = self.added.saturating_sub(usize::from(self.counts(&record.job)));
        if record.job.trigger != job.trigger {
            record.next_fire = first_fire(&job, record.last_fire, now);
        }
        record.job = Arc::clone(&job);
        self.put(record, Planned::Change(job));
    }

    fn remove(&mut self, record: &JobRecord) {
        self.added = self.added.saturating_sub(usize::from(self.counts(&record.job)));
        let id = record.job.id.clone();
        self.writes.push(Write::RemoveJob(id.clone()));
        self.planned.push(Planned::Remove(id.clone()));
        self.jobs.insert(id, None);
    }

    fn put(&mut self, record: JobRecord, planned: Planned) {
        self.writes.push(Write::PutJob(Box::new(record.clone())));
        self.jobs.insert(record.job.id.clone(), Some(record));
        self.planned.push(planned);
    }

    /// Whether a job is one of those that runs of this plugin added.
    fn counts(&self, job: &Job) -> bool {
        matches!(&job.source, Source::Job(adder) if adder.plugin == self.reach.by.plugin)
    }
}
