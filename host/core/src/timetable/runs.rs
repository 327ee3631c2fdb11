//! The rest of a run's life: its end, its next attempt, its turn, its withdrawal.

use std::sync::Arc;

use super::{
    Action, Timetable, admit, backoff,
    entry::{Active, Entry, Place, Stopping},
};
use crate::model::{
    Attempt, Cause, Event, JobId, JobRecord, Outcome, PoolName, Report, RetryHint, Run, RunId, RunState,
    Timestamp, Write,
};

impl Timetable {
    /// An attempt ended: its slots become free, and perhaps another attempt follows.
    pub(super) fn finished(
        &mut self,
        now: Timestamp,
        id: RunId,
        attempt: u32,
        report: Report,
        out: &mut Vec<Action>,
    ) {
        let is_current = |active: &Active| active.place == Place::Running && active.run.attempt == attempt;
        if !self.active.get(&id).is_some_and(is_current) {
            return;
        }
        let Some(Active { mut run, attempt_started_at, stopping, .. }) = self.active.remove(&id) else {
            return;
        };
        let pool = run.pool.clone();
        self.pool(&pool).running -= 1;

        // Who wanted it to stop, and how it did.
        let reason = match (report.outcome, stopping.as_deref(), report.reason) {
            (Outcome::Cancelled, Some(Stopping { why, .. }), Some(how)) => Some(format!("{why}; {how}")),
            (Outcome::Cancelled, Some(Stopping { why, .. }), None) => Some(why.clone()),
            (_, _, reason) => reason,
        };
        let changed = Arc::make_mut(&mut run);
        changed.reason.clone_from(&reason);
        changed.output = report.output;
        if !report.logs.is_empty() {
            out.push(Action::Write(Write::Log { run: id, attempt, lines: report.logs }));
        }
        let record = Attempt {
            number: attempt,
            started_at: attempt_started_at.unwrap_or(now),
            finished_at: Some(now),
            outcome: Some(report.outcome),
            reason,
            backtrace: report.backtrace,
            peak_memory: report.peak_memory,
        };
        // Who was asked to stop is not tried again.
        let hint = if stopping.is_some() { RetryHint::Never } else { report.retry };
        match report.effects.filter(|_| report.outcome == Outcome::Succeeded) {
            Some(effects) => self.submit_success(now, run, record, hint, stopping, *effects, out),
            None => {
                self.conclude(now, run, report.outcome, record, hint, out);
                forget_stopping(id, stopping, out);
            }
        }
        self.fill(now, &pool, out);
    }

    /// An attempt ended so: either another one follows, or the run is over.
    pub(super) fn conclude(
        &mut self,
        now: Timestamp,
        run: Arc<Run>,
        outcome: Outcome,
        attempt: Attempt,
        hint: RetryHint,
        out: &mut Vec<Action>,
    ) {
        let may_retry = !matches!(outcome, Outcome::Succeeded | Outcome::Cancelled)
            && self.jobs.get(&run.job).is_some_and(|entry| entry.is_job_of(run.id));
        let pause = self
            .jobs
            .get(&run.job)
            .filter(|_| may_retry)
            .and_then(|entry| backoff::pause(&entry.record.job.policy.retry, hint, run.id, attempt.number))
            .and_then(|pause| chrono::TimeDelta::from_std(pause).ok())
            .and_then(|pause| now.checked_add_signed(pause));
        match pause {
            Some(retry_at) => self.await_retry(run, outcome, attempt, retry_at, out),
            None => self.end(now, run, outcome, Some(attempt), out),
        }
    }

    /// Records that another attempt follows. The job's slot stays taken: the run is not over.
    pub(super) fn await_retry(
        &mut self,
        mut run: Arc<Run>,
        outcome: Outcome,
        attempt: Attempt,
        retry_at: Timestamp,
        out: &mut Vec<Action>,
    ) {
        let changed = Arc::make_mut(&mut run);
        changed.state = RunState::Retrying;
        changed.retry_at = Some(retry_at);
        let event = Event::RunRetrying {
            job: run.job.clone(),
            run: run.id,
            attempt: run.attempt,
            outcome,
            reason: run.reason.clone(),
            retry_at,
        };
        let write = Write::Update { run: Arc::clone(&run), attempt: Some(Box::new(attempt)) };
        out.extend([Action::Write(write), Action::Publish(event)]);
        self.retries.insert((retry_at, run.id));
        let place = Place::Retrying;
        self.active.insert(run.id, Active { run, place, attempt_started_at: None, stopping: None });
    }

