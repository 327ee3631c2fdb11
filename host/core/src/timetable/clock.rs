//! A clock that was wrong: what was decided at a time that is yet to come.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{Action, Timetable, due};
use crate::{
    model::{JobId, JobRecord, Run, RunId, Timestamp, Write},
    trigger::When,
};

/// A clock that goes back by less is waited for, so that no fire comes twice; by more, it was wrong before, and nobody
/// is to wait until it is that time again. Vixie cron draws the line at the same place.
const WRONG_BY: TimeDelta = TimeDelta::hours(3);

/// Whether something that was recorded shows that the clock was wrong.
pub(super) fn was_wrong(recorded: Timestamp, now: Timestamp) -> bool {
    recorded - now > WRONG_BY
}

impl Timetable {
    /// Notices a clock that went back by hours: what then waits for the wrong time is brought forward.
    pub(super) fn follow_clock(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let Some(latest) = self.latest.filter(|latest| was_wrong(*latest, now)) else {
            self.latest = self.latest.max(Some(now));
            return;
        };
        self.latest = Some(now);
        let mut jobs: Vec<JobId> = self.jobs.iter().map(|entry| entry.id().clone()).collect();
        jobs.sort();
        jobs.iter().for_each(|id| self.bring_forward(now, id, out));
        let retries: Vec<(Timestamp, RunId)> = std::mem::take(&mut self.retries).into_iter().collect();
        for (at, run) in retries {
            let wait = (at - latest).max(TimeDelta::zero());
            let at = now.checked_add_signed(wait).unwrap_or(now);
            if let Some(active) = self.active.get_mut(&run) {
                Arc::make_mut(&mut active.run).retry_at = Some(at);
                let run = Arc::clone(&active.run);
                out.push(Action::Write(Write::Update { run, attempt: None }));
            }
            self.retries.insert((at, run));
        }
    }

    /// Works the next fire of a job out anew, where that is earlier than the one that is waited for.
    pub(super) fn bring_forward(&mut self, now: Timestamp, id: &JobId, out: &mut Vec<Action>) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        if let Some(busy) = entry.if_busy() {
            busy.last_manual = busy.last_manual.filter(|at| *at <= now);
        }
        let record = &mut entry.record;
        let trigger = &record.job.trigger;
        let fired = record.last_fire.is_some();
        // What fires once has fired, or waits for its date.
        let once = matches!(trigger.spec().when(), When::Now | When::Date(_)) || trigger.fires_at_start();
        if (once && fired) || record.next_fire.is_some_and(|next| next <= now) {
            return;
        }
        let last_fire = record.last_fire.filter(|fire| *fire <= now);
        let Some(next) = due::next_fire(trigger, last_fire, now, now) else { return };
        if record.next_fire.is_none_or(|known| next < known) {
            record.next_fire = Some(next);
            record.last_fire = last_fire;
            if let Some(busy) = entry.if_busy() {
                busy.counting = None;
                busy.backlog_until = busy.backlog_until.filter(|until| *until <= now);
            }
            self.put_write(id, out);
            self.schedule(id);
        }
    }
}

/// When a run that is to be tried again is due, as an earlier host left it after an attempt that ended at `ended`.
pub(super) fn retry_at(run: &Run, ended: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let latest = ended.map_or(run.recorded_at, |ended| ended.max(run.recorded_at));
    if was_wrong(latest, now) { now } else { run.retry_at.unwrap_or(run.recorded_at) }
}

/// Whether a next fire that lies far ahead may have been worked out at a wrong time. A calendar without a start counts
/// from the day on which it was asked for the first time, which nobody knows any more.
pub(super) fn is_doubtful(record: &JobRecord, now: Timestamp) -> bool {
    let trigger = &record.job.trigger;
    let counts_from_then = match trigger.spec().when() {
        When::Calendar(table) => table.start_date.is_none() && trigger.spec().start().is_none(),
        _ => false,
    };
    let latest = record.next_fire.max(record.last_fire);
    latest.is_some_and(|at| was_wrong(at, now)) && !(counts_from_then && record.last_fire.is_none())
}
