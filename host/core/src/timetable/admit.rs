//! From a due fire to a run that starts or waits, or to the record of why it does neither.

use std::sync::Arc;

use super::{
    Action, Launch, Timetable,
    due::{self, Due},
    entry::{Active, Place},
};
use crate::model::{
    Attempt, Cause, Event, Grace, Job, JobId, Overlap, Run, RunId, RunState, Timestamp, Write,
};

impl Timetable {
    /// Decides one fire: missed, skipped, waiting or started; recorded in any case.
    #[expect(
        clippy::too_many_arguments,
        reason = "one fire has that many facts, and only this function takes them"
    )]
    pub(super) fn admit(
        &mut self,
        now: Timestamp,
        id: &JobId,
        fire: Timestamp,
        cause: Cause,
        coalesced: u32,
        args: Option<String>,
        out: &mut Vec<Action>,
    ) {
        let Some(entry) = self.jobs.get(id) else { return };
        let job = entry.record.job.clone();
        let run = self.new_run(now, &job, fire, cause, coalesced, args);
        let run_id = run.id;
        let Some(entry) = self.jobs.get(id) else { return };
        let is_manual = cause == Cause::Manual;
        if !is_manual && !entry.grace(fire).allows(now - fire) {
            let due_at = due::due_at(&job.trigger, entry.seed(), fire);
            let late = crate::model::format_roughly(whole_millis(now - due_at));
            let reason = format!("noticed {late} late; misfire_grace is {}", job.policy.misfire_grace);
            return self.refuse(now, run, RunState::Missed, reason, out);
        }
        if !entry.has_room() {
            let mut full =
                format!("max_instances ({}) of the job are running or waiting", entry.busy().slots.len());
            let queued =
                |run: &&RunId| self.active.get(*run).is_some_and(|active| active.place == Place::Queued);
            match entry.busy().slots.iter().filter(queued).count() {
                0 => {}
                waiting => full
                    .push_str(&format!(" ({waiting} of them for a place in pool {:?})", job.pool.as_str())),
            }
            if coalesced > 0 {
                // What came due during a downtime, or while the store failed, met the cap only when it was looked at.
                full.push_str(&format!(", as this fire and {coalesced} before it were noticed together"));
            }
            match job.policy.overlap {
                _ if is_manual => {}
                Overlap::Skip => return self.refuse(now, run, RunState::Skipped, full, out),
                Overlap::Wait if entry.busy().held.is_empty() => {}
                Overlap::Wait => {
                    let reason = format!("{full}, and one more fire waits for it already");
                    return self.refuse(now, run, RunState::Skipped, reason, out);
                }
                Overlap::Replace => self.make_way(now, id, run_id, out),
            }
            // Cancelling what had not started yet may have made room at once.
            let held = self.jobs.get(id).is_some_and(|entry| !entry.has_room());
            if held {
                self.await_turn(run, Place::Held, out);
                return;
            }
        }
        let may_start = self.may_start();
        let slots = self.pool(&job.pool);
        if may_start && slots.is_free() {
            slots.running += 1;
            self.begin(now, run, true, out);
        } else if is_manual || slots.may_queue() {
            self.await_turn(run, Place::Queued, out);
        } else {
            let reason = format!(
                "pool {:?} is full: {} running, {} waiting (queue = {})",
                job.pool.as_str(),
                slots.running,
                slots.waiting(),
                slots.pool.queue
            );
            self.refuse(now, run, RunState::Skipped, reason, out);
        }
    }

    pub(super) fn new_run(
        &mut self,
        now: Timestamp,
        job: &Job,
        fire: Timestamp,
        cause: Cause,
        coalesced: u32,
        args: Option<String>,
    ) -> Arc<Run> {
        Arc::new(Run {
            id: self.next_run_id(now),
            job: job.id.clone(),
            plugin: job.plugin.clone(),
            pool: job.pool.clone(),
            cause,
            scheduled_at: fire,
            recorded_at: now,
            state: RunState::Waiting,
            attempt: 0,
            started_at: None,
            finished_at: None,
            retry_at: None,
            outcome: None,
            reason: None,
            output: None,
            coalesced,
            args,
        })
    }

    /// Records fires that will not be decided one by one: the last of them, with the number of the others.
    pub(super) fn give_up(
        &mut self,
        now: Timestamp,
        id: &JobId,
        due: Due,
        state: RunState,
        reason: &str,
        out: &mut Vec<Action>,
    ) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        entry.record.next_fire = due.next;
        entry.record.last_fire = entry.record.last_fire.max(Some(due.latest));
        let job = entry.record.job.clone();
        let run = self.new_run(now, &job, due.latest, Cause::Trigger, due.count - 1, None);
        self.refuse(now, run, state, reason.to_owned(), out);
    }

    /// Records a fire that does not become a run.
    fn refuse(
        &mut self,
        now: Timestamp,
        mut run: Arc<Run>,
        state: RunState,
        reason: String,
        out: &mut Vec<Action>,
    ) {
        let changed = Arc::make_mut(&mut run);
        changed.state = state;
        changed.reason = Some(reason.clone());
        changed.finished_at = Some(now);
        let (job, id, scheduled_at, coalesced) = (run.job.clone(), run.id, run.scheduled_at, run.coalesced);
        self.ended.insert(job.clone());
        out.push(self.fire_write(run));
        out.push(Action::Publish(match state {
            RunState::Missed => Event::Missed { job, run: id, scheduled_at, coalesced, reason },
            _ => Event::Skipped { job, run: id, scheduled_at, coalesced, reason },
        }));
    }

    /// Records a new run and lets it wait.
    fn await_turn(&mut self, run: Arc<Run>, place: Place, out: &mut Vec<Action>) {
        let (job, id, scheduled_at) = (run.job.clone(), run.id, run.scheduled_at);
        out.push(self.fire_write(Arc::clone(&run)));
        out.extend(fired(&run));
        out.push(Action::Publish(Event::RunWaiting { job, run: id, scheduled_at }));
        self.wait_at(run, place);
    }

    /// Puts a waiting run into its queue.
    pub(super) fn wait_at(&mut self, run: Arc<Run>, place: Place) {
        let Some(entry) = self.jobs.get_mut(&run.job) else { return };
        let (priority, grace) = (entry.record.job.policy.priority, entry.grace(run.scheduled_at));
        if place == Place::Held {
            entry.busy_mut().held.push_back(run.id);
        } else {
            entry.busy_mut().slots.push(run.id);
            self.pool(&run.pool).enqueue(priority, run.scheduled_at, run.id);
        }
        self.expiries.extend(run_expiry(&run, grace).map(|at| (at, run.id)));
        self.active.insert(run.id, Active { run, place, attempt_started_at: None, stopping: None });
    }

    /// Starts the next attempt of a run whose slots are taken: recorded first, launched when that is durable.
    pub(super) fn begin(&mut self, now: Timestamp, mut run: Arc<Run>, is_new: bool, out: &mut Vec<Action>) {
        let changed = Arc::make_mut(&mut run);
        changed.state = RunState::Running;
        changed.attempt += 1;
        changed.started_at = changed.started_at.or(Some(now));
        changed.retry_at = None;
        let Some(entry) = self.jobs.get_mut(&run.job) else { return };
        let (job, previous_success) = (entry.record.job.clone(), entry.record.last_success);
        let slots = &mut entry.busy_mut().slots;
        if !slots.contains(&run.id) {
            slots.push(run.id);
        }
        if is_new {
            out.push(self.fire_write(Arc::clone(&run)));
            out.extend(fired(&run));
        } else {
            let attempt = Attempt {
                number: run.attempt,
                started_at: now,
                finished_at: None,
                outcome: None,
                reason: None,
                backtrace: None,
                peak_memory: None,
            };
            out.push(Action::Write(Write::Update {
                run: Arc::clone(&run),
                attempt: Some(Box::new(attempt)),
            }));
        }
        out.push(Action::Launch(Launch { run: Arc::clone(&run), job, previous_success }));
        out.push(Action::Publish(Event::RunStarted {
            job: run.job.clone(),
            run: run.id,
            scheduled_at: run.scheduled_at,
            attempt: run.attempt,
            cause: run.cause,
        }));
        self.active.insert(
            run.id,
            Active { run, place: Place::Running, attempt_started_at: Some(now), stopping: None },
        );
    }

    /// `overlap = "replace"`: the oldest run is told to stop, and a fire that waits already gives way.
    fn make_way(&mut self, now: Timestamp, id: &JobId, by: RunId, out: &mut Vec<Action>) {
        let Some(entry) = self.jobs.get(id) else { return };
        let busy = entry.busy();
        let waiting: Vec<RunId> = busy
            .held
            .iter()
            .copied()
            .filter(|run| self.active.get(run).is_some_and(|active| active.run.cause == Cause::Trigger))
            .collect();
        let is_ending = |active: &Active| active.stopping.is_some() || active.place == Place::Settling;
        let is_stopping = |run: &RunId| self.active.get(run).is_some_and(is_ending);
        // One that was told to stop already, or is about to end, makes the room.
        let oldest = busy.slots.first().copied().filter(|_| !busy.slots.iter().any(is_stopping));
        for run in waiting {
            self.drop_unstarted(now, run, &format!("replaced by the later fire {by}"), out);
        }
        if let Some(oldest) = oldest {
            self.stop(now, oldest, &format!("replaced by the later fire {by}"), out);
        }
    }

    /// The write that records a new run and moves the schedule with it.
    fn fire_write(&self, run: Arc<Run>) -> Action {
        let next_fire = match run.cause {
            Cause::Trigger => self.jobs.get(&run.job).map(|entry| entry.record.next_fire),
            Cause::Manual => None,
        };
        Action::Write(Write::Fire { run, next_fire })
    }
}