    /// Records the end of a run and gives its job's slot back.
    pub(super) fn end(
        &mut self,
        now: Timestamp,
        mut run: Arc<Run>,
        outcome: Outcome,
        attempt: Option<Attempt>,
        out: &mut Vec<Action>,
    ) {
        let changed = Arc::make_mut(&mut run);
        changed.state = RunState::Finished;
        changed.outcome = Some(outcome);
        changed.finished_at = Some(now);
        changed.retry_at = None;
        let job = run.job.clone();
        let event = self.give_back(&run, outcome);
        let write = Write::Update { run, attempt: attempt.map(Box::new) };
        out.extend([Action::Write(write), Action::Publish(event)]);
        self.release(now, &job, out);
    }

    /// The slot of a run that is over is free for the next one, and this is what there is to tell.
    pub(super) fn give_back(&mut self, run: &Run, outcome: Outcome) -> Event {
        let id = run.id;
        if let Some(entry) = self.jobs.get_mut(&run.job) {
            if let Some(busy) = entry.if_busy() {
                busy.slots.retain(|slot| *slot != id);
            }
            if outcome == Outcome::Succeeded {
                entry.record.last_success = entry.record.last_success.max(Some(run.scheduled_at));
            }
        }
        Event::RunFinished {
            job: run.job.clone(),
            run: id,
            attempt: run.attempt,
            cause: run.cause,
            outcome,
            reason: run.reason.clone(),
            elapsed_ms: run
                .started_at
                // When it was interrupted, nobody knows how long it had run.
                .filter(|_| outcome != Outcome::Interrupted)
                .zip(run.finished_at)
                .and_then(|(started, ended)| u64::try_from((ended - started).num_milliseconds()).ok()),
        }
    }

    /// A slot of a job may be free: the next held run takes it, or the backlog goes on.
    pub(super) fn release(&mut self, now: Timestamp, id: &JobId, out: &mut Vec<Action>) {
        let may_start = self.may_start();
        while let Some(entry) =
            self.jobs.get_mut(id).filter(|entry| may_start && !entry.busy().removed && entry.has_room())
            && let Some(run) = entry.if_busy().and_then(|busy| busy.held.pop_front())
        {
            self.take_turn(now, run, out);
        }
        let Some(entry) = self.jobs.get_mut(id) else { return };
        entry.rest();
        if entry.is_idle() {
            self.ended.insert(id.clone());
        }
        if entry.busy().removed && entry.is_idle() {
            self.jobs.remove(id);
        } else if entry.record.next_fire.is_some_and(|fire| Some(fire) <= entry.busy().backlog_until) {
            self.schedule(id);
        }
    }

    /// A held run has its job's slot: on to the pool.
    fn take_turn(&mut self, now: Timestamp, id: RunId, out: &mut Vec<Action>) {
        let Some(Active { run, .. }) = self.active.remove(&id) else { return };
        self.forget_expiry(&run);
        let slots = self.pool(&run.pool);
        if slots.is_free() {
            slots.running += 1;
            self.begin(now, run, false, out);
        } else {
            self.wait_at(run, Place::Queued);
        }
    }

    /// The pause before the next attempt is over: it takes a place in the pool, or waits for one.
    pub(super) fn retry(&mut self, now: Timestamp, id: RunId, out: &mut Vec<Action>) {
        if self.hold_over_cap(id) {
            return;
        }
        let Some(Active { run, .. }) = self.active.remove(&id) else { return };
        let priority = self.jobs.get(&run.job).map_or(0, |entry| entry.record.job.policy.priority);
        let slots = self.pool(&run.pool);
        if slots.is_free() {
            slots.running += 1;
            self.begin(now, run, false, out);
        } else {
            slots.enqueue(priority, run.scheduled_at, id);
            let place = Place::Queued;
            self.active.insert(id, Active { run, place, attempt_started_at: None, stopping: None });
        }
    }

    /// A job whose cap was lowered meanwhile lets a run that has not started wait for its turn again.
    fn hold_over_cap(&mut self, id: RunId) -> bool {
        let Some(active) = self.active.get(&id) else { return false };
        let Some(entry) = self.jobs.get_mut(&active.run.job) else { return false };
        let cap = entry.record.job.policy.max_instances.max(1) as usize;
        // Its own slot is one of them, so fewer than the cap run.
        if entry.busy().slots.len() <= cap && entry.busy().slots.contains(&id) {
            return false;
        }
        let is_running = |run: &&RunId| self.active.get(*run).is_some_and(|a| a.place == Place::Running);
        let running = entry.busy().slots.iter().filter(is_running).count();
        if running < cap {
            return false;
        }
        let busy = entry.busy_mut();
        busy.slots.retain(|slot| *slot != id);
        busy.held.push_back(id);
        if let Some(active) = self.active.get_mut(&id) {
            active.place = Place::Held;
        }
        true
    }

    /// Starts what waits for a pool, as far as there is room.
    pub(super) fn fill(&mut self, now: Timestamp, pool: &PoolName, out: &mut Vec<Action>) {
        if !self.may_start() {
            return;
        }
        loop {
            let slots = self.pool(pool);
            if !slots.has_room() {
                return;
            }
            let Some(id) = slots.dequeue() else { return };
            if self.hold_over_cap(id) {
                continue;
            }
            let Some(Active { run, .. }) = self.active.remove(&id) else { continue };
            self.pool(pool).running += 1;
            self.forget_expiry(&run);
            self.begin(now, run, false, out);
        }
    }

    /// Runs a job on demand.
    pub(super) fn run_now(
        &mut self,
        now: Timestamp,
        id: &JobId,
        args: Option<String>,
        out: &mut Vec<Action>,
    ) {
        let Some(entry) = self.jobs.get(id) else { return };
        let at = self.time_on_demand(now, &entry.record, None);
        if let Some(entry) = self.jobs.get_mut(id) {
            entry.busy_mut().last_manual = Some(at);
        }
        self.admit(now, id, at, Cause::Manual, 0, args, out);
    }

    /// The scheduled time of a run on demand: a job and a time name one run, so it steps aside from all that its job has,
    /// and from `last`.
    pub(super) fn time_on_demand(
        &self,
        now: Timestamp,
        record: &JobRecord,
        last: Option<Timestamp>,
    ) -> Timestamp {
        let step = chrono::TimeDelta::microseconds(1);
        let busy = self.jobs.get(&record.job.id).map(Entry::busy);
        let last = last.max(busy.and_then(|busy| busy.last_manual));
        let mut at = last.map_or(now, |last| now.max(last + step));
        let trigger = &record.job.trigger;
        let runs = || busy.into_iter().flat_map(|busy| busy.runs()).filter_map(|run| self.active.get(run));
        let is_fire = |at| {
            Some(at) == record.last_fire
                || runs().any(|active| active.run.scheduled_at == at)
                || record.next_fire.is_some_and(|next| {
                    at == next || (at > next && trigger.next_after(Some(next), at) == Some(at))
                })
        };
        while is_fire(at) {
            at += step;
        }
        at
    }

    /// Stops a run: at once where it does not run, else by asking its instance.
    pub(super) fn stop(&mut self, now: Timestamp, id: RunId, why: &str, out: &mut Vec<Action>) {
        let Some(active) = self.active.get_mut(&id) else { return };
        if matches!(active.place, Place::Running | Place::Settling) {
            if active.stopping.as_ref().is_none_or(|stopping| !stopping.is_kept) {
                // Where it has come to its end already, it is not to be tried again if the store refuses that.
                out.push(Action::Write(Write::Cancelling { run: id, why: Some(why.to_owned()) }));
            }
            match &mut active.stopping {
                Some(stopping) => stopping.is_kept = true,
                None => {
                    active.stopping = Some(Box::new(Stopping { why: why.to_owned(), is_kept: true }));
                    if active.place == Place::Running {
                        out.push(Action::Cancel(id));
                    }
                }
            }
        } else if let Some(mut run) = self.withdraw(id) {
            Arc::make_mut(&mut run).reason = Some(why.to_owned());
            self.end(now, run, Outcome::Cancelled, None, out);
        }
    }

    /// Asks whatever runs to stop, as the host ends.
    pub(super) fn stop_running(&mut self, why: &str, out: &mut Vec<Action>) {
        let is_asked = |active: &&mut Active| active.place == Place::Running && active.stopping.is_none();
        let mut asked: Vec<RunId> = Vec::new();
        for active in self.active.values_mut().filter(is_asked) {
            active.stopping = Some(Box::new(Stopping { why: why.to_owned(), is_kept: false }));
            asked.push(active.run.id);
        }
        // In an order of their own, so that the same inputs always have the same answers.
        asked.sort_unstable();
        out.extend(asked.into_iter().map(Action::Cancel));
    }