/// The event of a trigger's fire that became a run.
fn fired(run: &Run) -> Option<Action> {
    (run.cause == Cause::Trigger).then(|| {
        Action::Publish(Event::Fired {
            job: run.job.clone(),
            run: run.id,
            scheduled_at: run.scheduled_at,
            coalesced: run.coalesced,
        })
    })
}

/// When a run that waits is too late: never one on demand, nor one that waits for a further attempt.
pub(super) fn run_expiry(run: &Run, grace: Grace) -> Option<Timestamp> {
    let is_first = run.cause == Cause::Trigger && run.attempt == 0;
    expiry(run.scheduled_at, grace).filter(|_| is_first)
}

/// When a fire that waits is too late.
pub(super) fn expiry(scheduled_at: Timestamp, grace: Grace) -> Option<Timestamp> {
    let Grace::Within(grace) = grace else { return None };
    // One step beyond the grace, which is inclusive.
    let grace = chrono::TimeDelta::from_std(grace).ok()?.checked_add(&chrono::TimeDelta::microseconds(1))?;
    scheduled_at.checked_add_signed(grace)
}

/// A time span for people: whole milliseconds, nothing when negative.
pub(super) fn whole_millis(span: chrono::TimeDelta) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(span.num_milliseconds()).unwrap_or(0))
}