    /// Records a waiting run as missed. Answers its job, whose slot may be free: the next run that takes it must not be
    /// one that is too late as well.
    pub(super) fn miss_waiting(&mut self, now: Timestamp, id: RunId, out: &mut Vec<Action>) -> Option<JobId> {
        let mut run = self.withdraw(id)?;
        let late = crate::model::format_roughly(admit::whole_millis(now - run.scheduled_at));
        let reason = format!("waited until {late} after its time, longer than misfire_grace");
        Arc::make_mut(&mut run).state = RunState::Missed;
        let event = Event::Missed {
            job: run.job.clone(),
            run: id,
            scheduled_at: run.scheduled_at,
            coalesced: 0,
            reason: reason.clone(),
        };
        Some(drop_waiting(now, run, reason, event, out))
    }

    /// Records a run that waits as skipped; or as cancelled, where it waits for a further attempt.
    pub(super) fn drop_unstarted(&mut self, now: Timestamp, id: RunId, why: &str, out: &mut Vec<Action>) {
        if self.active.get(&id).is_some_and(|active| active.run.attempt > 0) {
            self.stop(now, id, why, out);
        } else {
            self.skip_waiting(now, id, why, out);
        }
    }

    /// Records a waiting run as skipped.
    fn skip_waiting(&mut self, now: Timestamp, id: RunId, reason: &str, out: &mut Vec<Action>) {
        let Some(mut run) = self.withdraw(id) else { return };
        Arc::make_mut(&mut run).state = RunState::Skipped;
        let event = Event::Skipped {
            job: run.job.clone(),
            run: id,
            scheduled_at: run.scheduled_at,
            coalesced: 0,
            reason: reason.to_owned(),
        };
        let job = drop_waiting(now, run, reason.to_owned(), event, out);
        self.release(now, &job, out);
    }

    /// A run that was asked for, of a job that is gone.
    pub(super) fn skip_gone(&mut self, now: Timestamp, mut run: Arc<Run>, out: &mut Vec<Action>) {
        let reason = "the job was removed";
        Arc::make_mut(&mut run).state = RunState::Skipped;
        let event = Event::Skipped {
            job: run.job.clone(),
            run: run.id,
            scheduled_at: run.scheduled_at,
            coalesced: 0,
            reason: reason.to_owned(),
        };
        drop_waiting(now, run, reason.to_owned(), event, out);
    }

    /// The store has no record of this run: it never was.
    pub(super) fn refused(&mut self, now: Timestamp, id: RunId, out: &mut Vec<Action>) {
        let stopping = self.active.get_mut(&id).and_then(|active| active.stopping.take());
        forget_stopping(id, stopping, out);
        if let Some(run) = self.withdraw(id) {
            self.release(now, &run.job, out);
            self.fill(now, &run.pool, out);
        }
    }

    /// Takes a run out of every queue and slot.
    fn withdraw(&mut self, id: RunId) -> Option<Arc<Run>> {
        let Active { run, place, .. } = self.active.remove(&id)?;
        self.forget_expiry(&run);
        if let Some(busy) = self.jobs.get_mut(&run.job).and_then(Entry::if_busy) {
            busy.slots.retain(|slot| *slot != id);
            // Mostly it is the first of them.
            if let Some(index) = busy.held.iter().position(|held| *held == id) {
                busy.held.remove(index);
            }
        }
        match place {
            Place::Running => self.pool(&run.pool).running -= 1,
            Place::Queued => self.pool(&run.pool).forget(id),
            Place::Retrying => {
                self.retries.remove(&(run.retry_at.unwrap_or(run.recorded_at), id));
            }
            Place::Held | Place::Settling => {}
        }
        Some(run)
    }

    fn forget_expiry(&mut self, run: &Run) {
        if let Some(entry) = self.jobs.get(&run.job)
            && let Some(at) = admit::run_expiry(run, entry.grace(run.scheduled_at))
        {
            self.expiries.remove(&(at, run.id));
        }
    }
}

/// The run is over, so nobody needs to know any more that it was to stop.
pub(super) fn forget_stopping(run: RunId, stopping: Option<Box<Stopping>>, out: &mut Vec<Action>) {
    if stopping.is_some_and(|stopping| stopping.is_kept) {
        out.push(Action::Write(Write::Cancelling { run, why: None }));
    }
}

fn drop_waiting(
    now: Timestamp,
    mut run: Arc<Run>,
    reason: String,
    event: Event,
    out: &mut Vec<Action>,
) -> JobId {
    let changed = Arc::make_mut(&mut run);
    changed.reason = Some(reason);
    changed.finished_at = Some(now);
    let job = run.job.clone();
    let write = Write::Update { run, attempt: None };
    out.extend([Action::Write(write), Action::Publish(event)]);
    job
}
